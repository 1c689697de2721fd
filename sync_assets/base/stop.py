"""One stop signal for everything that waits: Ctrl-C and SIGTERM end a sync within seconds.

Python notifies only the main thread of a signal, and not before a call of a driver returns, so a
second thread listens too. Lists are read in a pool of threads; each of them checks the signal
before its next request and during every wait.
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
    """The sync was asked to stop. No list counts as failed because of it."""

    def __init__(self, signal_code: int = signal.SIGINT) -> None:
        super().__init__("stopped")
        self.signal_code = signal_code


class Abortable(Protocol):
    """An object with a call that may block, such as a connection."""

    def abort(self) -> None:
        """End the calls that block; may be called several times, also in a signal handler."""


class Living(Generic[T]):
    """A thread-safe collection of objects that forgets those that are no longer referenced."""

    def __init__(self) -> None:
        self._objects: WeakValueDictionary[int, T] = WeakValueDictionary()

    def add(self, item: T) -> None:
        """Add an object."""
        self._objects[id(item)] = item

    def now(self) -> list[T]:
        """Return the objects that are still referenced."""
        found = (reference() for reference in self._objects.valuerefs())
        return [item for item in found if item is not None]


class StopSignal:
    """Whether a sync was asked to stop. Each sync has a signal of its own."""

    def __init__(self) -> None:
        self._event, self._number = threading.Event(), int(signal.SIGINT)
        self._abortables: Living[Abortable] = Living()

    @property
    def is_requested(self) -> bool:
        """Whether the sync was asked to stop."""
        return self._event.is_set()

    @property
    def stopped(self) -> Stopped:
        """Return the error to raise after a stop."""
        return Stopped(self._number)

    def request(self, number: int = signal.SIGINT) -> None:
        """End all waits and all blocked calls because of a signal."""
        self._number = number
        self._event.set()
        for abortable in self._abortables.now():
            abortable.abort()

    def check(self) -> None:
        """Raise `Stopped` if a stop was requested."""
        if self.is_requested:
            raise self.stopped

    def wait(self, seconds: float) -> None:
        """Sleep for so many seconds; raise `Stopped` as soon as a stop is requested."""
        if self._event.wait(min(max(seconds, 0.0), threading.TIMEOUT_MAX)):
            raise self.stopped

    def aborts(self, abortable: Abortable) -> None:
        """Let a stop also abort an object, as long as the object lives."""
        self._abortables.add(abortable)


class _Listener:
    """A thread that receives signals at once and requests the stop until it is closed.

    Raises `ValueError` outside of the main thread.
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
        """Notify the thread of a signal."""
        with suppress(BlockingIOError):  # the pipe is full: it has enough notices
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
        while received := self._hears.recv(1):
            if received[0] in SIGNALS:
                break
        while received and not self._closed.is_set():
            self._stop.request(received[0])
            self._closed.wait(REQUEST_EVERY_SECONDS)


_current = StopSignal()
_is_stoppable = False


def current() -> StopSignal:
    """Return the signal of the sync that runs in this process."""
    return _current


@contextmanager
def stoppable() -> Iterator[None]:
    """Request a stop on SIGINT and SIGTERM in this block, then do what they did before.

    If they would have ended the process at once, `Stopped` is raised instead, so that scratch
    folders and locks are released. A block outside of the main thread, which signals never reach,
    changes nothing, and neither does a nested block.
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
