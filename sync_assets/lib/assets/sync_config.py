"""The config of a sync job, which names the lists of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import dagster as dg

from sync_assets.lib.assets.reads import Read
from sync_assets.sources.rest.api import Api, Parent

#: A resource, and a partition key or None.
Listed: TypeAlias = "tuple[str, str | None]"


class SyncConfig(dg.Config):
    """The config of a run. With `allow_empty` a list that held rows may become empty.

    `read` says how lists are read; see `Read`.
    """

    allow_empty: bool = False
    read: Read = Read.sweep


class Lists(dg.Config):
    """Lists below partitions: `keys` are partitions, `resources` the children (none: all)."""

    keys: list[str]
    resources: list[str] = []


class ListsConfig(SyncConfig):
    """The config of a run: its `lists`; with `allow_empty` they may become empty."""

    lists: list[Lists]


def job_name(api: Api, parent: Parent) -> str:
    """Return the name of the job that syncs the children of a parent."""
    return f"{api.name}_{parent.partitions}_sync"


def op_name(api: Api, parent: Parent) -> str:
    """Return the name of its only op, which is also the key of its step."""
    return f"{job_name(api, parent)}_lists"


def run_config(
    api: Api, parent: Parent, wanted: Mapping[str, tuple[str, ...]], read: Read = Read.due
) -> dict[str, dict[str, Any]]:
    """Return the config of a run that syncs some resources below each key.

    Automation asks for what is due; a click in the UI is a sweep.
    """
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for key, resources in wanted.items():
        alike[resources].append(key)
    lists = [{"resources": list(names), "keys": keys} for names, keys in alike.items()]
    return {"ops": {op_name(api, parent): {"config": {"lists": lists, "read": read.name}}}}


def tables_config(api: Api, read: Read = Read.due) -> dict[str, dict[str, Any]]:
    """The config of a run of the tables."""
    return {"ops": {api.name: {"config": {"read": read.name}}}}


def reads_heads(run: dg.DagsterRun) -> bool:
    """Whether the config of a run asks for heads."""
    ops = run.run_config.get("ops")
    given = (
        [op.get("config") for op in ops.values() if isinstance(op, Mapping)]
        if isinstance(ops, Mapping)
        else []
    )
    return any(isinstance(one, Mapping) and one.get("read") == Read.heads.name for one in given)


def planned(api: Api, run: dg.DagsterRun) -> Iterator[tuple[Parent, str, list[Listed]]]:
    """Yield what the config of a run names: the parent, the step and the lists."""
    ops = run.run_config.get("ops")
    for parent in api.parents:
        step = op_name(api, parent)
        config = ops.get(step) if isinstance(ops, Mapping) else None
        given = config.get("config") if isinstance(config, Mapping) else None
        lists = given.get("lists") if isinstance(given, Mapping) else None
        if isinstance(lists, Sequence):
            yield parent, step, planned_lists(api, parent, lists)


def planned_lists(api: Api, parent: Parent, lists: Sequence[Any]) -> list[Listed]:
    """Return the lists that the `lists` of a config name."""
    children = api.children(parent.resource)
    return [
        (resource, str(key))
        for one in lists
        if isinstance(one, Mapping)
        for resource in one.get("resources") or children
        if resource in children
        for key in one.get("keys") or ()
    ]
