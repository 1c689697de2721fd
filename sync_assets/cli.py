"""`sync-assets`: a full sync without Dagster, with progress and a table of the results."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from sync_assets.base import stop
from sync_assets.base.enumeration import some
from sync_assets.base.env_file import read_env_file
from sync_assets.base.errors import ConfigurationError, ListError, SyncError
from sync_assets.dbt_command import dbt
from sync_assets.plan_command import plan
from sync_assets.preparation import prepare
from sync_assets.report import Watcher, print_report
from sync_assets.sources import apis
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.records.names import column_name
from sync_assets.warehouse.errors import UnknownPartitionError
from sync_assets.warehouse.sync import Request, sync

SHOWN = 10
PLAN, DBT = "plan", "dbt"


def main(argv: Sequence[str] | None = None) -> int:
    """Sync what the arguments say and return the exit code.

    0: every list was read and every row loaded, even if a value is in quarantine. 1: otherwise.
    130 after Ctrl-C and 143 after SIGTERM. Wrong arguments end the process with 2.
    """
    console = Console()
    try:
        with _signals_in_clean_ups(), stop.stoppable():
            return _sync(console, argv)
    except KeyboardInterrupt as stopped:
        message = "stopped: tables that were not loaded yet are as they were"
        _print(console, message, style="red")
        return 128 + int(getattr(stopped, "signal_code", signal.SIGINT))


@contextmanager
def _signals_in_clean_ups() -> Iterator[None]:
    """Ignore a signal that arrives while Python destroys an object; the sync stops anyway."""
    before = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            before(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def _sync(console: Console, argv: Sequence[str] | None) -> int:
    try:
        known = apis()
    except ConfigurationError as error:  # of an API that is declared wrong
        _print(console, f"error: {error}", style="red")
        return 1
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == [PLAN]:
        return plan(console, words[1:], known)
    if words[:1] == [DBT]:
        return dbt(console, words[1:], known)
    arguments = _parser(list(known)).parse_args(words)
    apis_asked = [known[arguments.source]] if arguments.source else list(known.values())
    chosen = [Account(api) for api in apis_asked]
    try:
        file = read_env_file(Path.cwd())
        _refuse_partitions(apis_asked, arguments.partition)
        _print(console, prepare(chosen))
    except SyncError as error:
        _print(console, f"error: {error}", style="red")
        return 1
    if file:
        _print(console, f"Variables of {file} replace those of the shell.")
    results: dict[str, SyncResult] = {}
    for account in chosen:
        api = account.api
        try:
            request = _request(account, arguments)
            with Watcher(console, api.name) as watcher:
                results[api.name] = sync(request, watcher)
        except SyncError as error:  # the other sources can do without this one
            _print(console, f"error: {api.name}: {error}", style="red")
    print_report(console, results)
    whole = len(results) == len(chosen) and all(map(_is_whole, results.values()))
    return 0 if whole else 1


def _is_whole(result: SyncResult) -> bool:
    return not any(listing.error or listing.left_out for listing in result.listings.values())


def _print(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def _parser(sources: list[str]) -> argparse.ArgumentParser:
    more = (
        f"`sync-assets {PLAN} [source]` tells what the schedules cost, and if the quota allows it. "
        f"`sync-assets {DBT} [file]` writes the tables as sources of dbt."
    )
    parser = argparse.ArgumentParser("sync-assets", description=__doc__, epilog=more)
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
    parser.add_argument(
        "--heads",
        action="store_true",
        help="read only the new rows of long lists that begin with these",
    )
    return parser


def _refuse_partitions(chosen: Sequence[Api], partitions: Sequence[str] | None) -> None:
    """Refuse what cannot be a partition key, before any request."""
    for key in partitions or ():
        if not key.strip():
            raise ConfigurationError(f"--partition must be an id, not {key!r}.")
    for api in chosen if partitions else ():
        if not api.parents:
            raise ConfigurationError(f"{api.name} has no partitions; leave out --partition.")


def _request(account: Account, arguments: argparse.Namespace) -> Request:
    api, partitions = account.api, arguments.partition
    request = Request(
        api,
        list(api.endpoints),
        allow_empty=arguments.allow_empty,
        account=account,
        read="heads" if arguments.heads else "sweep",
    )
    if partitions is None:
        return request
    parent = api.parents[0]
    listed = _ids(account, parent)
    if unknown := [key for key in partitions if key not in listed]:
        raise UnknownPartitionError(
            f"{parent.resource} has no {', '.join(unknown)}: the API lists {len(listed)}, "
            f"{some(listed, SHOWN)}"
        )
    children = api.children(parent.resource)
    parents = {parent.resource: list(partitions)}
    return replace(request, resources=children, parents=parents)


def _ids(account: Account, parent: Parent) -> list[str]:
    """Return the ids that the API lists, even if some of its records are not as declared."""
    result = SyncResult(strict=False)
    endpoint = account.api.endpoints[parent.resource]
    spool = ListReader(account, {}, result).read(endpoint, None).spool
    if spool is None:
        raise ListError(str(result.failed()[0].error))
    return spool.column(column_name(parent.key))
