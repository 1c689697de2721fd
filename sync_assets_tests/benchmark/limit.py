"""The practical limit: asyncio, httpx, orjson and DuckDB, ten requests in flight, no guards."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson

from sync_assets_tests.benchmark.contenders import IN_FLIGHT

CHILDREN = {"users": "users", "participations": "participations", "prizes": "prizes",
            "rankings": "ranking"}  # fmt: skip


def run(base_url: str, token: str, database: Path) -> None:
    """Read the promotions account into DuckDB."""
    rows = asyncio.run(_read(base_url, token))
    connection = duckdb.connect(str(database))
    connection.execute("CREATE SCHEMA IF NOT EXISTS account")
    for table, records in rows.items():
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            file.write(b"\n".join(orjson.dumps(record) for record in records))
            file.flush()
            connection.execute(
                f"CREATE OR REPLACE TABLE account.{table} AS "
                f"FROM read_json('{file.name}', format='newline_delimited', union_by_name=true)"
            )
    connection.close()


async def _read(base_url: str, token: str) -> dict[str, list[Any]]:
    slots = asyncio.Semaphore(IN_FLIGHT)
    limits = httpx.Limits(max_connections=IN_FLIGHT)
    headers = {"Authorization": f"Bearer {token}"}
    rows: dict[str, list[Any]] = {"promotions": [], **{name: [] for name in CHILDREN}}
    async with httpx.AsyncClient(headers=headers, limits=limits, timeout=60) as client:

        async def read(path: str) -> list[Any]:
            found: list[Any] = []
            params: dict[str, Any] = {}
            while True:
                async with slots:
                    answer = await client.get(f"{base_url}{path}", params=params)
                page = orjson.loads(answer.content)
                found.extend(page["items"])
                cursor = page["paging"].get("next_cursor")
                if not cursor:
                    return found
                params = {"next_cursor": cursor}

        async def child(table: str, path: str, promotion: str) -> None:
            for row in await read(f"/{path}/{promotion}"):
                row["promotion_id"] = promotion
                rows[table].append(row)

        rows["promotions"] = await read("/promotions")
        await asyncio.gather(
            *(
                child(table, path, promotion["id"])
                for promotion in rows["promotions"]
                for table, path in CHILDREN.items()
            )
        )
    return rows
