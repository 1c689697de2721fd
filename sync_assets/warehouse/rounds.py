"""Rounds of a sync: complete lists are written to files and loaded while others are still read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

import dlt
import pyarrow as pa
from dlt.common.schema import Schema
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.resources import build_resources
from sync_assets.warehouse.connection.driver_errors import plain
from sync_assets.warehouse.load_retries import Again
from sync_assets.warehouse.machines import execution
from sync_assets.warehouse.state.ledger import schema_name
from sync_assets.warehouse.state.quarantine import quarantine
from sync_assets.warehouse.state.syncs import schema

#: Loads what a round took of some resources; gives the lists that stand in the way.
Load: TypeAlias = Callable[[dlt.Pipeline, ListReader, Sequence[str]], list[ListResult]]


def rounds(
    pipeline: dlt.Pipeline, lists: ListReader, names: Sequence[str], load: Load, again: Again
) -> Iterator[SyncResult]:
    """Read and load some resources round by round; yields the result after each load."""
    every = execution().commit_every
    while names:
        current = again.next_round(every)
        extract(pipeline, lists, [name for name in names if name not in again.refused])
        if again.loads(pipeline, partial(load, pipeline, lists, names)):
            lists.loaded(current.taken)
            yield lists.result
            names = [name for name in names if name in current.pending]


def extract(pipeline: dlt.Pipeline, lists: ListReader, names: Sequence[str]) -> None:
    """Write what a round takes of some resources to the files to load."""
    api, result = lists.api, lists.result
    lists.round.extracted = names
    source = DltSource(Schema(schema_name(api)), api.name, build_resources(lists))
    source.schema.update_table(schema())
    workers = lists.account.settings.max_concurrency + 2
    try:
        pipeline.extract(source.with_resources(*names), workers=workers)
        if any(listing.problems for listing in result.complete()):
            pipeline.extract(quarantine(result))
        pipeline.normalize()
        pa.default_memory_pool().release_unused()  # the warehouse's driver needs it now
    except PipelineStepFailed as error:
        raise plain(error, f"{api.name} could not be prepared") from None
