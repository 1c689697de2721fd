"""Resumes a list that was cut off: serves its kept pages, then continues with the live list.

In between, it requests the last kept page once more. If the records are the same, the position
holds. If the list has moved, it requests earlier pages until one ends with a record that was read.
Whatever follows that record was not read yet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from requests import PreparedRequest, Response

from sync_assets.base.errors import TornError
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.page_file import Kept, digest
from sync_assets.sources.rest.extract.unfinished import Unfinished
from sync_assets.sources.rest.paging.body import check_shape, check_status, parse, value_at
from sync_assets.sources.rest.paging.claims import Claims, read_claims
from sync_assets.sources.rest.records.encoding import to_json

#: Pages before the last one that are asked for, at most.
REACH = 10


class GoBackError(Exception):
    """The live list joins the page that is `pages` before the last kept one; its `body` is live."""

    def __init__(self, pages: int, body: dict[str, Any]) -> None:
        super().__init__()
        self.pages, self.body = pages, body


class Resume:
    """One way through a list: first its kept pages, then live ones.

    `back` says how many of the last kept pages to skip.
    `at_seam` is called where the list had moved before the next page, with the rows and claims of
    the page that it joins; without them if the seam was proven earlier. `seam` counts the pages
    behind it that may repeat records; the rows in `aside` count there.
    """

    def __init__(
        self, kept: Unfinished, endpoint: Endpoint, back: GoBackError | None = None
    ) -> None:
        self.kept, self.seam = kept, 0
        self.at_seam: Callable[[list[Any], Claims], None] = lambda rows, claims: None
        self.aside: list[list[Any]] = []
        self._endpoint, self._back = endpoint, back
        self._stored = list(kept.pages)
        self._left = self._stored[: len(self._stored) - (back.pages if back else 0)]
        self._requests: deque[PreparedRequest] = deque(maxlen=REACH + 1)
        self._joined = not self._stored
        self._seam_at: int | None = None
        self._left.reverse()
        self.live = self._joined

    def serve(
        self, request: PreparedRequest, send: Callable[[PreparedRequest], Response]
    ) -> Response | None:
        """Return the kept page for a request; None if the request has to be sent.

        Raises `TornError` if the kept pages were requested differently or the live list does not
        join them, and `GoBackError` if it joins an earlier page.
        """
        if self._left:
            page = self._left.pop()
            try:
                asked, body = self.kept.page(page)
            except ValueError as error:
                raise TornError(str(error)) from None
            if asked != digest(request.url or ""):
                raise TornError("the pages on disk were asked for in another way")
            if page.seam:
                self._cross(page.aside, [], Claims())
            self._requests.append(request)
            return _response(request, body)
        self.live = True
        if not self._joined:
            self._join(send)
            self._joined = True  # an answer that failed is asked for again, and joined then
        return None

    def passed(self) -> None:
        """Note that another page was read."""
        self.seam, self.aside = max(0, self.seam - 1), []

    def keep(self, response: Response) -> None:
        """Keep a page that came from the API and was found to belong to the list."""
        if self.live:
            self.kept.append(str(response.request.url), response.content, self._seam_at)
            self._seam_at = None

    def _join(self, send: Callable[[PreparedRequest], Response]) -> None:
        """Check that the kept pages and the live list are one list."""
        if self._back is not None:  # it was found out before
            self._cross_live(self._back.pages, self._back.body)
            return
        tail = [self._rows(page) for page in self._stored[-REACH - 1 :]]
        order = {name: at for at, name in enumerate(self._names([r for p in tail for r in p]))}
        for back, asked in enumerate(reversed(self._requests)):
            body = self._live(asked, send)
            names = self._names(self._rows_of(body))
            if not back and names == self._names(tail[-1]):
                return
            places = [order[name] for name in names if name in order]
            in_order = all(one < other for one, other in pairwise(places))
            if names and names[-1] in order and in_order:
                if back:
                    raise GoBackError(back, body)
                self._cross_live(0, body)
                return
        raise TornError("the list has moved too far since its last page was read")

    def _cross_live(self, back: int, body: dict[str, Any]) -> None:
        self._seam_at = back
        moved = self._stored[len(self._stored) - back :]
        aside = [one for page in moved for one in (*page.aside, page)]
        claims = read_claims(body, self._endpoint.data_selector)
        self._cross(aside, self._rows_of(body), claims)

    def _cross(self, aside: Sequence[Kept], rows: list[Any], claims: Claims) -> None:
        self.seam = REACH + 2
        self.aside = [self._rows(page) for page in aside]
        self.at_seam(rows, claims)

    def _rows(self, page: Kept) -> list[Any]:
        return self._rows_of(parse(self.kept.page(page)[1]))

    def _rows_of(self, body: Any) -> list[Any]:
        return list(value_at(body, self._endpoint.data_selector))

    def _live(
        self, asked: PreparedRequest, send: Callable[[PreparedRequest], Response]
    ) -> dict[str, Any]:
        """Return the body that the page of an earlier request has now."""

        def guard(response: Response, *args: Any, **kwargs: Any) -> None:
            if response.is_redirect:
                raise TornError("the page that was read last has moved to another address")
            check_status(response)
            for hook in self._endpoint.hooks:
                hook(response)
            check_shape(response, self._endpoint.data_selector)

        request = asked.copy()
        request.hooks = {"response": [guard]}
        return dict(send(request).json())

    def _names(self, rows: Sequence[Any]) -> list[str]:
        """Return the key of each record, or its JSON if it has none."""
        key = self._endpoint.key
        keyed = (row.get(key) if isinstance(row, dict) else None for row in rows)
        return [
            to_json(row) if name is None else str(name)
            for name, row in zip(keyed, rows, strict=True)
        ]


def _response(request: PreparedRequest, body: bytes) -> Response:
    response = Response()
    response.status_code, response.reason = 200, "kept"
    response.url, response.request = str(request.url), request
    response._content = body
    return response
