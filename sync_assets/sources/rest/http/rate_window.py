"""What an account was sent in the last minute: told from process to process by a small file.

The file may be anything: cut off by a power cut, of another version, somebody else's folder. Then
it is made anew, and that is said; where it cannot be, this process keeps to the rate alone.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from filelock import FileLock, Timeout

from sync_assets.base import stop
from sync_assets.base.folders import own_folder

#: Seconds that a rest may last at most: what a file says beyond it nobody has written.
LONGEST = 86_400.0
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass
class RateWindow:
    """The moments of requests and the end of a rest, on the clock that all processes share."""

    sent: deque[float] = field(default_factory=deque)
    paused_until: float = 0.0
    news: list[str] = field(default_factory=list)

    @contextmanager
    def held(self) -> Iterator[RateWindow]:
        """The window of this process alone."""
        yield self


class SharedRateWindow(RateWindow):
    """The same for all processes of this user on this machine that use one account."""

    def __init__(self, account: str) -> None:
        super().__init__()
        name = hashlib.sha256(account.encode()).hexdigest()[:20]
        self._file = own_folder("rate") / f"{name}.json"
        self._lock = FileLock(f"{self._file}.lock")
        self._is_shared = True
        self._stop = stop.current()

    @contextmanager
    def held(self) -> Iterator[RateWindow]:
        """The window as the last process left it; what is changed in the block is kept."""
        if not (self._is_shared and self._taken()):
            yield self
            return
        try:
            self._read()
            yield self
            self._write()
        finally:
            self._lock.release()

    def _taken(self) -> bool:
        while True:
            self._stop.check()
            try:
                self._lock.acquire(timeout=1.0)
                return True
            except Timeout:
                continue
            except (OSError, NotImplementedError) as error:
                self._keep_alone(error)
                return False

    def _read(self) -> None:
        try:
            self.sent, self.paused_until = _told(self._file.read_bytes())
        except FileNotFoundError:
            self.sent, self.paused_until = deque(), 0.0
        except (OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
            self.sent, self.paused_until = deque(), 0.0
            what = type(error).__name__
            self.news.append(f"{self._file} held no requests of ours ({what}): it is made anew")

    def _write(self) -> None:
        fresh = self._file.with_suffix(".new")
        told = {
            "at": time.monotonic(),
            "boot": _boot(),
            "sent": list(self.sent),
            "paused_until": self.paused_until,
        }
        try:
            for place in (fresh, self._file):
                if place.is_dir():
                    place.rename(f"{place}.{time.time_ns()}")
            fresh.write_text(json.dumps(told))
            fresh.replace(self._file)
        except OSError as error:
            self._keep_alone(error)

    def _keep_alone(self, error: Exception) -> None:
        self._is_shared = False
        self.news.append(
            f"{self._file} cannot be used: {error}. Other processes do not see what this one asks "
            "for, and the rate holds for each by itself. Remove the file, or set TMPDIR."
        )


def _told(content: bytes) -> tuple[deque[float], float]:
    """The requests and the rest that a file tells of; nothing of an earlier start of the machine.

    Raises where the file is not one of ours. What lies in the future nobody has seen.
    """
    told, now = json.loads(content), time.monotonic()
    at, paused_until = float(told["at"]), float(told["paused_until"])
    sent = deque(sorted(moment for moment in map(float, told["sent"]) if moment <= now))
    if not at <= now or told.get("boot", _boot()) != _boot():
        return deque(), 0.0
    return sent, paused_until if paused_until <= now + LONGEST else 0.0


@lru_cache
def _boot() -> str:
    try:
        return BOOT.read_text().strip()
    except OSError:  # not Linux: the clock alone tells
        return ""
