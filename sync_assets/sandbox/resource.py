"""What one endpoint lists."""

from collections.abc import Callable
from dataclasses import dataclass

from sync_assets.sandbox.instant import Instant
from sync_assets.sandbox.listing import Listing


@dataclass(frozen=True)
class Resource:
    """A list of its own."""

    name: str
    path: str
    rows: Callable[[Instant], Listing]


@dataclass(frozen=True)
class ChildResource:
    """One list for each row of a parent, or none where `rows` returns None."""

    name: str
    path: str
    rows: Callable[[Instant, int], Listing | None]
    parent: Resource
