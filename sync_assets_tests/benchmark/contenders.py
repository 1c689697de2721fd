"""Who competes: each reads the promotions account into a DuckDB file of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

IN_FLIGHT = 10
PAGED = ("promotions", "users", "participations", "prizes", "rankings")
ALL = (*PAGED, "organizing_brands", "stages")


@dataclass(frozen=True)
class Contender:
    """A contender, and where its rows are afterwards.

    Without a `module` it is the command itself, of which only the whole process can be timed.
    """

    title: str
    module: str | None = None
    dataset: str = "account"
    parent: str = "promotion_id"
    tables: tuple[str, ...] = PAGED

    def command(self, base_url: str, token: str, database: Path) -> list[str]:
        """The process to start."""
        if self.module is None:
            return [str(Path(sys.executable).with_name("sync-assets")), "promotions"]
        runner = [sys.executable, "-m", "sync_assets_tests.benchmark.contender"]
        return [*runner, self.module, base_url, token, str(database)]


CONTENDERS = {
    "limit": Contender("asyncio + httpx + orjson + DuckDB", "limit"),
    "ours": Contender("sync_assets", "ours", "promotions"),
    "dagster": Contender(
        "sync_assets in Dagster, every event", "in_dagster", "promotions", tables=ALL
    ),
    "command": Contender("`sync-assets promotions`", None, "promotions", tables=ALL),
    "plain_dlt": Contender("dlt rest_api as people write it", "plain_dlt", parent="_promotions_id"),
}
if find_spec("airbyte"):
    CONTENDERS["pyairbyte"] = Contender("PyAirbyte", "pyairbyte")
