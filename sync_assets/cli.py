"""`sync-assets`: a full sync without Dagster, with progress and a closing table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.console import Console

from sync_assets.report import Watcher, print_report
from sync_assets.sources import apis
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.errors import ConfigurationError, SyncError
from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.resources import dlt_source
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.destination import configured_destination
from sync_assets.warehouse.errors import UnknownPartitionError
from sync_assets.warehouse.execution import execution
from sync_assets.warehouse.sync import Request, sync

SHOWN = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Sync what the arguments say; 1 if anything failed, else 0."""
    known = apis()
    arguments = _parser(list(known)).parse_args(argv)
    chosen = [known[arguments.source]] if arguments.source else list(known.values())
    console = Console()
    journals: dict[str, Journal] = {}
    try:
        configured_destination()
        execution()
        for api in chosen:
            api.resolve()
            dataset_of(api)
        for api in chosen:
            request = _request(api, arguments.partition, allow_empty=arguments.allow_empty)
            with Watcher(console, api.name) as watcher:
                journals[api.name] = sync(request, on_listing=watcher.listing, say=watcher.say)
    except SyncError as error:
        console.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    finally:
        print_report(console, journals)
    return 1 if any(journal.failed() for journal in journals.values()) else 0


def _parser(sources: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sync-assets", description=__doc__)
    parser.add_argument("source", nargs="?", choices=sources, help="one source; all by default")
    parser.add_argument(
        "--partition",
        action="append",
        metavar="ID",
        help="only the children of this promotion or event series; may be repeated",
    )
    parser.add_argument(
        "--allow-empty", action="store_true", help="let a list that held rows become empty"
    )
    return parser


def _request(api: Api, partitions: list[str] | None, *, allow_empty: bool) -> Request:
    if partitions is None:
        return Request(api, list(api.endpoints), None, allow_empty)
    if not api.parents:
        raise ConfigurationError(f"{api.name} has no partitions; leave out --partition.")
    parent = api.parents[0]
    listed = [
        str(value)
        for table in dlt_source(api)().resources[parent.resource]
        for value in table["id"].to_pylist()
    ]
    if unknown := [key for key in partitions if key not in listed]:
        raise UnknownPartitionError(
            f"{parent.resource} has no {', '.join(unknown)}: the API lists {len(listed)}, "
            f"{', '.join(listed[:SHOWN])}{', ...' if len(listed) > SHOWN else ''}"
        )
    children = api.children(parent.resource)
    return Request(api, children, {parent.resource: partitions}, allow_empty)
