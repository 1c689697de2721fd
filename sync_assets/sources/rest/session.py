"""One list's HTTP session: retries, waits and the promise that nothing leaves the API's origin."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakSet

from requests import PreparedRequest, Request, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, Timeout
from requests.exceptions import ConnectionError as ConnectionFailed
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import ConnectionPool, HTTPConnectionPool

from sync_assets.sources.rest.courtesy import Courtesy
from sync_assets.sources.rest.errors import (
    RefusedError,
    ResponseError,
    RestError,
    TransientError,
    brief,
)
from sync_assets.sources.rest.gate import Gate
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.patience import Patience
from sync_assets.sources.rest.proxies import environment
from sync_assets.sources.rest.retries import Retries, jittered

if TYPE_CHECKING:
    from sync_assets.sources.rest.api import Connection

TRANSIENT = (ConnectionFailed, Timeout, ChunkedEncodingError, ContentDecodingError, TransientError)


class CourteousAdapter(HTTPAdapter):
    """Sends requests as an API's courtesy allows and reads each body before the next may go."""

    def __init__(self, courtesy: Courtesy, connections: int, patience: float) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections)
        self.courtesy, self.patience, self.gate = courtesy, Patience(patience), Gate()
        self.environment: dict[str, Any] | None = None
        self._pool: ConnectionPool | None = None
        self._connections: WeakSet[HTTPConnection] = WeakSet()
        courtesy.stop.aborts(self)

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
        self, request: PreparedRequest, listing: Listing | None = None, **kwargs: Any
    ) -> Response:
        """Send one request; the whole body arrives while the slot is held."""
        with self.courtesy.request(self.gate.check) as waited:
            if listing is not None:
                listing.requests += 1
                listing.waited += waited
            response = super().send(request, **{**kwargs, "stream": True})
            with self.patience.with_body_of(response):
                size = len(response.content)
        if listing is not None:
            listing.bytes += size
        return response


def _remembered(kind: Any, connections: WeakSet[HTTPConnection]) -> Any:
    """A kind of connection that is in a set from the moment on at which it is open."""

    class Remembered(kind):  # type: ignore[misc]  # which kind it is the pool decides
        def connect(self) -> None:
            super().connect()
            connections.add(self)

    return Remembered


class ListSession(Session):
    """The session of one list: counts into its listing, retries, never leaves the origin.

    It reads no `.netrc`: what is configured is sent, or nothing.
    """

    def __init__(
        self,
        connection: Connection,
        listing: Listing,
        parent: str | None,
        on_wait: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.trust_env = False
        self.connection = connection
        self.adapter, self.gate = connection.adapter, connection.adapter.gate
        self.listing, self.parent, self.on_wait = listing, parent, on_wait
        self.origin = origin(connection.base_url)

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request, again where that may help; each redirect passes here too."""
        if origin(request.url or "") != self.origin:
            raise ResponseError(
                f"the API sends us to another origin, {address(request.url)}; credentials stay "
                f"at {address(self.connection.base_url)}. If the move is genuine, change the base "
                "URL."
            )
        kwargs["timeout"] = self.connection.settings.timeout
        if not kwargs.get("allow_redirects", True):  # requests follows a redirect
            return super().send(request, **kwargs)
        retries = Retries(self.connection.settings, self.gate)
        while True:
            try:
                response = super().send(request, **kwargs)
                self.gate.answered()
                return response
            except RefusedError as error:
                self._refused(error)
                raise
            except TRANSIENT as error:
                self._rest(error, retries)
            finally:
                for news in self.adapter.courtesy.news():
                    self.on_wait(news)

    def merge_environment_settings(self, *args: Any) -> Any:
        """Proxies and certificates for the one origin, looked up once: that takes a while."""
        if self.adapter.environment is None:
            self.adapter.environment = environment(self.connection.base_url)
        return dict(self.adapter.environment)

    def get_adapter(self, url: str) -> HTTPAdapter:
        """The API's one adapter, counting for this list."""
        return _Counting(self.adapter, self.listing)

    def _rest(self, error: Exception, retries: Retries) -> None:
        """Wait until the request may be sent again; the others wait too where the API asks."""
        shared = isinstance(error, TransientError) and (error.too_many or error.retry_after)
        try:
            seconds = retries.pause(error)
        except RestError as rest:
            self.adapter.courtesy.pause(rest.seconds)
            raise
        if shared and seconds:
            self.adapter.courtesy.pause(seconds)
        seconds = jittered(seconds)
        self.listing.retries += 1
        self.listing.waited += seconds
        self.on_wait(f"{self.listing.name}: {brief(error)}; asking again in {seconds:.1f} s")
        self.adapter.courtesy.stop.wait(seconds)

    def _refused(self, error: RefusedError) -> None:
        of = (self.listing.resource, self.parent)
        if said := self.gate.refused(error, of, self._witness):
            self.on_wait(said)

    def _witness(self) -> bool:
        """Whether the credential may read a list that has no parent."""
        base_url, auth = self.connection.base_url, self.connection.auth
        asked = self.connection.witness
        request = Request(
            "GET", base_url + asked.path, headers=asked.headers, params=asked.params, auth=auth
        )
        try:
            sent = self.prepare_request(request)
            timeout = self.connection.settings.timeout
            return (
                super()
                .send(
                    sent,
                    timeout=timeout,
                    allow_redirects=False,
                    **self.merge_environment_settings(),
                )
                .ok
            )
        except (RequestException, ResponseError):
            return False


class _Counting(HTTPAdapter):
    """An adapter bound to the listing that its requests count for."""

    def __init__(self, adapter: CourteousAdapter, listing: Listing) -> None:
        self.adapter, self.listing = adapter, listing

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:  # type: ignore[override]
        return self.adapter.send(request, listing=self.listing, **kwargs)


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of a URL, the default port filled in."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


def address(url: str | None) -> str:
    """A URL fit for messages: without user, password, query and fragment."""
    parts = urlsplit(url or "")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
