"""The load path of this project, which Dagster's runs use: every guard on."""

from __future__ import annotations

import os
from pathlib import Path

RESOURCES = ["promotions", "users", "participations", "prizes", "rankings"]


def run(base_url: str, token: str, database: Path) -> int:
    """Read the promotions account into DuckDB; gives the rows."""
    os.environ.update(
        SOURCES__PROMOTIONS__BASE_URL=base_url,
        SOURCES__PROMOTIONS__BEARER_TOKEN=token,
        SOURCES__PROMOTIONS__MAX_CONCURRENCY="10",
        SOURCES__PROMOTIONS__REQUESTS_PER_MINUTE="0",
        DESTINATION__WAREHOUSE__DESTINATION_TYPE="duckdb",
        DESTINATION__WAREHOUSE__CREDENTIALS=str(database),
    )
    from sync_assets.sources.promotions import API
    from sync_assets.warehouse.sync import Request, sync

    journal = sync(Request(API, RESOURCES))
    assert not journal.failed(), journal.failed()
    return sum(listing.rows for listing in journal.complete())
