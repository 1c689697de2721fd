"""Reads only the first page of a list, to learn how long the API says that the list is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from requests import Response

from sync_assets.base.errors import LimitError, ListError, SyncError, brief
from sync_assets.sources.rest.account import Connection
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.http.session import ListSession
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.observer import Observer
from sync_assets.sources.rest.paging.body import check_shape, check_status, value_at
from sync_assets.sources.rest.paging.claims import read_claims
from sync_assets.sources.rest.paging.overlap import SMALLEST_PAGE, furthest
from sync_assets.sources.rest.paging.page_size import PageSize
from sync_assets.sources.rest.paging.paginators import check_refusal


@dataclass(frozen=True)
class Size:
    """The rows of a list and the requests that it takes to read; None if the API does not say."""

    rows: int | None
    requests: int | None
    seconds: float


def size_of(connection: Connection, endpoint: Endpoint, observer: Observer) -> Size:
    """Request the first page of a list without a parent; twice if the API refuses the page size.

    Raises `ListError` if the page cannot be read.
    """
    size = connection.page_sizes.of(endpoint.name)
    try:
        return _ask(connection, endpoint, observer, size)
    except LimitError:
        return _ask(connection, endpoint, observer, size.without_limit())


def _ask(connection: Connection, endpoint: Endpoint, observer: Observer, size: PageSize) -> Size:
    listing = ListResult(endpoint.name)
    session = ListSession(connection, listing, observer)
    limit = {"limit": size.limit} if size.limit else {}

    def guard(response: Response, *args: Any, **kwargs: Any) -> None:
        if not response.is_redirect:
            check_refusal(endpoint.paginator, response.status_code, size.limit)
            check_status(response)
            check_shape(response, endpoint.data_selector)

    try:
        body = session.get(
            connection.base_url + endpoint.path,
            params={**endpoint.params, **limit},
            headers=dict(endpoint.headers),
            auth=connection.auth,
            hooks={"response": [guard]},
        ).json()
    except LimitError:
        raise
    except (SyncError, OSError) as error:
        raise ListError(f"{endpoint.name}: {brief(error)}") from error
    return _size(body, endpoint.data_selector, listing.request_seconds)


def _size(body: Any, selector: str, seconds: float) -> Size:
    """Derive the size from the envelope; a page without a next page is the whole list."""
    rows, claims = len(value_at(body, selector)), read_claims(body, selector)
    if claims.total is not None:
        numbered = claims.current is not None or claims.pages is not None
        return Size(claims.total, _pages(claims.total, rows, numbered=numbered), seconds)
    if claims.more or claims.cursors:
        return Size(None, None, seconds)
    return Size(rows, 1, seconds)


def _pages(total: int, size: int, *, numbered: bool) -> int:
    """Return the number of pages of a list; numbered pages may overlap, see `overlap.furthest`."""
    if total <= size or not size:
        return 1
    if not numbered or size < SMALLEST_PAGE:
        return -(-total // size)
    pages, read = 1, size
    while read < total:
        pages, read = pages + 1, furthest(read, size).end
    return pages
