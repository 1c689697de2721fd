"""How the events API talks.

    {"data": [...], "links": {"next": "/orders?starting_after=or_223&limit=100", "previous": null}}

The link is relative to the base URL, whose /v1 it lacks.
"""

from base64 import b64encode
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sync_assets.sandbox.listing import Listing
from sync_assets.sandbox.wire import LARGEST_PAGE, SECRETS, BadQueryError, answer, limit

CREDENTIALS = b64encode(f"{SECRETS['events']}:".encode()).decode()
# Rows that have left the list in the meantime still serve as a cursor, or a walk under way fails.
REMEMBERED = 100


class Events:
    """HTTP basic with the key as user, 403 without it, the id of the last row as cursor."""

    def admits(self, authorization: str) -> bool:
        """Tell whether an Authorization header lets the request in."""
        return authorization == f"Basic {CREDENTIALS}"

    def refused(self) -> Response:
        """Answer a request without the right key."""
        return _error(403, "FORBIDDEN", "You are not allowed here", hint="Check your API key")

    def unknown(self) -> Response:
        """Answer a request for something that does not exist."""
        return _error(404, "NOT_FOUND", "Object not found")

    def bad_query(self, reason: str) -> Response:
        """Answer a query the API cannot serve."""
        return _error(400, "VALIDATION_ERROR", reason)

    def page(self, listing: Listing, request: Request) -> dict[str, Any]:
        """Return the rows older than the one named, and a link if there are more."""
        size = limit(request, LARGEST_PAGE)
        before = _position(listing, request.query_params.get("starting_after"))
        data = listing.before(before, size)
        path = request.url.path.partition("/v1")[2]
        more = bool(data) and before - len(data) > listing.ordinals.start
        following = f"{path}?starting_after={data[-1]['id']}&limit={size}" if more else None
        return {"data": data, "links": {"next": following, "previous": None}}


def _position(listing: Listing, starting_after: str | None) -> int:
    ordinals = listing.ordinals
    if starting_after is None:
        return ordinals.stop
    ordinal = listing.ordinal_of(starting_after)
    if ordinal is None or not ordinals.start - REMEMBERED <= ordinal < ordinals.stop:
        raise BadQueryError(f"starting_after: no such object {starting_after}")
    return ordinal


def _error(status: int, code: str, message: str, **more: str) -> Response:
    return answer(status, {"status": status, "error_code": code, "message": message, **more})
