"""How hard the sandbox may be asked, what it says of that, and what it makes of a page size."""

import time
from collections import Counter
from dataclasses import dataclass
from threading import Lock

PAGE = 10
PAGE_SIZES = ("honoured", "refused", "ignored")


@dataclass(frozen=True)
class Manners:
    """Windows as (requests, seconds), fixed ones of each API; whether headers tell of them.

    `page_sizes` says whether a `limit` is honoured, refused with 400 or 422, or ignored: then
    each page has ten rows.
    """

    windows: tuple[tuple[int, float], ...] = ()
    headers: bool = True
    page_sizes: str = "honoured"


class Meter:
    """Counts the requests of each API in fixed windows, which begin with the clock."""

    def __init__(self, manners: Manners) -> None:
        self.refused = 0
        self._manners, self._lock = manners, Lock()
        self._counts: Counter[tuple[str, int, float, int]] = Counter()

    def admit(self, root: str) -> tuple[bool, list[tuple[bytes, bytes]]]:
        """Whether a request to an API is answered, and the headers that tell of its windows."""
        now, told = time.time(), []
        with self._lock:
            for requests, seconds in self._manners.windows:
                key = (root, requests, seconds, int(now // seconds))
                self._counts[key] += 1
                told.append((requests - self._counts[key], requests, seconds - now % seconds))
            admitted = all(left >= 0 for left, _, _ in told)
            self.refused += not admitted
        return admitted, self._headers(told, admitted=admitted)

    def _headers(
        self, told: list[tuple[int, int, float]], *, admitted: bool
    ) -> list[tuple[bytes, bytes]]:
        if not told or not self._manners.headers:
            return []
        left, limit, reset = min(told)
        found = {"Limit": limit, "Remaining": max(0, left), "Reset": int(reset) + 1}
        lines = {f"X-Rate-Limit-{name}": str(value) for name, value in found.items()}
        if not admitted:
            lines["Retry-After"] = str(int(reset) + 1)
        return [(name.lower().encode(), value.encode()) for name, value in lines.items()]
