"""What a person sees of a headless sync: progress while it runs, a table when it is done."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.listing import Listing
from sync_assets.warehouse.progress import Progress


class Watcher:
    """Follows one source's sync: a live line on a terminal, plain lines otherwise."""

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
        self._progress = Progress(self._show, every=every)

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
        """Stop it; its last state stays on the screen."""
        self._progress.flush()
        self._bars.stop()

    def listing(self, listing: Listing) -> None:
        """Count a list."""
        self._progress.listing(listing)

    def say(self, message: str) -> None:
        """Print a line: a wait, and what is waited for."""
        self._console.print(f"{self._source}: {message}", markup=False, highlight=False)

    def _show(self, message: str) -> None:
        if self._console.is_terminal and not message.startswith("failed"):
            self._bars.update(self._task, description=f"{self._source}: {message}")
        else:
            self.say(message)


def print_report(console: Console, journals: dict[str, Journal]) -> None:
    """The closing table, a row for each asset, and every failure below it."""
    if not journals:
        return
    table = Table("asset", box=None, pad_edge=False)
    for figure in ("partitions", "rows", "requests", "seconds", "failures"):
        table.add_column(figure, justify="right")
    for source, journal in journals.items():
        by_resource: dict[str, list[Listing]] = {}
        for listing in journal.listings.values():
            by_resource.setdefault(listing.resource, []).append(listing)
        for resource, listings in sorted(by_resource.items()):
            table.add_row(f"{source}/{resource}", *_figures(listings))
    console.print(table)
    for journal in journals.values():
        for listing in journal.failed():
            console.print(f"failed: {listing.error}", style="red", markup=False, soft_wrap=True)


def _figures(listings: list[Listing]) -> list[str]:
    partitioned = [listing for listing in listings if listing.parent is not None]
    first = min(listing.started for listing in listings)
    last = max(listing.started + listing.seconds for listing in listings)
    return [
        f"{len(partitioned):,}" if partitioned else "-",
        f"{sum(item.rows for item in listings if item.error is None):,}",
        f"{sum(item.requests for item in listings):,}",
        f"{last - first:.1f}",
        f"{sum(item.error is not None for item in listings)}",
    ]
