"""What an account was sent in the last minute: told from process to process by a small file."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from sync_assets.sources.rest.errors import ConfigurationError


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
        self._file = _own_folder() / f"{name}.json"
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


def _own_folder() -> Path:
    """A folder that no other user may have made."""
    folder = Path(tempfile.gettempdir()) / f"sync_assets-rate-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.lstat()
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be made: {error}. Set TMPDIR.") from error
    if owner.st_uid != os.getuid() or folder.is_symlink():
        raise ConfigurationError(f"{folder} belongs to somebody else. Remove it, or set TMPDIR.")
    return folder
