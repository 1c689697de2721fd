"""One list's HTTP session: retries, waits and the promise that nothing leaves the API's origin."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, Timeout
from requests.exceptions import ConnectionError as ConnectionFailed
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from urllib3.connectionpool import ConnectionPool

from sync_assets.sources.rest.courtesy import Courtesy
from sync_assets.sources.rest.errors import ResponseError, TransientError, brief
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.patience import Patience

TRANSIENT = (ConnectionFailed, Timeout, ChunkedEncodingError, ContentDecodingError, TransientError)
JITTER = 0.1


class CourteousAdapter(HTTPAdapter):
    """Sends requests as an API's courtesy allows and reads each body before the next may go."""

    def __init__(self, courtesy: Courtesy, connections: int, patience: float) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections)
        self.courtesy, self.patience = courtesy, Patience(patience)
        self.environment: dict[str, Any] | None = None
        self._pool: ConnectionPool | None = None

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> ConnectionPool:
        """The pool of the one origin, looked up once: requests reads the disk to find it."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return self._pool

    def send(  # type: ignore[override]  # requests types its keywords one by one
        self, request: PreparedRequest, listing: Listing | None = None, **kwargs: Any
    ) -> Response:
        """Send one request; the whole body arrives while the slot is held."""
        with self.courtesy.request() as waited:
            if listing is not None:
                listing.requests += 1
                listing.waited += waited
            response = super().send(request, **{**kwargs, "stream": True})
            with self.patience.with_body_of(response):
                size = len(response.content)
        if listing is not None:
            listing.bytes += size
        return response


class ListSession(Session):
    """The session of one list: counts into its listing, retries, never leaves the origin."""

    def __init__(
        self,
        adapter: CourteousAdapter,
        listing: Listing,
        *,
        base_url: str,
        max_retries: int,
        backoff_factor: float,
        max_wait: float,
        timeout: float,
        on_wait: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self.adapter, self.listing = adapter, listing
        self.base_url, self.origin = base_url, origin(base_url)
        self.backoff_factor, self.max_wait, self.timeout = backoff_factor, max_wait, timeout
        self.on_wait = on_wait
        self.retrying = Retrying(
            retry=retry_if_exception_type(TRANSIENT),
            stop=stop_after_attempt(max_retries + 1),
            wait=self._wait,
            before_sleep=self._before_sleep,
            reraise=True,
        )

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request, again where that may help; each redirect passes here too."""
        if origin(request.url or "") != self.origin:
            raise ResponseError(
                f"the API sends us to another origin, {address(request.url)}; credentials stay "
                f"at {address(self.base_url)}. If the move is genuine, change the base URL."
            )
        kwargs["timeout"] = self.timeout
        if not kwargs.get("allow_redirects", True):  # requests follows a redirect
            return super().send(request, **kwargs)
        return self.retrying(super().send, request, **kwargs)

    def merge_environment_settings(self, *args: Any) -> Any:
        """Proxies and certificates for the one origin, looked up once: that takes a while."""
        if self.adapter.environment is None:
            self.adapter.environment = dict(super().merge_environment_settings(*args))
        return dict(self.adapter.environment)

    def get_adapter(self, url: str) -> HTTPAdapter:
        """The API's one adapter, counting for this list."""
        return _Counting(self.adapter, self.listing)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "retry_after", None)
        if asked is None:
            asked = self.backoff_factor * 2 ** (state.attempt_number - 1)
        elif asked > self.max_wait:
            raise ResponseError(
                f"{error}, to be asked again in {asked:.0f} s: longer than max_wait, "
                f"{self.max_wait:.0f} s. Sync again later."
            )
        return float(asked + random.uniform(0, JITTER) * max(asked, 1.0))

    def _before_sleep(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0.0
        if isinstance(error, TransientError) and error.too_many:
            self.adapter.courtesy.pause(error.retry_after or seconds)
        self.listing.retries += 1
        self.listing.waited += seconds
        why = brief(error) if error else ""
        self.on_wait(f"{self.listing.name}: {why}; asking again in {seconds:.1f} s")


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


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks for, given as seconds or as a date; None without one."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return max(0.0, when.timestamp() - datetime.now(timezone.utc).timestamp())
