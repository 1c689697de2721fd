"""A synthetic account of the three APIs: the truth that the server hands out in pages."""

import time
from collections.abc import Callable

from sync_assets.sandbox import affiliates, events, promotions
from sync_assets.sandbox.instant import DAY, Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.resource import ChildResource, Resource
from sync_assets.sandbox.scale import Scale

CACHE_BYTES = 400_000_000

RESOURCES: dict[str, dict[str, Resource | ChildResource]] = {
    source: {resource.name: resource for resource in resources}
    for source, resources in (
        ("promotions", promotions.RESOURCES),
        ("affiliates", affiliates.RESOURCES),
        ("events", events.RESOURCES),
    )
}


class Snapshot:
    """The account at one second, with the lists and the encoded pages made of it so far."""

    def __init__(self, instant: Instant) -> None:
        self.instant = instant
        self.pages: dict[str, bytes] = {}
        self._remembered = 0
        self._listings: dict[tuple[str, str, str | None], Listing | None] = {}

    def remember(self, url: str, page: bytes) -> None:
        """Keep an encoded page, while there is room."""
        if self._remembered < CACHE_BYTES:
            self.pages[url] = page
            self._remembered += len(page)

    def listing(self, source: str, name: str, parent: str | None = None) -> Listing | None:
        """Return a list, or None if the API does not know the parent."""
        key = (source, name, parent)
        if key not in self._listings:
            self._listings[key] = self._make(RESOURCES[source][name], source, parent)
        return self._listings[key]

    def _make(
        self, resource: Resource | ChildResource, source: str, parent: str | None
    ) -> Listing | None:
        if isinstance(resource, Resource):
            return resource.rows(self.instant)
        parents = self.listing(source, resource.parent.name)
        ordinal = parents.ordinal_of(parent) if parents and parent else None
        if parents is None or ordinal is None or ordinal not in parents.ordinals:
            return None
        return resource.rows(self.instant, ordinal)


class Account:
    """Rows that depend on nothing but the seed, the scale and the clock, read in whole seconds."""

    def __init__(
        self,
        seed: int = 7,
        scale: Scale = Scale(),  # noqa: B008
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._seed, self._scale, self._clock = seed, scale, clock
        # Exact sizes are for benchmarks, whose two sides must see the same rows all day.
        self._fixed = int(clock()) // DAY * DAY if scale.exact else None
        self._snapshot = Snapshot(Instant(seed, scale, self._now()))

    def _now(self) -> int:
        return int(self._clock()) if self._fixed is None else self._fixed

    def snapshot(self) -> Snapshot:
        """Return the account at the current second."""
        now, snapshot = self._now(), self._snapshot
        if snapshot.instant.now != now:
            snapshot = self._snapshot = Snapshot(Instant(self._seed, self._scale, now))
        return snapshot

    def rows(self, source: str, resource: str, parent: str | None = None) -> list[Row]:
        """Return what the API lists now, newest first; nothing for a parent it does not know."""
        return list(self.snapshot().listing(source, resource, parent) or ())

    def parents(self, source: str, resource: str) -> list[str]:
        """Return the ids of the rows a child resource is listed for, newest first."""
        described = RESOURCES[source][resource]
        if isinstance(described, Resource):
            return []
        return [row["id"] for row in self.rows(source, described.parent.name)]
