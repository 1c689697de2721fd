"""The quota that the sandbox enforces, its rate limit headers, and its page sizes."""

import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from threading import Lock

PAGE = 10
LARGEST_PAGE = 100
CURSORS = frozenset({"page", "next_cursor", "starting_after"})
PAGE_SIZES = ("honoured", "refused", "ignored", "lowered")


@dataclass(frozen=True)
class Manners:
    """The fixed windows of each API as (requests, seconds), and whether headers describe them.

    `page_sizes` says whether a `limit` is honoured, refused with 400 or 422, ignored (each page has
    ten rows), or lowered: then each page after the first has at most ten.
    """

    windows: tuple[tuple[int, float], ...] = ()
    headers: bool = True
    page_sizes: str = "honoured"

    def largest_page(self, query: Collection[str]) -> int:
        """The most rows of a page, by the parameters that ask for it."""
        lowered = self.page_sizes == "lowered" and not CURSORS.isdisjoint(query)
        return PAGE if lowered or self.page_sizes == "ignored" else LARGEST_PAGE


class Meter:
    """Counts the requests of each API in fixed windows, which begin with the clock."""

    def __init__(self, manners: Manners) -> None:
        self.refused = 0
        self._manners, self._lock = manners, Lock()
        self._counts: Counter[tuple[str, int, float, int]] = Counter()

    def admit(self, root: str) -> tuple[bool, list[tuple[bytes, bytes]]]:
        """Whether a request to an API is answered, and the headers that tell of its windows."""
        now, counts = time.time(), []
        with self._lock:
            for requests, seconds in self._manners.windows:
                key = (root, requests, seconds, int(now // seconds))
                self._counts[key] += 1
                counts.append((requests - self._counts[key], requests, seconds - now % seconds))
            admitted = all(left >= 0 for left, _, _ in counts)
            self.refused += not admitted
        return admitted, self._headers(counts, admitted=admitted)

    def _headers(
        self, counts: list[tuple[int, int, float]], *, admitted: bool
    ) -> list[tuple[bytes, bytes]]:
        if not counts or not self._manners.headers:
            return []
        left, limit, reset = min(counts)
        found = {"Limit": limit, "Remaining": max(0, left), "Reset": int(reset) + 1}
        lines = {f"X-Rate-Limit-{name}": str(value) for name, value in found.items()}
        if not admitted:
            lines["Retry-After"] = str(int(reset) + 1)
        return [(name.lower().encode(), value.encode()) for name, value in lines.items()]
