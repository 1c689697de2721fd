"""Chooses the lists of a sync that are read by their heads, reads them, and loads them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import dlt

from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.head import Head
from sync_assets.sources.rest.extract.head_reader import HeadReader
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.records.names import column_name
from sync_assets.warehouse.connection.destination import open_pipeline
from sync_assets.warehouse.connection.driver_errors import translate_errors
from sync_assets.warehouse.connection.postgres import outlast_timeouts
from sync_assets.warehouse.load_heads import load_heads
from sync_assets.warehouse.load_retries import Again
from sync_assets.warehouse.rounds import rounds
from sync_assets.warehouse.state.held_keys import held_among, key_type
from sync_assets.warehouse.state.syncs import histories
from sync_assets.warehouse.tables import Tables, open_tables_when_free

if TYPE_CHECKING:
    from sync_assets.warehouse.sync import Request

#: A head is given up after a quarter of the list's pages, or this many: then the list is swept.
LARGEST_SHARE, FEWEST_PAGES = 4, 5


def read_heads(
    request: Request,
    names: Collection[str],
    done: Collection[ListKey],
    result: SyncResult,
    make: Callable[[dlt.Pipeline], None],
    pauses: Sequence[float],
) -> Generator[SyncResult, None, set[ListKey]]:
    """Read and load the heads of lists that have earned it; yield the result after each load.

    Returns the lists that need not be swept: those whose heads were loaded or failed.
    """
    account, say = request.account, result.observer.say
    with open_pipeline(account.api.name, account.dataset) as pipeline:
        with translate_errors(pipeline.dataset_name):
            outlast_timeouts(pipeline)
            with open_tables_when_free(pipeline, say) as tables:
                chosen = dict(_chosen(tables, request, names, done))
        heads = {
            key: Head(
                partial(_holds, pipeline, request, key, say),
                max(FEWEST_PAGES, pages // LARGEST_SHARE),
            )
            for key, pages in chosen.items()
        }
        parents, left = _parents(request, heads)
        with closing(HeadReader(account, parents, result, heads, left)) as lists:
            resources = list(dict.fromkeys(name for name, _ in heads))
            load = partial(load_heads, make=make)
            yield from rounds(pipeline, lists, resources, load, Again(lists, pauses, say))
    return set(heads) - lists.inconclusive


def _chosen(
    tables: Tables, request: Request, names: Collection[str], done: Collection[ListKey]
) -> Iterator[tuple[ListKey, int]]:
    """Yield the lists to read by their heads, with the number of pages of their last sweep."""
    endpoints = [request.api.endpoints[name] for name in names]
    given = request.parents or {}
    shortest = request.account.settings.heads_from_pages
    known = {past.key: past for past in histories(tables)}
    for endpoint in endpoints:
        if endpoint.name in request.api.without_heads:
            continue
        parents: Collection[str | None] = [None]
        if endpoint.parent is not None:
            parents = set(given.get(endpoint.parent) or _ids(tables, request, endpoint))
        for parent in parents:
            key = ListKey(endpoint.name, parent)
            past = known.get(key)
            left = key in done or key in request.swept
            if past and not left and past.has_earned_heads(shortest) and _has_key(endpoint):
                yield key, past.pages or 0


def _ids(tables: Tables, request: Request, endpoint: Endpoint) -> list[str]:
    """Return the ids in the table of a resource's parents."""
    column = column_name(endpoint.parent_field)
    return [str(row[column]) for row in tables.rows(str(endpoint.parent), [column])]


def _has_key(endpoint: Endpoint) -> bool:
    return key_type(endpoint) in ("text", "bigint")


def _parents(
    request: Request, heads: Mapping[ListKey, Head]
) -> tuple[dict[str, list[str]], set[ListKey]]:
    """Return the parents of heads, by resource, and the lists below them that are not read."""
    found: dict[str, dict[str, None]] = {}
    for name, parent in heads:
        if parent is not None:
            found.setdefault(str(request.api.endpoints[name].parent), {})[parent] = None
    names = {name for name, parent in heads if parent is not None}
    below = {ListKey(n, p) for n in names for p in found[str(request.api.endpoints[n].parent)]}
    return {resource: list(ids) for resource, ids in found.items()}, below - set(heads)


def _holds(
    pipeline: dlt.Pipeline,
    request: Request,
    key: ListKey,
    say: Callable[[str], None],
    keys: Sequence[str],
) -> bool:
    """Whether the warehouse holds all rows of a page."""
    with (
        translate_errors(pipeline.dataset_name),
        open_tables_when_free(pipeline, say) as tables,
    ):
        return set(keys) <= held_among(
            tables, request.api.endpoints[key.resource], key.parent, keys
        )
