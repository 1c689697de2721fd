"""What the APIs offer: one module an API, each a dlt source that also works without Dagster."""

from __future__ import annotations

import importlib
import pkgutil

from sync_assets.sources.rest.api import Api


def apis() -> dict[str, Api]:
    """Every API that has a module here, by name."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
        if not found.ispkg
    ]
    return {module.API.name: module.API for module in modules}
