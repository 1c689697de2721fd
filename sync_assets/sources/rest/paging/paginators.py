"""The three ways the APIs hand out the next page, each as a dlt paginator that must get on.

A cursor that was already followed is an error, never a loop.
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
    """A cursor in the body, ended by null or by its absence.

    {"items": [...], "paging": {"next_cursor": 1200, "items_page": 100}}

    Where the cursor is an offset, each page is asked for one row early: see `Steps`.
    """

    def __init__(self, container: str, key: str, *, required: bool = True) -> None:
        super().__init__(container, key, required=required)
        self.steps = Steps("id")

    def begin(self, key: str, *, overlap: bool) -> None:
        """Tell records apart by their key."""
        self.steps.key = key

    def cross_seam(self, rows: list[Any], claims: Claims) -> None:
        """Compare the next page with such rows."""
        self.steps.cross_seam(rows)

    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """`paging.next_cursor`, where there is one."""
        return self.sign(body)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Take the cursor from a page, unless another page has to come in its place."""
        rows = data or []
        cursor = self.next_cursor(response.json(), rows)
        self.overlap = int(self.steps.stepped)
        self.kept, ask = self.steps.turn(rows, cursor)
        if self.kept is not None:
            self.follow(cursor)
        self._cursor = ask

    def update_request(self, request: Request) -> None:
        """Send the cursor under the name it came with."""
        if self._has_next_page:
            self.set_param(request, self.key)


class NextLink(AdvancingPaginator):
    """A link to the next page in the body: absolute, relative, `?query` or a bare token.

    {"data": [...], "links": {"next": "https://api.example.com/v1/coupons?page=2"}}

    Numbered pages of a list that tells its size overlap where a limit is sent: see `Windows`.
    """

    def __init__(self, container: str = "links", key: str = "next", param: str = "cursor") -> None:
        super().__init__(container, key, required=False)
        self.param = param
        self.windows = Windows("id")
        self._params: dict[str, Any] = {}
        self._link: Any = None

    def begin(self, key: str, *, overlap: bool) -> None:
        """Tell records apart by their key."""
        self.windows = Windows(key, wanted=overlap)

    def cross_seam(self, rows: list[Any], claims: Claims) -> None:
        """Compare the next page with such rows."""
        self.windows.cross_seam(rows, claims)

    def init_request(self, request: Request) -> None:
        """Remember the parameters that a link may have dropped."""
        self._params = dict(request.params or {})
        self.windows.wanted &= LIMIT in self._params

    def read(self, body: Any, rows: list[Any], claims: Claims) -> Sign:
        """What a page says of the next one, once it is the page that was asked for."""
        return super().read(body, rows, self.windows.check(claims, len(rows), self.sign(body)))

    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """`links.next`, where there is one."""
        return self.sign(body)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Take the link from a page, and the rows that are new."""
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
    """The id of the last record, ended by a null next link or by an empty page.

    {"data": [..., {"id": "or_223"}], "links": {"next": "/orders?starting_after=or_223"}}
    """

    keyed = True

    def __init__(self, param: str = "starting_after", container: str = "links") -> None:
        super().__init__(container, "next", required=False)
        self.param = param

    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """The last record's id; live next links are relative to an unsaid place, so unused."""
        if not rows or ("next" in inside(body, self.container) and self.sign(body) is None):
            return None
        cursor = rows[-1].get("id") if isinstance(rows[-1], dict) else None
        if not cursor:
            raise ResponseError("the last record of the page has no id to continue after")
        return cursor

    def update_request(self, request: Request) -> None:
        """Ask for what comes after the last record."""
        if self._has_next_page:
            self.set_param(request, self.param)


def fresh(paginator: BasePaginator, key: str, *, overlap: bool) -> BasePaginator:
    """A paginator for one list, whose records are told apart by a key."""
    made = copy.deepcopy(paginator)
    if isinstance(made, AdvancingPaginator):
        made.begin(key, overlap=overlap)
    return made


def check_refusal(paginator: BasePaginator, status: int, first: int | None) -> None:
    """Raise `LimitError` where an API refuses a page whose size we chose.

    `first` is the size of a first page, None for any other and where no size was asked for.
    """
    window = paginator.windows.window if isinstance(paginator, NextLink) else None
    limit = first if window is None else window.limit
    if limit is not None and status in REFUSED:
        raise LimitError(f"the API answered {status} to a page of {limit} rows")


def sign_of(paginator: BasePaginator, body: Any, rows: list[Any], claims: Claims) -> Sign:
    """What a page says of the next one, as far as its paginator can tell before it is counted."""
    if isinstance(paginator, AdvancingPaginator):
        return paginator.read(body, rows, claims)
    return Sign(goes_on=None, claims=claims)


def cross_seam(paginator: BasePaginator, rows: list[Any], claims: Claims) -> None:
    """Let the next page of a paginator join another one; see `AdvancingPaginator.cross_seam`."""
    if isinstance(paginator, AdvancingPaginator):
        paginator.cross_seam(rows, claims)


def kept_of(paginator: BasePaginator, page: list[Any]) -> tuple[list[Any] | None, int]:
    """The rows of a page that are new, or None where it does not count; and how many are not."""
    if isinstance(paginator, AdvancingPaginator):
        return paginator.kept, paginator.overlap
    return page, 0
