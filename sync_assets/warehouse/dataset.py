"""Refuses two sources with the same dataset, because their tables could have the same names."""

from __future__ import annotations

from sync_assets.base.errors import ConfigurationError
from sync_assets.sources import apis
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.dataset import dataset_name
from sync_assets.sources.rest.settings import variable


def dataset_of(api: Api) -> str:
    """Return the dataset of a source; reads no secret. See `refuse_shared_dataset`."""
    account = Account(api)
    refuse_shared_dataset(account)
    return account.dataset


def refuse_shared_dataset(account: Account) -> None:
    """Raise `ConfigurationError` if another source has the same dataset or has no valid one."""
    own = account.api.name
    chosen = dataset_name(own, sandbox=False)
    for other in apis():
        if other != own and dataset_name(other, sandbox=False) == chosen:
            raise ConfigurationError(
                f"{own} and {other} would share the dataset {chosen}, where their tables "
                f"could meet. Set {variable(own, 'dataset')} or "
                f"{variable(other, 'dataset')} to another name."
            )
