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


_signal = threading.Event()
_abortables: WeakSet[Abortable] = WeakSet()
_depth = 0


def request_stop() -> None:
    """End all waits, and all answers that are waited for."""
    _signal.set()
    for abortable in list(_abortables):
        abortable.abort()


def check() -> None:
    """Raise `Stopped` once a stop was requested."""
    if _signal.is_set():
        raise Stopped


def wait(seconds: float) -> None:
    """Sleep for so many seconds; raises `Stopped` as soon as a stop is requested."""
    if _signal.wait(min(max(seconds, 0.0), threading.TIMEOUT_MAX)):
        raise Stopped


def abort_on_stop(abortable: Abortable) -> None:
    """Let `request_stop` abort an object, for as long as it lives."""
    _abortables.add(abortable)


@contextmanager
def stoppable() -> Iterator[None]:
    """Request a stop on SIGINT and SIGTERM in this block, then do what they did before.

    Where they would have ended the process without a word, `Stopped` is raised instead, so that
    scratch folders and locks are given back. A block in another thread than the main one, which
    signals never reach, is left alone.
    """
    global _depth
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def stop(number: int, frame: FrameType | None) -> None:
        request_stop()
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
            _signal.clear()
