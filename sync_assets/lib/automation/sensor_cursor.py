"""The cursor of the freshness sensor: which lists it requested, and which checks it published."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sync_assets.base.times import EVER, known, parse_time, shifted
from sync_assets.lib.cursors import mapping, stored, whole
from sync_assets.planning.freshness import ALLOWANCE
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.planning.settings import AutomationSettings


@dataclass
class SensorCursor:
    """By list, when it was last requested and how often in vain; by check, what was published.

    `unsynced` says since when a resource has had lists that were never synced.
    """

    asked: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)
    unsynced: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str | None) -> SensorCursor:
        """Parse a cursor; parts that cannot be parsed are left out."""
        data = stored(cursor)
        return cls(
            {name: asked for name, value in mapping(data.get("asked")).items()
             if (asked := _asked(value))},
            {name: text for name, text in mapping(data.get("published")).items()
             if isinstance(text, str)},
            {name: since for name, text in mapping(data.get("unsynced")).items()
             if (since := parse_time(text))},
        )  # fmt: skip

    def write(self) -> str:
        """Return the cursor for the next tick."""
        return json.dumps(
            {
                "asked": {name: (at.isoformat(), n) for name, (at, n) in self.asked.items()},
                "published": self.published,
                "unsynced": {name: since.isoformat() for name, since in self.unsynced.items()},
            },
            sort_keys=True,
        )

    def see(self, lists: Iterable[ListFreshness], now: datetime) -> None:
        """Forget requests for lists that need no sync any more or were synced since."""
        listed = list(lists)
        names = {_name(one): one for one in listed if one.needed}
        self.asked = {
            name: asked
            for name, asked in self.asked.items()
            if name in names and known(names[name].history.recorded_at, now) <= asked[0]
        }
        unsynced = {one.resource for one in listed if one.history.synced_at is None}
        self.unsynced = {name: known(self.unsynced.get(name), now) for name in unsynced}
        self.unsynced = {n: now if at == EVER else at for n, at in self.unsynced.items()}

    def may_ask(self, one: ListFreshness, settings: AutomationSettings, now: datetime) -> bool:
        """Whether a list may be requested: not soon after it failed or was requested in vain.

        A run that is killed records no failure, so a request counts like one.
        """
        at, times = self.asked.get(_name(one), (EVER, 0))
        again = shifted(known(at, now), settings.pause(times))
        return now >= max(again, one.retry_at)

    def knows(self, freshness: ListFreshness) -> bool:
        """Whether a list was ever tried or requested; a new sensor knows of none."""
        tried = freshness.history.synced_at or freshness.failing
        return bool(tried) or _name(freshness) in self.asked

    def waited_too_long(
        self, freshness: ListFreshness, settings: AutomationSettings, now: datetime
    ) -> bool:
        """Whether a list in progress is older than its maximum age plus the allowance."""
        if freshness.history.synced_at is not None:
            return freshness.overdue
        limit = settings.max_age(partitioned=freshness.parent is not None) + ALLOWANCE
        return now - self.unsynced.get(freshness.resource, now) > limit

    def ask(self, lists: Iterable[ListFreshness], now: datetime) -> None:
        """Record that lists were requested."""
        for freshness in lists:
            _, times = self.asked.get(_name(freshness), (EVER, 0))
            self.asked[_name(freshness)] = (now, times + 1)


def _asked(value: Any) -> tuple[datetime, int] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    at = parse_time(value[0])
    return (at, whole(value[1])) if at else None


def _name(one: ListFreshness) -> str:
    return one.resource if one.parent is None else f"{one.resource}/{one.parent}"
