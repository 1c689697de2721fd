"""Makes dlt resources of endpoints: lists are read in parallel and yielded when complete."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import dlt
from dlt.extract import DltResource, DltSource

from sync_assets.base.personal_data import discreet
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.declaration.hints import MERGE
from sync_assets.sources.rest.extract.batches import END, Batches
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.records.rows import RowTyper

#: dlt warns that JSON arrives as text, and that rows become SQL literals on the way to Postgres.
PLANNED = ("when merging arrow schema with dlt schema", "ArrowToInsertValuesWriter")

#: What dlt is told of a column; the rest is for the typed view.
DLTS = ("name", "data_type", "nullable")


def build_resources(lists: ListReader) -> list[DltResource]:
    """Build the dlt resources of an API; nothing is resolved or requested before they are read.

    dlt evaluates the callables that a resource yields in its own thread pool.
    """
    return [_resource(lists, endpoint) for endpoint in lists.api.endpoints.values()]


def dlt_source(api: Api) -> Callable[..., DltSource]:
    """The `@dlt.source` of an API.

    Its arguments: `parents`, the ids to read children of, by parent resource (without it all that
    the parent's list holds); `journal`, which decides what an incomplete list means; and the
    settings of `SOURCES__<SOURCE>__*` in lower case, which otherwise come from dlt's configuration.
    A wrong or missing one raises `ConfigurationError` here, before any request.
    """

    @dlt.source(name=api.name, section=api.name)
    def source(
        parents: Mapping[str, Sequence[str]] | None = None,
        journal: SyncResult | None = None,
        **settings: Any,
    ) -> list[DltResource]:
        keep_rows_out_of_logs()
        account = Account(api, settings)
        _ = account.connection  # raises here, not in dlt's pool
        return build_resources(ListReader(account, parents or {}, journal or SyncResult()))

    return source


def keep_rows_out_of_logs() -> None:
    """Remove quoted rows from dlt's warnings, and drop warnings about what is intended.

    dlt 1.31 quotes a value that does not fit its column.
    """
    logging.getLogger("dlt").addFilter(_is_fit_to_print)


def _is_fit_to_print(record: logging.LogRecord) -> bool:
    """Whether a warning of dlt is worth showing; rows that it quotes are removed."""
    message = record.getMessage()
    if record.levelno >= logging.WARNING:
        record.msg, record.args, record.exc_info = discreet(message), (), None
    return not any(plan in message for plan in PLANNED)


def _resource(lists: ListReader, endpoint: Endpoint) -> DltResource:
    batches = Batches()

    def rows() -> Iterator[Any]:
        if endpoint.parent is None:
            if not lists.is_done(endpoint, None):
                yield batches.expect(partial(lists.outcome, endpoint, None))
            yield END
            return
        yield RowTyper(endpoint.columns, endpoint.parent_param).empty()
        yield below  # in dlt's pool: other resources do not wait for the list of the parents

    def below() -> Iterator[Any]:
        return reads(lists.below(endpoint))

    def reads(parents: Sequence[str]) -> Iterator[Any]:
        for parent in parents:
            yield batches.expect(partial(lists.outcome, endpoint, parent))
        yield END

    resource = dlt.resource(rows, name=endpoint.name, **_hints(endpoint, lists))
    resource.add_yield_map(batches)
    return resource


def _hints(endpoint: Endpoint, lists: ListReader) -> dict[str, Any]:
    """Return dlt's hints of a table; if lists fail one by one, children are replaced by parent.

    In that case dlt gets no primary key: of two keys it makes an OR, for which DuckDB reads and
    groups the whole table. A spool holds each key once, so no row occurs twice.
    """
    columns = {
        str(column["name"]): {hint: column[hint] for hint in DLTS}  # type: ignore[literal-required]
        for column in endpoint.columns.values()
    }
    hints = {**endpoint.hints, "columns": columns}
    if not lists.replaces:
        hints.pop("merge_key", None)
        return {**hints, "write_disposition": MERGE}
    if endpoint.parent is not None and not lists.result.strict:
        hints.update(write_disposition=MERGE, merge_key=endpoint.parent_param)
    if "merge_key" in hints:
        del hints["primary_key"]
    return hints
