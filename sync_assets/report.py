"""What `sync-assets` prints: progress while it runs, and a table when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.list_state import ListState
from sync_assets.sources.rest.observer import Observer
from sync_assets.warehouse.progress import Progress


class Watcher(Observer):
    """Shows the progress of one source: a live line on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console, source: str) -> None:
        self._console, self._source = console, source
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bars.add_task(f"{source}: reading", total=None)
        every = 0.1 if console.is_terminal else 10.0
        tally = self._show if console.is_terminal else self.say
        self._progress = Progress(self.say, tally, every=every)

    def __enter__(self) -> Watcher:
        """Start the display."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the display; its last state stays on the screen."""
        self._progress.flush()
        self._bars.stop()

    def listing(self, listing: ListResult) -> None:
        """Count a list."""
        self._progress.listing(listing)

    def page(self, state: ListState) -> None:
        """Say how far the long lists are."""
        self._progress.page(state)

    def say(self, message: str) -> None:
        """Print a line, such as a wait and its reason."""
        self._console.print(f"{self._source}: {message}", markup=False, highlight=False)

    def _show(self, message: str) -> None:
        self._bars.update(self._task, description=f"{self._source}: {message}")


WIDTH = 120  # characters: a narrower terminal breaks lines, a log holds them whole
FIGURES = ("partitions", "rows", "quarantined", "left out", "requests", "seconds", "failures")


def print_report(console: Console, results: dict[str, SyncResult]) -> None:
    """Print a table with a row for each asset and a total, and below it what failed."""
    if not results:
        return
    table = Table("asset", box=None, pad_edge=False)
    for figure in FIGURES:
        table.add_column(figure, justify="right")
    assets = {name: listings for name, listings in _by_asset(results) if listings}
    for name, listings in assets.items():
        table.add_row(name, *_figures(listings))
    everything = [listing for listings in assets.values() for listing in listings]
    if everything:
        table.add_row("total", "-", *_figures(everything)[1:], style="bold")
    console.width = max(console.width, WIDTH)
    console.print(table, crop=False)
    for name, listings in assets.items():
        if line := _quarantine(listings):
            _print(console, f"quarantined: {name}: {line}", "yellow")
    for listing in everything:
        if listing.error is not None:
            _print(console, f"failed: {listing.error}", "red")


def _by_asset(results: dict[str, SyncResult]) -> Iterator[tuple[str, list[ListResult]]]:
    for source, result in results.items():
        by_resource: dict[str, list[ListResult]] = {}
        for listing in result.listings.values():
            by_resource.setdefault(listing.resource, []).append(listing)
        for resource, listings in sorted(by_resource.items()):
            yield f"{source}/{resource}", listings


def _figures(listings: list[ListResult]) -> list[str]:
    partitioned = [listing for listing in listings if listing.parent is not None]
    complete = [listing for listing in listings if listing.error is None]
    first = min(listing.started for listing in listings)
    last = max(listing.started + listing.seconds for listing in listings)
    return [
        f"{len(partitioned):,}" if partitioned else "-",
        f"{sum(item.rows for item in complete):,}",
        f"{sum(item.quarantined for item in complete):,}",
        f"{sum(item.left_out for item in complete):,}",
        f"{sum(item.requests for item in listings):,}",
        f"{last - first:.1f}",
        f"{len(listings) - len(complete)}",
    ]


def _quarantine(listings: list[ListResult]) -> str | None:
    """Return how many records are not as declared, and the first reason."""
    odd = [listing for listing in listings if listing.quarantined and listing.error is None]
    if not odd:
        return None
    records, left_out = (sum(getattr(x, n) for x in odd) for n in ("quarantined", "left_out"))
    first = odd[0].problems[0].reason if odd[0].problems else "too large to be kept"
    return (
        f"{records:,} records are not as declared, {left_out:,} of them have no row; the table "
        f"_quarantine has them. First, {odd[0].name}: {first}"
    )


def _print(console: Console, text: str, style: str) -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
