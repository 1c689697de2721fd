"""The three ways the APIs hand out the next page, each as a dlt paginator that must get on.

A cursor that was already followed is an error, never a loop: `RepeatedCursor`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any
from urllib.parse import urljoin, urlsplit

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from sync_assets.sources.rest.errors import ResponseError


class AdvancingPaginator(BasePaginator):
    """A paginator whose cursors are all different."""

    def __init__(self) -> None:
        super().__init__()
        self._cursor: Any = None
        self._seen: set[str] = set()

    @abstractmethod
    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """The cursor of the next page, or a false value at the end."""

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Take the cursor from a page."""
        self._cursor = self.next_cursor(response.json(), data or [])
        self._has_next_page = bool(self._cursor)
        if self._has_next_page:
            if str(self._cursor) in self._seen:
                raise ResponseError(f"the API repeats the cursor {self._cursor!r}: no end in sight")
            self._seen.add(str(self._cursor))

    def set_param(self, request: Request, name: str) -> None:
        """Ask for the next page by a query parameter."""
        request.params = {**(request.params or {}), name: self._cursor}


class BodyCursor(AdvancingPaginator):
    """A cursor in the body, ended by null or by its absence.

    {"items": [...], "paging": {"next_cursor": 1200, "items_page": 100}}
    """

    def __init__(self, container: str, key: str) -> None:
        super().__init__()
        self.container, self.key = container, key

    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """`paging.next_cursor`, where there is one."""
        return _inside(body, self.container).get(self.key)

    def update_request(self, request: Request) -> None:
        """Send the cursor under the name it came with."""
        if self._has_next_page:
            self.set_param(request, self.key)


class NextLink(AdvancingPaginator):
    """A link to the next page in the body: absolute, relative, `?query` or a bare token.

    {"data": [...], "links": {"next": "https://api.example.com/v1/coupons?page=2"}}
    """

    def __init__(self, container: str = "links", key: str = "next", param: str = "cursor") -> None:
        super().__init__()
        self.container, self.key, self.param = container, key, param
        self._params: dict[str, Any] = {}

    def init_request(self, request: Request) -> None:
        """Remember the parameters that a link may have dropped."""
        self._params = dict(request.params or {})

    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """`links.next`, where there is one."""
        return _inside(body, self.container).get(self.key)

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

    def __init__(self, param: str = "starting_after", container: str = "links") -> None:
        super().__init__()
        self.param, self.container = param, container

    def next_cursor(self, body: Any, rows: list[Any]) -> Any:
        """The last record's id; live next links are relative to an unsaid place, so unused."""
        links = _inside(body, self.container)
        if not rows and links.get("next"):
            raise ResponseError("an empty page says that there are more")
        if not rows or ("next" in links and not links["next"]):
            return None
        cursor = rows[-1].get("id") if isinstance(rows[-1], dict) else None
        if not cursor:
            raise ResponseError("the last record of the page has no id to continue after")
        return cursor

    def update_request(self, request: Request) -> None:
        """Ask for what comes after the last record."""
        if self._has_next_page:
            self.set_param(request, self.param)


def _inside(body: Any, key: str) -> dict[str, Any]:
    value = body.get(key)
    return value if isinstance(value, dict) else {}
