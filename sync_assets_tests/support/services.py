"""What some tests need and not every machine has."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def unavailable(reason: str) -> NoReturn:
    """Skip for want of a service; where SERVICES_REQUIRED is set, as `.ci/run` does, fail."""
    if os.environ.get("SERVICES_REQUIRED"):
        pytest.fail(f"SERVICES_REQUIRED is set, but {reason}")
    pytest.skip(reason)
