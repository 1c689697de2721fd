"""An adapter that serves pages from disk first, without a request and without rate limiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from sync_assets.sources.rest.http.adapter import RateLimitedAdapter


class KeptFirst(HTTPAdapter):
    """Sends a request with the API's adapter, unless `kept` returns its page."""

    def __init__(
        self, adapter: RateLimitedAdapter, kept: Callable[[PreparedRequest], Response | None]
    ) -> None:
        self._adapter, self._kept = adapter, kept

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:  # type: ignore[override]
        """Return the kept page, or the API's response."""
        page = self._kept(request)
        return self._adapter.send(request, **kwargs) if page is None else page
