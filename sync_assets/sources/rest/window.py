"""What an account was sent in the last minute: told from process to process by a small file."""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from filelock import FileLock

from sync_assets.sources.rest.folders import own_folder


@dataclass
class Window:
    """The moments of requests and the end of a rest, on the clock that all processes share."""

    sent: deque[float] = field(default_factory=deque)
    paused_until: float = 0.0

    @contextmanager
    def held(self) -> Iterator[Window]:
        """The window of this process alone."""
        yield self


class SharedWindow(Window):
    """The same for all processes of this user on this machine that use one account."""

    def __init__(self, account: str) -> None:
        super().__init__()
        name = hashlib.sha256(account.encode()).hexdigest()[:20]
        self._file = own_folder("rate") / f"{name}.json"
        self._file_lock = FileLock(f"{self._file}.lock")

    @contextmanager
    def held(self) -> Iterator[Window]:
        """The window as the last process left it; what is changed in the block is kept."""
        with self._file_lock:
            told = json.loads(self._file.read_text()) if self._file.exists() else {}
            if told.get("at", 0.0) > time.monotonic():  # before the machine started anew
                told = {}
            self.sent = deque(told.get("sent", ()))
            self.paused_until = told.get("paused_until", 0.0)
            yield self
            fresh = self._file.with_suffix(".new")
            told = {
                "at": time.monotonic(),
                "sent": list(self.sent),
                "paused_until": self.paused_until,
            }
            fresh.write_text(json.dumps(told))
            fresh.replace(self._file)
