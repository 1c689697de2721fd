"""What the days of a box office came to, as a table in Markdown."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from itertools import pairwise

from sync_assets_tests.benchmark.million.office_day import PROVEN, QUOTA, WINDOW, OfficeDay

LONG = "sweeps of the long lists"
HIDDEN_WORDS = {
    "edit": "old rows that were edited",
    "delete": "old rows that were deleted",
    "stray": "rows that came elsewhere",
}


class Figures:
    """The figures of days that were played since a moment."""

    def __init__(self, day: OfficeDay, since: float) -> None:
        self.day, self.since = day, since
        self.seconds = day.clock.now - since

    @property
    def shares(self) -> dict[str, float]:
        """The part of the quota, reserve and all, that each kind of read took."""
        spent: dict[str, float] = {LONG: 0, "heads": 0, "the other lists": 0}
        for name, requests in self.day.spent.items():
            kind = LONG if name in self.day.office.lists else "the other lists"
            spent["heads" if name == "heads" else kind] += requests
        quota = QUOTA / WINDOW * self.seconds
        return {kind: requests / quota for kind, requests in spent.items()}

    @property
    def slowest(self) -> float:
        """The most seconds until a row that came to the front was shown."""
        waiting = [self.day.clock.now - one.at for one in self.day.ledger.hidden("front")]
        return max([*self.day.ledger.lags["front"], *waiting])

    @property
    def between_proofs(self) -> float:
        """The most hours between the beginnings of two sweeps of a list."""
        begun = [[at for at, _ in proofs] for proofs in self.day.ledger.proofs.values()]
        return max(after - before for at in begun for before, after in pairwise(at)) / 3600

    @property
    def oldest_proof(self) -> float:
        """The most hours that a proof was old when the next one was loaded."""
        return (
            max(
                loaded - before
                for proofs in self.day.ledger.proofs.values()
                for (before, _), (_, loaded) in pairwise(proofs)
            )
            / 3600
        )

    @property
    def overlooked(self) -> int:
        """How much of what happened before the last proof of its list was not shown."""
        ledger = self.day.ledger
        return sum(
            one.at < ledger.proofs[name][-1][0]
            for name, lived in ledger.office.lists.items()
            for one in lived.happened
        )

    def rows(self) -> Iterator[str]:
        """The lines of the table."""
        ledger, day = self.day.ledger, self.day
        rows = sum(lived.rows for lived in ledger.office.lists.values())
        yield f"| rows; hours on the clock | {rows:,}; {self.seconds / 3600:.1f} |"
        yield f"| rows that came to the front | {len(ledger.lags['front']):,} |"
        yield f"| longest time until one was in the warehouse | {self.slowest / 60:.1f} min |"
        yield f"| sweeps; longest time between two | {self._proofs}; {self.between_proofs:.1f} h |"
        yield f"| oldest proof, of {PROVEN * day.scale:g} h promised | {self.oldest_proof:.1f} h |"
        yield f"| rows that differed from the list at a proof | {ledger.differences} |"
        for kind, what in HIDDEN_WORDS.items():
            lags = ledger.lags[kind]
            yield f"| {what}: found; after at most | {len(lags)}; {max(lags) / 3600:.1f} h |"
        counted = f"{ledger.counted['stray']}; {ledger.counted['delete']}"
        yield f"| counted by sweeps: missed by heads; deleted | {counted} |"
        yield f"| happened before a sweep and was not found by it | {self.overlooked} |"
        for kind, share in self.shares.items():
            yield f"| share of the quota: {kind} | {share:.2%} |"
        yield f"| share of the quota: together | {sum(self.shares.values()):.2%} |"
        yield f"| longest load, not on the clock | {day.loading:.0f} s |"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        yield f"| peak memory | {peak:,} MB |"

    @property
    def _proofs(self) -> int:
        """The sweeps of these days; the first proof of each list came before."""
        return sum(len(proofs) - 1 for proofs in self.day.ledger.proofs.values())
