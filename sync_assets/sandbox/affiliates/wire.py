"""How the affiliates API talks.

{"data": [...], "links": {"first": ..., "last": ..., "prev": null, "next": "http://..."},
 "meta": {"current_page": 1, "last_page": 5, "per_page": 25, "total": 120}}
"""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from sync_assets.sandbox.listing import Listing
from sync_assets.sandbox.wire import SECRETS, answer, limit, number

DEFAULT_PAGE = 25


class Affiliates:
    """Bearer key, 401 without it, page numbers and absolute links."""

    def admits(self, authorization: str) -> bool:
        """Tell whether an Authorization header lets the request in."""
        return authorization == f"Bearer {SECRETS['affiliates']}"

    def refused(self) -> Response:
        """Answer a request without the right key."""
        return answer(401, {"message": "Unauthorized"})

    def unknown(self) -> Response:
        """Answer a request for something that does not exist."""
        return answer(404, {"message": "Not Found"})

    def bad_query(self, reason: str) -> Response:
        """Answer a query the API cannot serve."""
        return answer(422, {"message": reason})

    def page(self, listing: Listing, request: Request) -> dict[str, Any]:
        """Return one numbered page; new rows at the top shift the others, as in real APIs."""
        size, page = limit(request, DEFAULT_PAGE), number(request, "page", 1)
        last = max(1, -(-len(listing) // size))
        asked = {"limit": size} if "limit" in request.query_params else {}
        url = request.url.replace(query="")

        def link(target: int) -> str:
            return f"{url}?{urlencode({**asked, 'page': target})}"

        data = listing.before(listing.ordinals.stop - (page - 1) * size, size)
        return {
            "data": data,
            "links": {
                "first": link(1),
                "last": link(last),
                "prev": link(page - 1) if page > 1 else None,
                "next": link(page + 1) if page < last else None,
            },
            "meta": {
                "current_page": page,
                "last_page": last,
                "per_page": size,
                "total": len(listing),
            },
        }
