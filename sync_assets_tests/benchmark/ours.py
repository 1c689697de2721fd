"""The load path of this project, which Dagster's runs use: every guard on."""

from __future__ import annotations

from pathlib import Path

from sync_assets.sources.promotions import API
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.benchmark.contenders import PAGED


def run(base_url: str, token: str, database: Path) -> None:
    """Read the account into DuckDB; the environment says from where and to where."""
    sync(Request(API, PAGED))
