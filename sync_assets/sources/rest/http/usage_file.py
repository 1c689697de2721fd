"""Shares the usage of an account between the processes of a machine, in a small file.

The file may hold anything: be cut off, come from another version, or belong to another user. Then
it is written anew, with a message; if that fails, this process keeps to the rate by itself.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any

import orjson
from filelock import FileLock, Timeout

from sync_assets.base import stop
from sync_assets.base.folders import own_folder
from sync_assets.sources.rest.http.usage import Usage

#: Seconds that a rest may last at most: what a file says beyond it nobody has written.
LONGEST_SECONDS = 86_400.0
SHARED = ("sent", "flying", "paused_until", "left", "left_until")
BOOT = Path("/proc/sys/kernel/random/boot_id")


class SharedUsage(Usage):
    """The usage of an account by all processes of this user on this machine."""

    def __init__(self, account: str) -> None:
        super().__init__()
        self._file = file_of(account)
        self._lock = FileLock(f"{self._file}.lock")
        self._is_shared = True
        self._stop = stop.current()

    @contextmanager
    def held(self) -> Iterator[Usage]:
        """Hold the usage as the last process left it; changes in the block are saved."""
        if not (self._is_shared and self._taken()):
            yield self
            return
        try:
            before = self._content() if self._read() else None
            yield self
            if (content := self._content()) != before:
                self._write(content)
        finally:
            self._lock.release()

    def is_empty(self) -> bool:
        """Whether no process has written the file yet, checked without a lock."""
        return self._is_shared and not self._file.exists()

    def _taken(self) -> bool:
        while True:
            self._stop.check()
            try:
                self._lock.acquire(timeout=1.0)
                return True
            except Timeout:
                continue
            except (OSError, NotImplementedError) as error:  # filelock 3: no flock on this disk
                self._keep_alone(error)
                return False

    def _read(self) -> bool:
        """Read the file; return whether it is valid or does not exist yet."""
        try:
            content = self._file.read_bytes()
        except FileNotFoundError:
            self._take(Usage())
        except OSError as error:
            return self._begin_anew(error)
        else:
            try:
                self._take(_usage(content))
            except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
                return self._begin_anew(error)
        return True

    def _begin_anew(self, error: Exception) -> bool:
        self._take(Usage())
        what = type(error).__name__
        self.messages.append(f"{self._file} held no requests of ours ({what}): it is made anew")
        return False

    def _take(self, other: Usage) -> None:
        for name in SHARED:
            setattr(self, name, getattr(other, name))

    def _content(self) -> dict[str, Any]:
        return {
            "sent": list(self.sent),
            "flying": list(self.flying),
            "paused_until": self.paused_until,
            "left": None if self.left == inf else self.left,
            "left_until": self.left_until,
        }

    def _write(self, content: dict[str, Any]) -> None:
        fresh = self._file.with_suffix(".new")
        try:
            for place in (fresh, self._file):
                if place.is_dir():
                    place.rename(f"{place}.{time.time_ns()}")
            fresh.write_bytes(orjson.dumps({"at": time.monotonic(), "boot": _boot(), **content}))
            fresh.replace(self._file)
        except OSError as error:
            self._keep_alone(error)

    def _keep_alone(self, error: Exception) -> None:
        self._is_shared = False
        self.messages.append(
            f"{self._file} cannot be used: {error}. Other processes do not see what this one asks "
            "for, and the rate holds for each by itself. Remove the file, or set TMPDIR."
        )


def file_of(account: str) -> Path:
    """Return the file of an account; its name is a digest, which reveals no secret."""
    return own_folder("rate") / f"{hashlib.sha256(account.encode()).hexdigest()[:20]}.json"


def _usage(content: bytes) -> Usage:
    """Parse the content of a file; empty if it is from before the machine's last start.

    Raises `ValueError` or a similar error if it is not ours. Times in the future are ignored.
    """
    stored, now = json.loads(content), time.monotonic()
    at, paused_until = float(stored["at"]), float(stored["paused_until"])
    sent, flying = (
        sorted(moment for moment in map(float, stored.get(name, ())) if moment <= now)
        for name in ("sent", "flying")
    )
    left, left_until = stored.get("left"), float(stored.get("left_until", 0))
    if not at <= now or stored.get("boot", _boot()) != _boot():
        return Usage()
    if not paused_until <= now + LONGEST_SECONDS:
        paused_until = 0.0
    if left is None or not left_until <= now + LONGEST_SECONDS:
        left, left_until = inf, 0.0
    return Usage(deque(sent), flying, paused_until, float(left), left_until)


@lru_cache
def _boot() -> str:
    try:
        return BOOT.read_text().strip()
    except OSError:  # not Linux: the clock alone tells
        return ""
