"""How requests of one API are sent: within its rate limit, over connections that a stop ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any
from weakref import WeakSet

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import ConnectionPool, HTTPConnectionPool

from sync_assets.sources.rest.http.body_deadline import BodyDeadline
from sync_assets.sources.rest.http.gate import Gate
from sync_assets.sources.rest.http.rate_limiter import RateLimiter
from sync_assets.sources.rest.list_result import ListResult


class RateLimitedAdapter(HTTPAdapter):
    """Sends requests as an API's rate limiter allows and reads each body before the next may go."""

    def __init__(self, rate_limiter: RateLimiter, connections: int, patience: float) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections)
        self.rate_limiter, self.patience, self.gate = rate_limiter, BodyDeadline(patience), Gate()
        self.environment: dict[str, Any] | None = None
        self._pool: ConnectionPool | None = None
        self._connections: WeakSet[HTTPConnection] = WeakSet()
        rate_limiter.stop.aborts(self)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> ConnectionPool:
        """The pool of the one origin, looked up once: requests reads the disk to find it."""
        if self._pool is None:
            pool = super().get_connection_with_tls_context(*args, **kwargs)
            if isinstance(pool, HTTPConnectionPool):
                pool.ConnectionCls = _remembered(pool.ConnectionCls, self._connections)
            self._pool = pool
        return self._pool

    def abort(self) -> None:
        """Close the connections under whoever waits for an answer."""
        for connection in list(self._connections):
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
        """Send one request; the whole body arrives while the slot is held."""
        with self.rate_limiter.request(self.gate.check, say) as waited:
            listing.requests += 1
            listing.waited += waited
            response = super().send(request, **{**kwargs, "stream": True})
            self.rate_limiter.heed(response.headers)
            with self.patience.with_body_of(response):
                size = len(response.content)
        listing.bytes += size
        return response


def _remembered(kind: Any, connections: WeakSet[HTTPConnection]) -> Any:
    """A kind of connection that is in a set from the moment on at which it is open."""

    class Remembered(kind):  # type: ignore[misc]  # which kind it is the pool decides
        def connect(self) -> None:
            super().connect()
            connections.add(self)

    return Remembered


class Counting(HTTPAdapter):
    """An adapter bound to the listing that its requests count for, and to who is told of waits.

    `kept` gives the page of a request that need not be sent.
    """

    def __init__(
        self,
        adapter: RateLimitedAdapter,
        listing: ListResult,
        say: Callable[[str], None],
        kept: Callable[[PreparedRequest], Response | None],
    ) -> None:
        self.adapter, self.listing, self.say, self.kept = adapter, listing, say, kept

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:  # type: ignore[override]
        """Send one request on behalf of the listing."""
        if (page := self.kept(request)) is not None:
            return page
        return self.adapter.send(request, listing=self.listing, say=self.say, **kwargs)
