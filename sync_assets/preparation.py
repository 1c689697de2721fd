"""Checks what a sync needs for all of its sources before the first request."""

from __future__ import annotations

from collections.abc import Sequence

from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.settings import SANDBOX
from sync_assets.warehouse.connection.database_file import refuse_unusable
from sync_assets.warehouse.connection.destination import database_file, open_pipeline, whereabouts
from sync_assets.warehouse.connection.rights import refuse_without_rights
from sync_assets.warehouse.dataset import refuse_shared_dataset
from sync_assets.warehouse.machines import execution


def prepare(chosen: Sequence[Account]) -> str:
    """Return one line without secrets: what each source reads, and where the rows go.

    Raises `ConfigurationError` or `WarehouseError` if a source or the warehouse cannot be used.
    """
    execution()
    read = {account.api.name: account.settings.base_url for account in chosen}
    for account in chosen:
        refuse_shared_dataset(account)
    datasets = [account.dataset for account in chosen]
    with open_pipeline(chosen[0].api.name, datasets[0]) as pipeline:
        if database := database_file(pipeline):
            refuse_unusable(database)
        warehouse = whereabouts(pipeline)
        refuse_without_rights(pipeline, ())
    by_address: dict[str, list[str]] = {}
    for name, base_url in read.items():
        by_address.setdefault(base_url, []).append(name)
    sources = "; ".join(f"{_shown(url)}: {', '.join(names)}" for url, names in by_address.items())
    return f"Reads {sources}. Writes to {warehouse}, datasets: {', '.join(datasets)}."


def _shown(base_url: str) -> str:
    return "the sandbox" if base_url == SANDBOX else base_url
