"""The three ways in which the APIs name the next page, each as a dlt paginator.

A cursor that comes twice is an error, never a loop.
"""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import urljoin, urlsplit

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from sync_assets.base.errors import LimitError, ResponseError
from sync_assets.sources.rest.paging.advancing import AdvancingPaginator, inside
from sync_assets.sources.rest.paging.claims import Claims
from sync_assets.sources.rest.paging.overlap import LIMIT, Windows
from sync_assets.sources.rest.paging.steps import Steps
from sync_assets.sources.rest.paging.walk import Sign

REFUSED = (400, 422)


class BodyCursor(AdvancingPaginator):
    """A cursor in the body; the list ends if it is null or missing.

    {"items": [...], "paging": {"next_cursor": 1200, "items_page": 100}}

    If the cursor is an offset, each page is requested one row early: see `Steps`.
    """

    def __init__(self, container: str, key: str, *, required: bool = True) -> None:
        super().__init__(container, key, required=required)
        self.steps = Steps("id")

    def begin(self, key: str, *, overlap: bool) -> None:
        """Set the key that identifies records."""
        self.steps.key = key

    def cross_seam(self, rows: list[Any], claims: Claims) -> None:
        """Compare the next page with these rows."""
        self.steps.cross_seam(rows)

    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """Return `paging.next_cursor`, or None."""
        return self.sign(body)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Take the cursor from a page, unless another page has to replace that page."""
        rows = data or []
        cursor = self.next_cursor(response.json(), rows)
        self.overlap = int(self.steps.stepped)
        self.kept, ask = self.steps.turn(rows, cursor)
        if self.kept is not None:
            self.follow(cursor)
        self._cursor = ask

    def update_request(self, request: Request) -> None:
        """Send the cursor under the name with which it came."""
        if self._has_next_page:
            self.set_param(request, self.key)


class NextLink(AdvancingPaginator):
    """A link to the next page in the body: absolute, relative, `?query` or a bare token.

    {"data": [...], "links": {"next": "https://api.example.com/v1/coupons?page=2"}}

    Numbered pages overlap if the list says its size and a limit is sent: see `Windows`.
    """

    def __init__(self, container: str = "links", key: str = "next", param: str = "cursor") -> None:
        super().__init__(container, key, required=False)
        self.param = param
        self.windows = Windows("id")
        self._params: dict[str, Any] = {}
        self._link: Any = None

    def begin(self, key: str, *, overlap: bool) -> None:
        """Set the key that identifies records."""
        self.windows = Windows(key, wanted=overlap)

    def cross_seam(self, rows: list[Any], claims: Claims) -> None:
        """Compare the next page with these rows."""
        self.windows.cross_seam(rows, claims)

    def init_request(self, request: Request) -> None:
        """Keep the parameters, because a link may drop them."""
        self._params = dict(request.params or {})
        self.windows.wanted &= LIMIT in self._params

    def read(self, body: Any, rows: list[Any], claims: Claims) -> Sign:
        """Return what a page says of the next one, after checking that it is the page requested."""
        return super().read(body, rows, self.windows.check(claims, len(rows), self.sign(body)))

    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """Return `links.next`, or None."""
        return self.sign(body)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Take the link and the new rows from a page."""
        self._link = self.sign(response.json())
        self.kept, self.overlap = self.windows.turn(data or [], self._link)
        self.follow(self.windows.window or self._link)

    def update_request(self, request: Request) -> None:
        """Follow a link, or send a bare token as a parameter; the session guards the origin."""
        if not self._has_next_page:
            return
        link = str(self._link)
        if "://" not in link and not link.startswith(("/", "?")):
            self.set_param(request, self.param)
            return
        request.url = urljoin(request.url, link)
        query = urlsplit(request.url).query
        sent = {pair.partition("=")[0] for pair in query.split("&")}
        request.params = {k: v for k, v in self._params.items() if k not in sent}
        self.windows.ask(request)


class LastId(AdvancingPaginator):
    """The id of the last record; the list ends with a null next link or an empty page.

    {"data": [..., {"id": "or_223"}], "links": {"next": "/orders?starting_after=or_223"}}
    """

    keyed = True

    def __init__(self, param: str = "starting_after", container: str = "links") -> None:
        super().__init__(container, "next", required=False)
        self.param = param

    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """Return the last record's id; the link is unused, because its base is not documented."""
        if not rows or ("next" in inside(body, self.container) and self.sign(body) is None):
            return None
        cursor = rows[-1].get("id") if isinstance(rows[-1], dict) else None
        if not cursor:
            raise ResponseError("the last record of the page has no id to continue after")
        return cursor

    def update_request(self, request: Request) -> None:
        """Request the page after the last record."""
        if self._has_next_page:
            self.set_param(request, self.param)


def fresh(paginator: BasePaginator, key: str, *, overlap: bool) -> BasePaginator:
    """Return a new paginator for one list; `key` is the field that identifies its records."""
    made = copy.deepcopy(paginator)
    if isinstance(made, AdvancingPaginator):
        made.begin(key, overlap=overlap)
    return made


def check_refusal(paginator: BasePaginator, status: int, first: int | None) -> None:
    """Raise `LimitError` if an API refuses the page size that was requested.

    `first` is the size of a first page; None for other pages and if no size was requested.
    """
    window = paginator.windows.window if isinstance(paginator, NextLink) else None
    limit = first if window is None else window.limit
    if limit is not None and status in REFUSED:
        raise LimitError(f"the API answered {status} to a page of {limit} rows")


def sign_of(paginator: BasePaginator, body: Any, rows: list[Any], claims: Claims) -> Sign:
    """Return what a page says of the next one, as far as its paginator can tell by then."""
    if isinstance(paginator, AdvancingPaginator):
        return paginator.read(body, rows, claims)
    return Sign(goes_on=None, claims=claims)


def cross_seam(paginator: BasePaginator, rows: list[Any], claims: Claims) -> None:
    """Let the next page of a paginator join another one; see `AdvancingPaginator.cross_seam`."""
    if isinstance(paginator, AdvancingPaginator):
        paginator.cross_seam(rows, claims)


def kept_of(paginator: BasePaginator, page: list[Any]) -> tuple[list[Any] | None, int]:
    """Return the new rows of a page (None if the page does not count) and the number of others."""
    if isinstance(paginator, AdvancingPaginator):
        return paginator.kept, paginator.overlap
    return page, 0
