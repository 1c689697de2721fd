"""Falls back to Dagster's own classes if a version of Dagster differs from what ours expect.

`dagster.yaml` names classes of ours that use private attributes of Dagster. An upgrade must never
keep Dagster from starting.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import dagster


@contextmanager
def or_dagsters_own(what: str) -> Iterator[None]:
    """Warn, instead of raising, if the block fails because this version of Dagster differs."""
    try:
        yield
    except (AttributeError, ImportError, TypeError) as error:
        warnings.warn(
            f"Dagster {dagster.__version__} is not as the {what} of sync_assets expects "
            f"({error}). Dagster's own is used, which is slower or notices less.",
            RuntimeWarning,
            stacklevel=3,
        )
