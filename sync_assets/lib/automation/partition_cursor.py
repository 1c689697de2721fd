"""The cursor of the partition sensor: which partition keys the sensor added.

Dagster does not record who added a key, and another code location may use the same partitions
definition. So a key is ours if this cursor says that the sensor added it, or if `_syncs` has a sync
below its parent that is newer than the last time that the key was not ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType  # private, read in 1.13.27

from sync_assets.base import times
from sync_assets.base.times import EVER, parse_time
from sync_assets.warehouse.queries import Tried


@dataclass
class PartitionCursor:
    """The last followed sync of the parent (`news`), and whose the keys were then.

    `added` are ours; `shared` are not ours, but our API lists them too. `gone` were synced but are
    no longer ours, with the time (ISO 8601) when that was first seen. `absent` are ours but the
    API does not list them, with the number of syncs in a row that missed them; the last of these
    syncs began at `as_of` (ISO 8601).
    """

    news: str | None = None
    added: set[str] = field(default_factory=set)
    shared: list[str] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)
    as_of: str | None = None

    @classmethod
    def read(cls, cursor: str | None) -> PartitionCursor:
        """Parse a cursor; it is empty if an earlier version or another program wrote it."""
        try:
            held = json.loads(cursor or "")
            return cls(
                str(held["news"]),
                set(map(str, held["added"])),
                list(map(str, held["shared"])),
                {str(key): str(at) for key, at in held["gone"].items()},
                {str(key): int(times) for key, times in held.get("absent", {}).items()},
                held.get("as_of"),
            )
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return cls()

    def write(self) -> str:
        """Return the cursor for the next tick."""
        return json.dumps({**vars(self), "added": sorted(self.added)})

    def ours(self, known: Iterable[str], listed: set[str], tried: Mapping[str, Tried]) -> set[str]:
        """Return the known keys that are ours, by the API's list and by `_syncs`.

        If a key is not listed, a sync of it counts only if it has rows: a backfill over all keys of
        a definition tries keys of other code locations, too.
        """
        synced = {key for key, one in tried.items() if self._is_news(key, one)}
        proven = {key for key in synced if key in listed or tried[key].rows}
        return set(known) & (self.added | proven)

    def _is_news(self, key: str, tried: Tried) -> bool:
        return (parse_time(tried.at) or EVER) > (parse_time(self.gone.get(key)) or EVER)

    def miss(self, keys: Iterable[str], as_of: str) -> None:
        """Count a sync whose list misses some of our keys; the same sync counts once."""
        more = as_of != self.as_of
        self.absent = {key: max(1, self.absent.get(key, 0) + more) for key in keys}
        self.as_of = as_of

    def retired(self, ours: set[str]) -> set[str]:
        """Return the keys that two syncs in a row missed; three if more than half would go."""
        twice, thrice = ({k for k, n in self.absent.items() if n >= least} for least in (2, 3))
        return thrice if 2 * len(twice) > len(ours) else twice

    def follow(self, news: str, ours: set[str], shared: list[str], tried: Iterable[str]) -> str:
        """Return the cursor for the next tick, after a sync of the parent was followed."""
        now = times.now().isoformat()
        gone = {key: self.gone.get(key, now) for key in tried if key not in ours}
        absent = {key: count for key, count in self.absent.items() if key in ours}
        return PartitionCursor(news, ours, shared, gone, absent, self.as_of).write()


def added_keys(context: dg.SensorEvaluationContext, sensor: str) -> set[str]:
    """Return the keys that a partition sensor of this code location added, for another sensor."""
    here = context.code_location_origin
    return {
        key
        for state in context.instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
        if state.instigator_name == sensor
        and (here is None or state.origin.location_name == here.location_name)
        for key in PartitionCursor.read(getattr(state.instigator_data, "cursor", None)).added
    }
