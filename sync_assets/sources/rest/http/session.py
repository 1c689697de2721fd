"""The HTTP session of one list: retries and waits, and sends nothing beyond the API's origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Request, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, Timeout
from requests.exceptions import ConnectionError as ConnectionFailed

from sync_assets.base.errors import (
    RefusedError,
    ResponseError,
    RestError,
    TransientError,
    brief,
)
from sync_assets.sources.rest.http.proxies import environment
from sync_assets.sources.rest.http.retries import Retries, jittered
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.observer import Observer

if TYPE_CHECKING:
    from sync_assets.sources.rest.account import Connection

TRANSIENT = (ConnectionFailed, Timeout, ChunkedEncodingError, ContentDecodingError, TransientError)


class ListSession(Session):
    """The session of one list: counts requests in its result, retries, and stays on the origin.

    It ignores `.netrc`: only the configured credential is sent.
    """

    def __init__(self, connection: Connection, listing: ListResult, observer: Observer) -> None:
        super().__init__()
        self.trust_env = False
        self.connection = connection
        self.adapter, self.gate = connection.adapter, connection.adapter.gate
        self.listing, self.observer = listing, observer
        self.origin = origin(connection.base_url)
        self.sender: HTTPAdapter = self.adapter

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request, with retries; each redirect passes here too."""
        if origin(request.url or "") != self.origin:
            raise ResponseError(
                f"the API sends us to another origin, {address(request.url)}; credentials stay "
                f"at {address(self.connection.base_url)}. If the move is genuine, change the base "
                "URL."
            )
        kwargs |= {
            "timeout": self.connection.settings.timeout,
            "listing": self.listing,
            "say": self.observer.say,
        }
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
                for message in self.adapter.rate_limiter.messages():
                    self.observer.say(message)

    def merge_environment_settings(self, *args: Any) -> Any:
        """Return proxies and certificates for the one origin, looked up once: that is slow."""
        if self.adapter.environment is None:
            self.adapter.environment = environment(self.connection.base_url)
        return dict(self.adapter.environment)

    def get_adapter(self, url: str) -> HTTPAdapter:
        """Return the API's one adapter, or the one that precedes it for this list."""
        return self.sender

    def _rest(self, error: Exception, retries: Retries) -> None:
        """Wait until the request may be sent again; hold back others too if the API asks for it."""
        shared = isinstance(error, TransientError) and (error.too_many or error.retry_after)
        try:
            seconds = retries.pause(error)
        except RestError as rest:
            self.adapter.rate_limiter.pause(rest.seconds)
            raise
        if shared and seconds:
            self.adapter.rate_limiter.pause(seconds)
        seconds = jittered(seconds)
        self.listing.retries += 1
        self.listing.waited += seconds
        self.observer.say(f"{self.listing.name}: {brief(error)}; asking again in {seconds:.1f} s")
        self.adapter.rate_limiter.stop.wait(seconds)

    def _refused(self, error: RefusedError) -> None:
        if said := self.gate.refused(error, self.listing.key, self._witness):
            self.observer.say(said)

    def _witness(self) -> bool:
        """Whether the credential may read a list without a parent."""
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
                    listing=self.listing,
                    say=self.observer.say,
                    **self.merge_environment_settings(),
                )
                .ok
            )
        except (RequestException, ResponseError):
            return False


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of a URL, with the default port filled in."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


def address(url: str | None) -> str:
    """Return a URL for messages: without user, password, query and fragment."""
    parts = urlsplit(url or "")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
