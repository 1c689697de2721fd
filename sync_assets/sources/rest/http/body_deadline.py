"""Ends bodies that never end: the read timeout of requests restarts with each byte."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket

from requests import Response

LOOKS = 20


class BodyDeadline:
    """Cuts off responses that take longer than `seconds`; one thread watches all of them."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._open: dict[socket, float] = {}
        self._lock = threading.Lock()
        self._watching = False

    @contextmanager
    def with_body_of(self, response: Response) -> Iterator[None]:
        """Watch while the body of a response arrives; shut its socket down when time is up."""
        connection = response.raw.connection
        sock = connection.sock if connection is not None else None
        if sock is None:  # the whole body has arrived
            yield
            return
        self._watch(sock)
        try:
            yield
        finally:
            with self._lock:
                self._open.pop(sock, None)

    def _watch(self, sock: socket) -> None:
        with self._lock:
            self._open[sock] = time.monotonic() + self.seconds
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._look, name="patience", daemon=True).start()

    def _look(self) -> None:
        while True:
            time.sleep(min(1.0, self.seconds / LOOKS))
            with self._lock:
                now = time.monotonic()
                for sock in [sock for sock, end in self._open.items() if now > end]:
                    del self._open[sock]
                    with suppress(OSError):  # it was closed just now
                        sock.shutdown(SHUT_RDWR)
                if not self._open:
                    self._watching = False
                    return
