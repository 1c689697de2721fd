"""Asks the API for the size of lists that no sync has read: one request for each."""

from __future__ import annotations

from dataclasses import replace

from sync_assets.base import times
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.extract.first_page import size_of
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.observer import Observer
from sync_assets.warehouse.queries import State
from sync_assets.warehouse.state.list_history import ListHistory


def ask(account: Account, known: State) -> State:
    """Add to `known` the sizes of lists without a parent that were never synced.

    A list whose size the API does not say stays unknown. Raises `ListError` if a list cannot be
    read, and `ConfigurationError` if the account is not configured.
    """
    found = dict(known.histories)
    for endpoint in account.api.endpoints.values():
        history = found.get(ListKey(endpoint.name))
        if endpoint.parent is not None or (history and history.synced_at):
            continue
        size = size_of(account.connection, endpoint, Observer())
        if size.rows is not None and size.requests is not None:
            found[ListKey(endpoint.name)] = ListHistory(
                endpoint.name,
                synced_at=times.now(),
                rows=size.rows,
                pages=size.requests,
                requests=size.requests,
                request_seconds=size.seconds * size.requests,
            )
    return replace(known, histories=found)
