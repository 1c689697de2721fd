"""Which runs a source needs now: few, each over neighbouring partitions, none that is under way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from sync_assets.lib.automation.queue_tags import queue_tags
from sync_assets.lib.keys import contiguous_ranges, partition_key, range_tags
from sync_assets.lib.translator import asset_key
from sync_assets.planning.freshness import ListFreshness
from sync_assets.sources.rest.api import Api, Parent


@dataclass(frozen=True)
class PlannedRun:
    """A run that is needed: resources of an API, below neighbouring partitions or whole tables.

    `since` is the oldest sync that the run would replace.
    """

    resources: tuple[str, ...]
    keys: tuple[str, ...]
    since: datetime

    def request(self, api: Api, when: datetime | None = None) -> dg.RunRequest:
        """The request of the run; one for each moment where that is given."""
        name = [when.isoformat(), *self.resources, *self.keys[:1]] if when else None
        return dg.RunRequest(
            run_key=" ".join(name) if name else None,
            asset_selection=[asset_key(api, name) for name in self.resources],
            tags={**queue_tags(api, partitioned=bool(self.keys)), **range_tags(self.keys)},
        )


def plan_runs(
    api: Api, verdicts: Iterable[ListFreshness], instance: dg.DagsterInstance, longest: int
) -> list[PlannedRun]:
    """The runs that would sync these lists, those of the oldest rows first.

    None is over more than `longest` partitions (0: no limit). A list whose partition Dagster does
    not know is left to the sensor that adds partitions.
    """
    lists = list(verdicts)
    tables = [verdict for verdict in lists if not verdict.partitioned]
    found = [_demand(tables, ())] if tables else []
    for parent in api.parents:
        order = instance.get_dynamic_partitions(parent.partitions)
        found += _below(api, parent, lists, order, longest)
    return sorted(found, key=lambda demand: demand.since)


def _below(
    api: Api, parent: Parent, verdicts: Sequence[ListFreshness], order: Sequence[str], longest: int
) -> Iterator[PlannedRun]:
    children = set(api.children(parent.resource))
    by_key: dict[str, list[ListFreshness]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.resource in children:
            by_key[partition_key(str(verdict.parent))].append(verdict)
    alike: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for key, below in by_key.items():
        alike[tuple(sorted(verdict.resource for verdict in below))].add(key)
    for keys in alike.values():
        for stretch in contiguous_ranges(keys, order, longest):
            yield _demand([item for key in stretch for item in by_key[key]], tuple(stretch))


def _demand(verdicts: Sequence[ListFreshness], keys: tuple[str, ...]) -> PlannedRun:
    return PlannedRun(
        tuple(sorted({verdict.resource for verdict in verdicts})),
        keys,
        min(verdict.synced_at for verdict in verdicts),
    )
