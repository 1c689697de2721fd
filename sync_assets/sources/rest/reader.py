"""Reading one list to its end, or failing with its name: nothing in between."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.common.jsonpath import TJsonPath, compile_path
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from requests import Response

from sync_assets.sources.rest.api import Connection
from sync_assets.sources.rest.body import check_shape, check_status
from sync_assets.sources.rest.endpoints import Endpoint
from sync_assets.sources.rest.errors import ListError, SyncError, brief
from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.session import ListSession, address, retry_after
from sync_assets.sources.rest.spool import Spool

PAGES_WITHOUT_NEWS = 3


def read_list(
    connection: Connection, endpoint: Endpoint, parent: str | None, spool: Spool, journal: Journal
) -> None:
    """Read all pages of a list into a spool; raise `ListError` with place and cause otherwise."""
    listing = spool.listing
    pages = stale = 0
    try:
        for page in _pages(connection, endpoint, parent, listing, journal):
            pages += 1
            listing.pages += 1
            stale = 0 if spool.add(_mapped(endpoint, page), parent) else stale + 1
            if stale == PAGES_WITHOUT_NEWS:
                raise ListError(f"the last {stale} pages brought no new record: no end in sight")
    except (SyncError, OSError, ValueError) as error:  # ValueError: a link that is none
        where = f"{endpoint.name} of {parent}" if parent is not None else endpoint.name
        url = address(connection.base_url) + endpoint.path
        raise ListError(f"{where}, page {pages + 1} of {url}: {brief(error)}") from error


def _pages(
    connection: Connection,
    endpoint: Endpoint,
    parent: str | None,
    listing: Listing,
    journal: Journal,
) -> Iterator[list[Any]]:
    settings = connection.settings
    session = ListSession(
        connection.adapter,
        listing,
        base_url=connection.base_url,
        max_retries=settings.max_retries,
        backoff_factor=settings.backoff_factor,
        max_wait=settings.max_wait,
        timeout=settings.timeout,
        on_wait=journal.on_wait,
    )
    client = RESTClient(
        connection.base_url, auth=connection.auth, session=session, config=RuntimeConfiguration()
    )

    def guard(response: Response, *args: Any, **kwargs: Any) -> None:
        if response.is_redirect:
            return
        if response.status_code == 404 and endpoint.missing_is_empty and not listing.pages:
            raise IgnoreResponseException
        check_status(response, retry_after(response.headers))
        for hook in endpoint.hooks:
            hook(response)
        check_shape(response, endpoint.data_selector)

    return client.paginate(
        _path(endpoint, parent),
        params=_params(endpoint, settings.page_size),
        paginator=copy.deepcopy(endpoint.paginator),
        data_selector=_compiled(endpoint.data_selector),
        hooks={"response": [guard]},
    )


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
