"""Sends the requests of one API within its rate limit, over connections that a stop closes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from socket import SHUT_RDWR
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import ConnectionPool, HTTPConnectionPool

from sync_assets.base.stop import Living
from sync_assets.sources.rest.http.body_deadline import BodyDeadline
from sync_assets.sources.rest.http.gate import Gate
from sync_assets.sources.rest.http.rate_limiter import RateLimiter
from sync_assets.sources.rest.list_result import ListResult


class RateLimitedAdapter(HTTPAdapter):
    """Sends requests as the rate limiter allows, and reads each body before it frees the slot.


    From its page `long_from` on a list leaves room in the quota for others.
    """

    def __init__(
        self, rate_limiter: RateLimiter, connections: int, patience: float, long_from: float = inf
    ) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections)
        self.long_from = long_from
        self.rate_limiter, self.patience, self.gate = rate_limiter, BodyDeadline(patience), Gate()
        self.environment: dict[str, Any] | None = None
        self._pool: ConnectionPool | None = None
        self._connections: Living[HTTPConnection] = Living()
        rate_limiter.stop.aborts(self)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> ConnectionPool:
        """Return the pool of the one origin, looked up once: requests reads the disk to find it."""
        if self._pool is None:
            pool = super().get_connection_with_tls_context(*args, **kwargs)
            if isinstance(pool, HTTPConnectionPool):
                pool.ConnectionCls = _remembered(pool.ConnectionCls, self._connections)
            self._pool = pool
        return self._pool

    def abort(self) -> None:
        """Close all connections, also those that wait for a response."""
        for connection in self._connections.now():
            if connection.sock is not None:
                with suppress(OSError):  # it was closed just now
                    connection.sock.shutdown(SHUT_RDWR)

    def send(  # type: ignore[override]  # requests types its keywords one by one
        self,
        request: PreparedRequest,
        *,
        listing: ListResult,
        say: Callable[[str], None],
        **kwargs: Any,
    ) -> Response:
        """Send one request and read its whole body while the slot is held."""
        is_long = listing.pages >= self.long_from and not listing.is_head
        with self.rate_limiter.request(self.gate.check, say, leaves_room=is_long) as waited:
            listing.requests += 1
            listing.waited += waited
            began = time.monotonic()
            response = super().send(request, **{**kwargs, "stream": True})
            self.rate_limiter.heed(response.headers)
            with self.patience.with_body_of(response):
                size = len(response.content)
        listing.bytes += size
        listing.request_seconds += time.monotonic() - began
        return response


def _remembered(kind: Any, connections: Living[HTTPConnection]) -> Any:
    """Return a connection class whose instances add themselves to a set when they open."""

    class Remembered(kind):  # type: ignore[misc]  # which kind it is the pool decides
        def connect(self) -> None:
            super().connect()
            connections.add(self)

    return Remembered
