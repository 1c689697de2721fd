"""What all paginators here share: each page says what follows, and no cursor may come twice."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Number
from typing import Any

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from sync_assets.base.errors import ResponseError, TransientError
from sync_assets.sources.rest.paging.body import value_at
from sync_assets.sources.rest.paging.claims import Claims
from sync_assets.sources.rest.paging.walk import Sign
from sync_assets.sources.rest.records.encoding import json_kind


class AdvancingPaginator(BasePaginator):
    """A paginator whose cursors all differ; the body names the next one at `container`.`key`.

    The container may be a path of names, such as `meta.paging`.
    `required` says that a page with rows must have the container, even a short first page. `keyed`
    says that a page begins after a record, wherever that record is by then. On the latest page,
    `overlap` is the number of repeated rows, and `kept` holds the others; it is None if the page
    is not part of the list.
    """

    keyed = False

    def __init__(self, container: str, key: str, *, required: bool) -> None:
        super().__init__()
        self.container, self.key, self.required = container, key, required
        self.kept: list[Any] | None = None
        self.overlap = 0
        self._cursor: Any = None
        self._seen: set[str] = set()

    def begin(self, key: str, *, overlap: bool) -> None:
        """Set, before the first page, the key of the records and whether pages may overlap."""

    def cross_seam(self, rows: list[Any], claims: Claims) -> None:
        """Let the next page join these rows, not those of the last page; any if there are none."""

    def read(self, body: Any, rows: list[Any], claims: Claims) -> Sign:
        """Return what a page says of the next one; raise `TransientError` if it cannot be right."""
        if self.sign(body) is not None and not rows:
            raise TransientError("an empty page says that there are more")
        return Sign(
            goes_on=self.next_cursor(body, rows) is not None,
            said=self.key in inside(body, self.container),
            container=self.container,
            lacked=not isinstance(value_at(body, self.container), dict),
            required=self.required,
            claims=claims,
        )

    def sign(self, body: Any) -> Any:
        """Return what the body says of a next page; None if it says that there is none, or nothing.

        Raises `TransientError` for a value that can be neither, such as 0 or an object.
        """
        value = inside(body, self.container).get(self.key)
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
        """Return the cursor of the next page, or None at the end."""

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Take the cursor from a page."""
        self.kept = data or []
        self.follow(self.next_cursor(response.json(), self.kept))

    def follow(self, cursor: Any) -> None:
        """Go on to a cursor, or end if it is None; raise `ResponseError` if it came before."""
        self._cursor = cursor
        self._has_next_page = cursor is not None
        if self._has_next_page:
            if str(cursor) in self._seen:
                raise ResponseError(f"the API repeats the cursor {cursor!r}: no end in sight")
            self._seen.add(str(cursor))

    def set_param(self, request: Request, name: str) -> None:
        """Request the next page with a query parameter."""
        request.params = {**(request.params or {}), name: self._cursor}


def inside(body: Any, path: str) -> dict[str, Any]:
    """Return the object at a path such as `meta.paging`; an empty dict if there is none."""
    value = value_at(body, path)
    return value if isinstance(value, dict) else {}
