"""The dataset of each source in the warehouse: its own name, or one that is configured.

The names are read without the other settings of a source, which may be secrets.
"""

from __future__ import annotations

import re

import dlt

from sync_assets.base.errors import ConfigurationError
from sync_assets.sources import apis
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.settings import SANDBOX, variable

LONGEST = 40
_PLAIN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: What is added to names, and what servers and staging datasets are called.
_TAKEN = re.compile(rf".*({SANDBOX}|staging|typed)|pg_.*|information_schema|sync_assets_.*")


def dataset_of(api: Api) -> str:
    """The dataset of a source; rows of the sandbox never mix with real ones.

    Raises `ConfigurationError` for a name that no dataset may have and for one of two sources.
    """
    chosen = _chosen(api.name)
    for other in apis():
        if other != api.name and _chosen(other) == chosen:
            raise ConfigurationError(
                f"{api.name} and {other} would share the dataset {chosen}, where their tables "
                f"could meet. Set {variable(api.name, 'dataset')} or "
                f"{variable(other, 'dataset')} to another name."
            )
    return f"{chosen}_{SANDBOX}" if api.is_sandbox() else chosen


def _chosen(source: str) -> str:
    configured: object = dlt.config.get(f"sources.{source}.dataset")
    if configured is None or configured == "":
        return source
    name = str(configured)
    if not _PLAIN.fullmatch(name) or _TAKEN.fullmatch(name) or len(name) > LONGEST:
        raise ConfigurationError(
            f"{variable(source, 'dataset')} must be the name of a dataset, not {name!r}: lower-case"
            f" letters, digits and single underscores, a letter first, at most {LONGEST}; none"
            f" that ends in {SANDBOX}, staging or typed or begins with pg_ or sync_assets_."
        )
    return name
