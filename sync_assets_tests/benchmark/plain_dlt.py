"""dlt's `rest_api` as people write it: paginator and children right, everything else by default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

CHILDREN = {"users": "users", "participations": "participations", "prizes": "prizes",
            "rankings": "ranking"}  # fmt: skip


def run(base_url: str, token: str, database: Path) -> None:
    """Read the promotions account into DuckDB."""
    paging: dict[str, Any] = {
        "data_selector": "items",
        "paginator": {
            "type": "cursor",
            "cursor_param": "next_cursor",
            "cursor_path": "paging.next_cursor",
        },
    }
    promotions = {"name": "promotions", "endpoint": {"path": "/promotions", **paging}}
    children: list[Any] = [
        promotions,
        *(
            {
                "name": name,
                "endpoint": {"path": f"/{path}/{{resources.promotions.id}}", **paging},
                "include_from_parent": ["id"],
                "primary_key": ["_promotions_id", "user_id" if name == "rankings" else "id"],
            }
            for name, path in CHILDREN.items()
        ),
    ]
    source = rest_api_source(
        {
            "client": {"base_url": base_url, "auth": {"type": "bearer", "token": token}},
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": [
                *children,
            ],
        }
    )
    pipeline = dlt.pipeline(
        "account",
        pipelines_dir=str(database.parent / "pipelines"),
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="account",
    )
    pipeline.run(source)
