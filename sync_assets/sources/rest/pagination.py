"""The three ways the APIs hand out the next page, each as a dlt paginator that must get on.

A cursor that was already followed is an error, never a loop.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from numbers import Number
from typing import Any
from urllib.parse import urljoin, urlsplit

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from sync_assets.sources.rest.body import json_kind
from sync_assets.sources.rest.errors import ResponseError, TransientError
from sync_assets.sources.rest.steps import Steps
from sync_assets.sources.rest.walk import Sign


class AdvancingPaginator(BasePaginator):
    """A paginator whose cursors are all different; what comes next is said in `container`.`key`.

    `required` says that a page with rows must have the container, even a first one that is short;
    `keyed` that a page begins after a record, wherever that is by then. Of the latest page,
    `overlap` rows were asked for a second time and `kept` are the others, or None where it is no
    part of the list.
    """

    keyed = False

    def __init__(self, container: str, key: str, *, required: bool) -> None:
        super().__init__()
        self.container, self.key, self.required = container, key, required
        self.kept: list[Any] | None = None
        self.overlap = 0
        self._cursor: Any = None
        self._seen: set[str] = set()

    def read(self, body: Any, rows: list[Any]) -> Sign:
        """What a page says of the next one; a page that cannot be right is a `TransientError`."""
        if self.sign(body) is not None and not rows:
            raise TransientError("an empty page says that there are more")
        return Sign(
            goes_on=self.next_cursor(body, rows) is not None,
            said=self.key in _inside(body, self.container),
            container=self.container,
            lacked=not isinstance(body.get(self.container), dict),
            required=self.required,
        )

    def sign(self, body: Any) -> Any:
        """What the body says of a next page; None where it says that there is none, or nothing.

        What can be neither, like 0 or an object, is a `TransientError`.
        """
        value = _inside(body, self.container).get(self.key)
        if value is None or value is False or (isinstance(value, str) and not value.strip()):
            return None
        if value is True or not isinstance(value, (str, Number)) or str(value) in ("0", "0.0"):
            shown = value if isinstance(value, (str, Number)) else f"a JSON {json_kind(value)}"
            raise TransientError(
                f"{self.container}.{self.key} is {shown}: neither a cursor nor an end"
            )
        return value

    @abstractmethod
    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """The cursor of the next page, or None at the end."""

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Take the cursor from a page."""
        self.kept = data or []
        self.follow(self.next_cursor(response.json(), self.kept))

    def follow(self, cursor: Any) -> None:
        """Go on to a cursor, which must be a new one, or end."""
        self._cursor = cursor
        self._has_next_page = cursor is not None
        if self._has_next_page:
            if str(cursor) in self._seen:
                raise ResponseError(f"the API repeats the cursor {cursor!r}: no end in sight")
            self._seen.add(str(cursor))

    def set_param(self, request: Request, name: str) -> None:
        """Ask for the next page by a query parameter."""
        request.params = {**(request.params or {}), name: self._cursor}


class BodyCursor(AdvancingPaginator):
    """A cursor in the body, ended by null or by its absence.

    {"items": [...], "paging": {"next_cursor": 1200, "items_page": 100}}

    Where the cursor is an offset, each page is asked for one row early: see `Steps`.
    """

    def __init__(self, container: str, key: str, *, required: bool = True) -> None:
        super().__init__(container, key, required=required)
        self.steps = Steps("id")

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
    """

    def __init__(self, container: str = "links", key: str = "next", param: str = "cursor") -> None:
        super().__init__(container, key, required=False)
        self.param = param
        self._params: dict[str, Any] = {}

    def init_request(self, request: Request) -> None:
        """Remember the parameters that a link may have dropped."""
        self._params = dict(request.params or {})

    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """`links.next`, where there is one."""
        return self.sign(body)

    def update_request(self, request: Request) -> None:
        """Follow a link, or send a bare token as a parameter; the session guards the origin."""
        if not self._has_next_page:
            return
        link = str(self._cursor)
        if "://" not in link and not link.startswith(("/", "?")):
            self.set_param(request, self.param)
            return
        request.url = urljoin(request.url, link)
        query = urlsplit(request.url).query
        sent = {pair.partition("=")[0] for pair in query.split("&")}
        request.params = {k: v for k, v in self._params.items() if k not in sent}


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
        if not rows or ("next" in _inside(body, self.container) and self.sign(body) is None):
            return None
        cursor = rows[-1].get("id") if isinstance(rows[-1], dict) else None
        if not cursor:
            raise ResponseError("the last record of the page has no id to continue after")
        return cursor

    def update_request(self, request: Request) -> None:
        """Ask for what comes after the last record."""
        if self._has_next_page:
            self.set_param(request, self.param)


def fresh(paginator: BasePaginator, key: str) -> BasePaginator:
    """A paginator for one list, whose records are told apart by a key."""
    made = copy.deepcopy(paginator)
    if isinstance(made, BodyCursor):
        made.steps.key = key
    return made


def sign_of(paginator: BasePaginator, body: Any, rows: list[Any]) -> Sign:
    """What a page says of the next one, as far as its paginator can tell before it is counted."""
    if isinstance(paginator, AdvancingPaginator):
        return paginator.read(body, rows)
    return Sign(goes_on=None)


def kept_of(paginator: BasePaginator, page: list[Any]) -> tuple[list[Any] | None, int]:
    """The rows of a page that are new, or None where it does not count; and how many are not."""
    if isinstance(paginator, AdvancingPaginator):
        return paginator.kept, paginator.overlap
    return page, 0


def _inside(body: Any, key: str) -> dict[str, Any]:
    value = body.get(key)
    return value if isinstance(value, dict) else {}
