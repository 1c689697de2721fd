"""The name of a source's dataset: the source's name, or a configured one."""

from __future__ import annotations

import re

import dlt

from sync_assets.base.errors import ConfigurationError
from sync_assets.sources.rest.settings import SANDBOX, variable

LONGEST = 40
_PLAIN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: What is added to names, and what servers and staging datasets are called.
_TAKEN = re.compile(rf".*({SANDBOX}|staging|typed)|pg_.*|information_schema|sync_assets_.*")


def dataset_name(source: str, *, sandbox: bool) -> str:
    """Return the dataset of a source, with the suffix `_sandbox` in the sandbox.

    Reads no other setting of the source, because these may be secrets. Raises `ConfigurationError`
    if the name is not allowed.
    """
    configured: object = dlt.config.get(f"sources.{source}.dataset")
    name = source if configured is None or configured == "" else str(configured)
    if name != source and _is_no_dataset(name):
        raise ConfigurationError(
            f"{variable(source, 'dataset')} must be the name of a dataset, not {name!r}: lower-case"
            f" letters, digits and single underscores, a letter first, at most {LONGEST}; none"
            f" that ends in {SANDBOX}, staging or typed or begins with pg_ or sync_assets_."
        )
    return f"{name}_{SANDBOX}" if sandbox else name


def _is_no_dataset(name: str) -> bool:
    return not _PLAIN.fullmatch(name) or bool(_TAKEN.fullmatch(name)) or len(name) > LONGEST
