"""What the three APIs share: JSON, authentication, paging and errors."""

import json
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from sync_assets.sandbox.listing import Listing
from sync_assets.sandbox.manners import LARGEST_PAGE as LARGEST_PAGE

SECRETS = {
    "promotions": "sandbox-promotions-token",
    "affiliates": "sandbox-affiliates-key",
    "events": "sandbox-events-key",
}


class BadQueryError(ValueError):
    """A query that the API refuses, with the reason that it gives."""


class Dialect(Protocol):
    """How one API authenticates, pages and reports errors."""

    def admits(self, authorization: str) -> bool:
        """Tell whether an Authorization header lets the request in."""

    def refused(self) -> Response:
        """Answer a request without the right credentials."""

    def unknown(self) -> Response:
        """Answer a request for something that does not exist."""

    def bad_query(self, reason: str) -> Response:
        """Answer a query the API cannot serve."""

    def page(self, listing: Listing, request: Request) -> dict[str, Any]:
        """Return the body of one page."""


def encode(body: object) -> bytes:
    """Write a body as JSON."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def answer(status: int, body: object) -> Response:
    """Return a JSON response."""
    return Response(encode(body), status, media_type="application/json")


def number(request: Request, name: str, default: int) -> int:
    """Return a positive number of the query."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text)):
        raise BadQueryError(f"{name} must be a positive integer")
    return int(text)


def limit(request: Request, default: int) -> int:
    """Return the page size asked for, up to the largest."""
    most: int = request.state.most
    return min(number(request, "limit", default), most)
