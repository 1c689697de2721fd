"""What one endpoint lists."""

from collections.abc import Callable
from dataclasses import dataclass

from sync_assets.sandbox.listing import Listing
from sync_assets.sandbox.moment import Moment


@dataclass(frozen=True)
class Resource:
    """A list of its own."""

    name: str
    path: str
    rows: Callable[[Moment], Listing]


@dataclass(frozen=True)
class ChildResource:
    """One list for each row of a parent, or none where `rows` returns None."""

    name: str
    path: str
    rows: Callable[[Moment, int], Listing | None]
    parent: Resource
