"""How the promotions API talks.

    {"items": [...], "paging": {"next_cursor": 20612, "items_page": 100}}

The cursor is the ordinal of the last row sent, so rows that appear at the top shift nothing.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sync_assets.sandbox.listing import Listing
from sync_assets.sandbox.wire import LARGEST_PAGE, SECRETS, answer, limit, number


class Promotions:
    """Bearer token, 403 without it, an integer cursor that the last page lacks."""

    def admits(self, authorization: str) -> bool:
        """Tell whether an Authorization header lets the request in."""
        return authorization == f"Bearer {SECRETS['promotions']}"

    def refused(self) -> Response:
        """Answer a request without the right token."""
        return answer(403, {"code": 403, "message": "Forbidden"})

    def unknown(self) -> Response:
        """Answer a request for a promotion that does not exist."""
        return answer(404, {"code": 404, "message": "Not Found"})

    def bad_query(self, reason: str) -> Response:
        """Answer a query the API cannot serve."""
        return answer(400, {"code": 400, "message": reason})

    def page(self, listing: Listing, request: Request) -> dict[str, Any]:
        """Return the rows older than the cursor, and the next cursor if there are more."""
        ordinals = listing.ordinals
        before = number(request, "next_cursor", ordinals.stop)
        items = listing.before(before, limit(request, LARGEST_PAGE))
        paging = {"items_page": len(items)}
        last = min(before, ordinals.stop) - len(items)
        if last > ordinals.start:
            paging = {"next_cursor": last, **paging}
        return {"items": items, "paging": paging}
