"""`sync-assets plan`: what the schedules cost each account, and whether its quota allows it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from math import isinf
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sync_assets.base import times
from sync_assets.base.env_file import read_env_file
from sync_assets.base.errors import SyncError
from sync_assets.planning.ask import ask
from sync_assets.planning.best import advice
from sync_assets.planning.forecast import Forecast, Line, forecast
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.settings import automation
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.queries import state

WIDTH = 120  # characters
FIGURES = (
    "lists",
    "ended",
    "by heads",
    "rows",
    "pages",
    "requests",
    "requests a day",
    "share",
    "minutes",
)
UNKNOWN = "?"


def plan(console: Console, argv: Sequence[str], known: Mapping[str, Api]) -> int:
    """Print the plan of one source or of all; return 1 if one could not be made, else 0."""
    parser = argparse.ArgumentParser("sync-assets plan", description=__doc__)
    parser.add_argument("source", nargs="?", choices=list(known), help="one; all by default")
    parser.add_argument(
        "--ask",
        action="store_true",
        help="ask the API how long lists are that were never synced, by one request for each",
    )
    arguments = parser.parse_args(argv)
    console.width = max(console.width, WIDTH)
    read_env_file(Path.cwd())
    status = 0
    for api in [known[arguments.source]] if arguments.source else known.values():
        try:
            found = _forecast(api, asks=arguments.ask)
        except SyncError as error:
            _print(console, f"error: {api.name}: {error}", "red")
            status = 1
        else:
            _print(console, f"{api.name}: {_quota(found)}", "bold")
            console.print(_table(found), crop=False)
            for line in _conclusion(found):
                _print(console, line, None if found.fits else "yellow")
    return status


def _forecast(api: Api, *, asks: bool) -> Forecast:
    known, settings = state(api), automation(api)
    known = ask(Account(api), known) if asks else known
    return forecast(api, known, settings, evaluate_freshness(api, known, settings, times.now()))


def _table(found: Forecast) -> Table:
    table = Table("asset", box=None, pad_edge=False)
    for figure in FIGURES:
        table.add_column(figure, justify="right")
    for line in found.lines:
        table.add_row(f"{found.source}/{line.resource}", *_figures(found, line))
    return table


def _figures(found: Forecast, line: Line) -> Iterator[str]:
    yield f"{line.lists:,}" if line.listed else UNKNOWN
    yield f"{line.ended:,}" if line.ended else "-"
    yield f"{line.by_heads:,}" if line.by_heads else "-"
    yield f"{line.rows:,}" if line.requests is not None else UNKNOWN
    yield UNKNOWN if line.pages is None else f"{line.pages:,}"
    for value in (line.requests, line.requests_a_day):
        yield UNKNOWN if value is None else f"{value:,.0f}"
    share = found.share(line)
    yield UNKNOWN if share is None else f"{share:.1%}"
    yield UNKNOWN if line.seconds is None else f"{line.seconds / 60:,.1f}"


def _quota(found: Forecast) -> str:
    if isinf(found.fit.allowed):
        return "no quota"
    windows = ", ".join(map(str, found.quota.windows))
    kept = f", {found.quota.reserve:.0%} in reserve" if found.quota.reserve else ""
    return f"{windows}{kept}: {found.fit.allowed:,.0f} requests a day"


def _conclusion(found: Forecast) -> Iterator[str]:
    fit = found.fit
    if found.unknown:
        names = "all" if len(found.unknown) == len(found.lines) else ", ".join(found.unknown)
        yield f"Unknown: {names}. How many pages a list has is known after its first sync."
        if names == "all":
            return
    if unread := sum(line.unread for line in found.lines if line.requests is not None):
        yield f"{unread:,} lists were never synced; each counts as the mean of its asset's others."
    for line in found.short_pages:
        came = f"{line.rows_a_page} rows a page came where {found.page_size} are wanted"
        yield f"{found.source}/{line.resource}: {came}."
    share = "" if isinf(fit.allowed) else f", {fit.share:.0%} of the quota"
    least = "At least " if found.unknown else ""
    yield (
        f"{least}{fit.requests:,.0f} requests a day{share}. All tables take "
        f"{_minutes(fit.tables_seconds)}, the live partitions {_minutes(fit.partitions_seconds)}, "
        f"a full sync {_minutes(found.full_seconds)}."
    )
    if found.fits:
        yield "The plan fits, as far as is known." if found.unknown else "The plan fits."
        return
    yield f"The plan does not fit: {'; '.join(fit.problems)}."
    yield from _best(found)


def _best(found: Forecast) -> Iterator[str]:
    best = found.best
    if best is None:
        yield "No plan fits that reads each list at least once a month."
        return
    yield f"The best plan that fits asks for {best.requests:,.0f} a day, {best.share:.0%}:"
    for name, value in advice(found.source, found.fit, best).items():
        yield f'{name}="{value}"' if " " in value else f"{name}={value}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:,.1f} min"


def _print(console: Console, text: str, style: str | None) -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
