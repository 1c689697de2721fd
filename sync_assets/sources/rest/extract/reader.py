"""Reading one list to its end, or failing with its name: nothing in between."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.common.jsonpath import TJsonPath, compile_path
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from requests import Response

from sync_assets.base.errors import LimitError, ListError, SyncError, TornError, brief
from sync_assets.sources.rest.account import Connection
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.extract.head import End, Head
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.http.session import ListSession, address
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.paging.body import check_shape, check_status, value_at
from sync_assets.sources.rest.paging.claims import read_claims
from sync_assets.sources.rest.paging.paginators import check_refusal, fresh, kept_of, sign_of
from sync_assets.sources.rest.paging.walk import Walk

PAGES_WITHOUT_NEWS = 3
READS_AGAIN = 2


def read_list(
    connection: Connection,
    endpoint: Endpoint,
    parent: str | None,
    spool: Spool,
    journal: SyncResult,
    head: Head | None = None,
) -> End:
    """Read all pages of a list into a spool; raise `ListError` with place and cause otherwise.

    Of a `head` only the pages that belong to it. Gives where reading ended.

    A list whose pages do not make up one list is read again from its start, at most twice; and once
    where the API turns out not to send pages of any size.
    """
    listing = spool.listing
    left = READS_AGAIN
    while True:
        walk = Walk(endpoint.key)
        try:
            return _read(connection, endpoint, parent, spool, journal, walk, head)
        except TornError as error:
            if not left:
                cause = f"{error}; read {READS_AGAIN + 1} times"
                raise _failed(connection, endpoint, parent, walk, cause) from error
            left -= 1
            listing.retries += 1
            journal.observer.say(f"{listing.name}: {error}; reading the list again from its start")
            spool.restart()
        except LimitError as error:
            listing.retries += 1
            if connection.limits.give_up():
                journal.observer.say(f"{listing.name}: {error}; reading pages as the links say")
            spool.restart()
        except (SyncError, OSError, ValueError) as error:  # a link that is no URL
            raise _failed(connection, endpoint, parent, walk, brief(error)) from error


def _failed(
    connection: Connection, endpoint: Endpoint, parent: str | None, walk: Walk, cause: str
) -> ListError:
    where = f"{endpoint.name} of {parent}" if parent is not None else endpoint.name
    url = address(connection.base_url) + endpoint.path
    return ListError(f"{where}, page {walk.pages + 1} of {url}: {cause}")


def _read(
    connection: Connection,
    endpoint: Endpoint,
    parent: str | None,
    spool: Spool,
    journal: SyncResult,
    walk: Walk,
    head: Head | None,
) -> End:
    """Read a list once, as it is from its first page to its last, or that of its head."""
    stale, listing = 0, spool.listing
    end = head.find_end() if head is not None else None
    for page in _pages(connection, endpoint, parent, listing, journal, walk):
        records = _mapped(endpoint, page)
        listing.pages += 1
        listing.page_rows.append(spool.add(records))
        stale = 0 if listing.page_rows[-1] else stale + 1
        if stale == PAGES_WITHOUT_NEWS:
            raise ListError(f"the last {stale} pages brought no new record: no end in sight")
        if end is not None and (found := end(spool.keys_of(records))):
            return found
    return End.OF_LIST


def _pages(
    connection: Connection,
    endpoint: Endpoint,
    parent: str | None,
    listing: ListResult,
    journal: SyncResult,
    walk: Walk,
) -> Iterator[list[Any]]:
    """The pages of a list, without the rows that were asked for twice."""
    paginator = fresh(endpoint.paginator, endpoint.key, overlap=connection.limits.honoured)
    walk.keyed = getattr(paginator, "keyed", False)
    settings = connection.settings
    session = ListSession(connection, listing, journal.observer)
    client = RESTClient(
        connection.base_url, auth=connection.auth, session=session, config=RuntimeConfiguration()
    )

    def guard(response: Response, *args: Any, **kwargs: Any) -> None:
        if response.is_redirect:
            return
        if response.status_code == 404 and endpoint.missing_is_empty and not walk.pages:
            raise IgnoreResponseException
        check_refusal(paginator, response.status_code)
        check_status(response)
        for hook in endpoint.hooks:
            hook(response)
        check_shape(response, endpoint.data_selector)
        body, query = response.json(), urlsplit(response.request.url or "").query
        rows = value_at(body, endpoint.data_selector)
        claims = read_claims(body, endpoint.data_selector)
        walk.check(body, rows, sign_of(paginator, body, rows, claims), query)

    for page in client.paginate(
        _path(endpoint, parent),
        params=_params(endpoint, settings.page_size),
        headers=dict(endpoint.headers),
        paginator=paginator,
        data_selector=_compiled(endpoint.data_selector),
        hooks={"response": [guard]},
    ):
        kept, overlap = kept_of(paginator, page)
        if kept is not None:
            walk.turn(page, overlap, goes_on=paginator.has_next_page)
            yield kept


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
