"""One stop signal for everything that waits: Ctrl-C and SIGTERM end a sync within seconds.

Signals reach the main thread alone, while lists are read in a pool of threads: each of them sees
the signal before its next request and in the middle of every wait.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol
from weakref import WeakSet

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """The sync is to stop; it is nobody's failure, so that no list is recorded as failed."""

    def __init__(self, signal_code: int = signal.SIGINT) -> None:
        super().__init__("stopped")
        self.signal_code = signal_code


class Abortable(Protocol):
    """What may be blocked in a system call that no event ends."""

    def abort(self) -> None:
        """End such calls; called in a signal handler, so it must not wait."""


class StopSignal:
    """Whether a sync is to stop; whoever was made for it keeps it, also when the next one began."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._abortables: WeakSet[Abortable] = WeakSet()

    def request(self) -> None:
        """End all waits, and all answers that are waited for."""
        self._event.set()
        for abortable in list(self._abortables):
            abortable.abort()

    def check(self) -> None:
        """Raise `Stopped` once a stop was requested."""
        if self._event.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Sleep for so many seconds; raises `Stopped` as soon as a stop is requested."""
        if self._event.wait(min(max(seconds, 0.0), threading.TIMEOUT_MAX)):
            raise Stopped

    def aborts(self, abortable: Abortable) -> None:
        """Let a request abort an object too, for as long as it lives."""
        self._abortables.add(abortable)


_current = StopSignal()
_depth = 0


def current() -> StopSignal:
    """The signal of the sync that is under way in this process."""
    return _current


@contextmanager
def stoppable() -> Iterator[None]:
    """Request a stop on SIGINT and SIGTERM in this block, then do what they did before.

    Where they would have ended the process without a word, `Stopped` is raised instead, so that
    scratch folders and locks are given back. A block in another thread than the main one, which
    signals never reach, is left alone.
    """
    global _current, _depth
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def stop(number: int, frame: FrameType | None) -> None:
        _current.request()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        else:
            raise Stopped(number)

    ours = [n for n, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    for number in ours:
        signal.signal(number, stop)
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        for number in ours:
            signal.signal(number, before[number])
        if not _depth:
            _current = StopSignal()
