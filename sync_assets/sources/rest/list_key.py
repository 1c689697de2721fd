"""The identity of a list: its resource and, for a child, its parent."""

from __future__ import annotations

from typing import NamedTuple


class ListKey(NamedTuple):
    """A list of a resource: below a parent, or, without one, the whole table."""

    resource: str
    parent: str | None = None

    @property
    def name(self) -> str:
        """The list as messages name it."""
        return self.resource if self.parent is None else f"{self.resource} of {self.parent}"
