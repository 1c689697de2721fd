"""Reads one list to its end, or fails with an error that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.common.jsonpath import TJsonPath, compile_path
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import PreparedRequest, Response

from sync_assets.base.errors import (
    LimitError,
    ListError,
    RefusedError,
    RestError,
    SyncError,
    TornError,
    TransientError,
    brief,
)
from sync_assets.sources.rest.account import Connection
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.head import End
from sync_assets.sources.rest.extract.kept_first import KeptFirst
from sync_assets.sources.rest.extract.reading import Reading
from sync_assets.sources.rest.extract.resume import GoBackError, Resume
from sync_assets.sources.rest.http.session import ListSession
from sync_assets.sources.rest.paging.body import check_shape, check_status, value_at
from sync_assets.sources.rest.paging.claims import Claims, read_claims
from sync_assets.sources.rest.paging.page_size import PageSize
from sync_assets.sources.rest.paging.paginators import (
    check_refusal,
    cross_seam,
    fresh,
    kept_of,
    sign_of,
)
from sync_assets.sources.rest.paging.walk import Walk

PAGES_WITHOUT_NEWS = 3
READS_AGAIN = 2


def read_list(reading: Reading) -> End:
    """Read all pages of a list into its spool; raise `ListError` with page and cause if that fails.

    Returns where reading ended. A list is read again from its start, at most twice, if its pages
    do not join, and whenever the API turns out not to send the requested page size. A list that
    was cut off is resumed.
    """
    kept, listing = reading.kept, reading.listing
    left, resume = READS_AGAIN, Resume(kept, reading.endpoint)
    size, why = reading.connection.page_sizes.of(listing.resource), ""
    if kept.pages:
        pages = f"{len(kept.pages):,} pages"
        reading.say(f"{pages} wait on disk, read from {kept.read_at:%H:%M:%S} UTC on; going on")
    while True:
        walk, listing.read_at = Walk(reading.endpoint.key), kept.read_at
        try:
            end = _read(reading, walk, resume, size)
        except GoBackError as found:
            resume = Resume(kept, reading.endpoint, found)
            reading.spool.restart()
        except TornError as error:
            if not left and not kept.pages:
                cause = f"{error}; read {READS_AGAIN + 1} times"
                raise reading.failed(walk, cause) from error
            left -= 0 if kept.pages else 1
            if (lowered := size.lowered(walk.fewer)) != size:
                size, why = lowered, str(error)
            listing.retries += 1
            reading.say(f"{error}; reading the list again from its start")
            resume = _from_its_start(reading)
        except LimitError as error:
            listing.retries += 1
            why, size = str(error), size.without_overlap() if walk.pages else size.without_limit()
            resume = _from_its_start(reading)
        except (SyncError, OSError, ValueError) as error:  # a link that is no URL
            may_go_on = _may_go_on(reading.connection, error)
            if not may_go_on and kept.pages:  # it may be of what waited on disk
                reading.say(f"{brief(error)}; reading the list again from its start")
                resume = _from_its_start(reading)
                continue
            if not may_go_on:
                kept.remove()
            raise reading.failed(walk, brief(error)) from error
        else:
            listing.page_size, listing.rows_a_page = size, walk.full
            _learn(reading, why)
            return end


def _learn(reading: Reading, why: str) -> None:
    """Remember the page size with which a list was read; say once what changed."""
    sizes, listing = reading.connection.page_sizes, reading.listing
    size, rows = listing.page_size, listing.rows_a_page
    if sizes.learn(listing.resource, size) and why:
        reading.say(f"{why}; {size}")
    if rows and sizes.falls_short(listing.resource, rows):
        reading.say(f"{size.limit} rows a page were asked for, {rows} came")


def _from_its_start(reading: Reading) -> Resume:
    reading.kept.begin_anew()
    reading.spool.restart()
    return Resume(reading.kept, reading.endpoint)


def _may_go_on(connection: Connection, error: Exception) -> bool:
    """Whether the cause of a failure may be gone the next time."""
    passing = (TransientError, RestError, RefusedError, OSError)
    return isinstance(error, passing) or connection.adapter.gate.is_closed


def _read(reading: Reading, walk: Walk, resume: Resume, size: PageSize) -> End:
    """Read a list once, from its first page to its last, or to the end of its head."""
    stale, spool, endpoint, listing = 0, reading.spool, reading.endpoint, reading.listing
    end = reading.head.find_end() if reading.head is not None else None
    for page in _pages(reading, walk, resume, size):
        records = _mapped(endpoint, page)
        listing.pages += 1
        listing.resumed += not resume.live
        aside = sum(spool.add(_mapped(endpoint, rows)) for rows in resume.aside)
        if resume.seam:
            records = [record for record in records if not spool.knows(record)]
        new = spool.add(records)
        listing.page_rows.append(aside + new)
        stale = 0 if new or resume.seam else stale + 1
        resume.passed()
        if stale == PAGES_WITHOUT_NEWS:
            cause = f"the last {stale} pages brought no new record: no end in sight"
            raise TornError(cause) if walk.fewer else ListError(cause)
        if end is not None and (found := end(spool.keys_of(records))):
            return found
        if resume.live and reading.head is None:
            reading.tell(walk)
    return End.OF_LIST


def _pages(reading: Reading, walk: Walk, resume: Resume, size: PageSize) -> Iterator[list[Any]]:
    """Yield the pages of a list, without the rows that overlapping pages repeat."""
    connection, endpoint, listing = reading.connection, reading.endpoint, reading.listing
    paginator = fresh(endpoint.paginator, endpoint.key, overlap=size.overlaps)
    walk.keyed = getattr(paginator, "keyed", False)
    session = ListSession(connection, listing, reading.result.observer)
    client = RESTClient(
        connection.base_url, auth=connection.auth, session=session, config=RuntimeConfiguration()
    )

    def at_seam(rows: list[Any], claims: Claims) -> None:
        walk.cross_seam(rows, claims)
        cross_seam(paginator, rows, claims)

    def send(request: PreparedRequest) -> Response:
        live = ListSession(connection, listing, reading.result.observer)
        return live.send(request, allow_redirects=False, **live.merge_environment_settings())

    resume.at_seam = at_seam
    session.sender = KeptFirst(session.adapter, lambda request: resume.serve(request, send))
    for page in client.paginate(
        _path(endpoint, listing.parent),
        params=_params(endpoint, size.limit),
        headers=dict(endpoint.headers),
        paginator=paginator,
        data_selector=_compiled(endpoint.data_selector),
        hooks={"response": [_guard(reading, walk, paginator, size)]},
    ):
        kept, overlap = kept_of(paginator, page)
        if kept is not None:
            walk.turn(page, overlap, goes_on=paginator.has_next_page)
        resume.keep(page.response)
        if kept is not None:
            yield kept


def _guard(
    reading: Reading, walk: Walk, paginator: BasePaginator, size: PageSize
) -> Callable[..., None]:
    """Return the hook that checks each response before any of its rows count."""
    endpoint = reading.endpoint

    def guard(response: Response, *args: Any, **kwargs: Any) -> None:
        if response.is_redirect:
            return
        if response.status_code == 404 and endpoint.missing_is_empty and not walk.pages:
            raise IgnoreResponseException
        first = None if walk.pages else size.limit
        check_refusal(paginator, response.status_code, first)
        check_status(response)
        for hook in endpoint.hooks:
            hook(response)
        check_shape(response, endpoint.data_selector)
        body, query = response.json(), urlsplit(response.request.url or "").query
        rows = value_at(body, endpoint.data_selector)
        claims = read_claims(body, endpoint.data_selector)
        walk.check(body, rows, sign_of(paginator, body, rows, claims), query)

    return guard


@lru_cache  # compiling takes as long as reading a page
def _compiled(selector: str) -> TJsonPath:
    return compile_path(selector)


def _path(endpoint: Endpoint, parent: str | None) -> str:
    if endpoint.parent_param is None:
        return endpoint.path
    if parent is None or not parent.strip() or parent in (".", "..") or "\0" in parent:
        raise ListError(f"{parent!r} cannot be an id in the path {endpoint.path}")
    return endpoint.path.replace(f"{{{endpoint.parent_param}}}", quote(parent, safe=""))


def _params(endpoint: Endpoint, page_size: int | None) -> dict[str, Any]:
    return {**endpoint.params, **({"limit": page_size} if page_size else {})}


def _mapped(endpoint: Endpoint, page: list[Any]) -> list[Any]:
    for step in endpoint.maps:
        page = [step(record) if isinstance(record, dict) else record for record in page]
    return page
