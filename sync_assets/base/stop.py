"""One stop signal for everything that waits: Ctrl-C and SIGTERM end a sync within seconds.

Python tells the main thread alone of a signal, and not before a call of a driver returns. So a
thread listens too. Lists are read in a pool of threads: each of them sees the stop before its next
request and in the middle of every wait.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Seconds between two requests, as one call follows another, and that the last one may take.
REQUEST_EVERY_SECONDS, REQUEST_TIMEOUT_SECONDS = 0.1, 2.0


class Stopped(KeyboardInterrupt):
    """The sync is to stop; it is nobody's failure, so that no list is recorded as failed."""

    def __init__(self, signal_code: int = signal.SIGINT) -> None:
        super().__init__("stopped")
        self.signal_code = signal_code


class Abortable(Protocol):
    """What may be blocked in a call that no event ends."""

    def abort(self) -> None:
        """End such calls; called again and again, also in a signal handler."""


class Living(Generic[T]):
    """Objects for as long as they live; any thread may add some while another looks at them."""

    def __init__(self) -> None:
        self._objects: WeakValueDictionary[int, T] = WeakValueDictionary()

    def add(self, item: T) -> None:
        """Take one more."""
        self._objects[id(item)] = item

    def now(self) -> list[T]:
        """Those that live."""
        found = (reference() for reference in self._objects.valuerefs())
        return [item for item in found if item is not None]


class StopSignal:
    """Whether a sync is to stop; whoever was made for it keeps it, also when the next one began."""

    def __init__(self) -> None:
        self._event, self._number = threading.Event(), int(signal.SIGINT)
        self._abortables: Living[Abortable] = Living()

    @property
    def is_requested(self) -> bool:
        """Whether the sync is to stop."""
        return self._event.is_set()

    @property
    def stopped(self) -> Stopped:
        """What to raise after a stop."""
        return Stopped(self._number)

    def request(self, number: int = signal.SIGINT) -> None:
        """End all waits, and all calls that are blocked now, because of a signal."""
        self._number = number
        self._event.set()
        for abortable in self._abortables.now():
            abortable.abort()

    def check(self) -> None:
        """Raise `Stopped` once a stop was requested."""
        if self.is_requested:
            raise self.stopped

    def wait(self, seconds: float) -> None:
        """Sleep for so many seconds; raises `Stopped` as soon as a stop is requested."""
        if self._event.wait(min(max(seconds, 0.0), threading.TIMEOUT_MAX)):
            raise self.stopped

    def aborts(self, abortable: Abortable) -> None:
        """Let a stop abort an object too, for as long as it lives."""
        self._abortables.add(abortable)


class _Listener:
    """A thread that hears of a signal at once, and requests the stop until it is closed.

    Raises `ValueError` in another thread than the main one.
    """

    def __init__(self, stop: StopSignal) -> None:
        self._stop, self._closed = stop, threading.Event()
        self._hears, self._tells = socket.socketpair()
        self._tells.setblocking(False)
        self._before = signal.set_wakeup_fd(self._tells.fileno(), warn_on_full_buffer=False)
        if self._before != -1:  # an event loop of somebody else hears of signals first
            signal.set_wakeup_fd(self._before)
        self._thread = threading.Thread(target=self._listen, name="stop", daemon=True)
        self._thread.start()

    def tell(self, number: int) -> None:
        """Say that a signal came."""
        with suppress(BlockingIOError):  # it was told often enough
            self._tells.send(bytes([number]))

    def close(self) -> None:
        """End the thread."""
        if self._before == -1:
            signal.set_wakeup_fd(-1)
        self._closed.set()
        self._tells.close()
        self._thread.join(REQUEST_TIMEOUT_SECONDS)
        self._hears.close()

    def _listen(self) -> None:
        while told := self._hears.recv(1):
            if told[0] in SIGNALS:
                break
        while told and not self._closed.is_set():
            self._stop.request(told[0])
            self._closed.wait(REQUEST_EVERY_SECONDS)


_current = StopSignal()
_is_stoppable = False


def current() -> StopSignal:
    """The signal of the sync that is under way in this process."""
    return _current


@contextmanager
def stoppable() -> Iterator[None]:
    """Request a stop on SIGINT and SIGTERM in this block, then do what they did before.

    Where they would have ended the process without a word, `Stopped` is raised instead, so that
    scratch folders and locks are given back. A block in another thread than the main one, which
    signals never reach, is left alone, and so is one within another.
    """
    global _current, _is_stoppable
    if _is_stoppable or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    listener = _Listener(_current)

    def stop(number: int, frame: FrameType | None) -> None:
        _current.request(number)
        listener.tell(number)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        else:
            raise Stopped(number)

    ours = [n for n, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    for number in ours:
        signal.signal(number, stop)
    _is_stoppable = True
    try:
        yield
    finally:
        _is_stoppable = False
        for number in ours:
            signal.signal(number, before[number])
        listener.close()
        _current = StopSignal()
