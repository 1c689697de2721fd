"""A configured account: the server of the three APIs, and a warehouse file of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import dlt
import duckdb
import pytest
from dlt.extract import DltSource

from sync_assets.sources import affiliates, events, promotions
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.http import retries
from sync_assets.sources.rest.http.usage_file import file_of
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.resources import dlt_source
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.fake_api import SECRETS, FakeApi
from sync_assets_tests.support.observers import Hearing

APIS: dict[str, Api] = {
    "promotions": promotions.API,
    "affiliates": affiliates.API,
    "events": events.API,
}
SECRET_FIELDS = {"promotions": "BEARER_TOKEN", "affiliates": "API_KEY", "events": "API_KEY"}
SHORT_JITTER = (0.001, 0.005)  # seconds by which a request waits longer than it is asked to
SETTINGS = {"BACKOFF_FACTOR": "0", "MAX_RETRIES": "1", "REQUESTS_PER_MINUTE": "0", "TIMEOUT": "5",
            "RATE_WINDOW": "1", "RESUME_WITHIN": "0"}  # fmt: skip


@dataclass
class World:
    """A configured account: the server of the three APIs and the warehouse's file."""

    api: FakeApi
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def configure(self, source: str, **settings: object) -> None:
        """Set `SOURCES__<SOURCE>__*` in the environment."""
        for name, value in settings.items():
            self.monkeypatch.setenv(f"SOURCES__{source}__{name}".upper(), str(value))

    def forget_rests(self) -> None:
        """Let nobody rest because of what another test asked, or of a clock that was moved."""
        for source, secret in SECRETS.items():
            file_of(f"{self.api.base_url(source)} {secret}").unlink(missing_ok=True)

    def sync(
        self,
        source: str,
        *resources: str,
        parents: Mapping[str, Sequence[str]] | None = None,
        allow_empty: bool = False,
        say: Callable[[str], None] | None = None,
        read: Literal["sweep", "heads"] = "sweep",
    ) -> dict[str, ListResult]:
        """Sync leniently, as Dagster does; gives the listings by name."""
        request = Request(APIS[source], resources, parents, allow_empty, read=read)
        result = sync(request, Hearing(say))
        return {listing.name: listing for listing in result.listings.values()}

    def read(self, source: str, resource: str, **arguments: Any) -> list[dict[str, Any]]:
        """Read a resource with dlt alone, without a warehouse."""
        found = dlt_source(APIS[source])(**arguments).with_resources(resource)
        return [row for table in found for row in table.to_pylist()]

    def run(self, source: DltSource) -> None:
        """Run a source with dlt alone, as a user without Dagster does."""
        dlt.pipeline(
            source.name,
            destination=dlt.destinations.duckdb(str(self.folder / "warehouse.duckdb")),
            dataset_name=source.name,
            pipelines_dir=str(self.folder / "pipelines"),
        ).run(source)

    def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the warehouse."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as connection:
            found = connection.execute(sql, values)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of `source.table` by their keys, without nulls and without dlt's columns."""
        return [
            {k: v for k, v in row.items() if v is not None and not k.startswith("_dlt")}
            for row in self.query(f"SELECT * FROM {table} ORDER BY ALL")  # noqa: S608 - our names
        ]

    def ids(self, table: str) -> list[Any]:
        """The ids in a table, sorted."""
        return [row["id"] for row in self.query(f"SELECT id FROM {table} ORDER BY id")]  # noqa: S608

    def columns(self, table: str) -> dict[str, str]:
        """The columns of a table and their types."""
        return {row["column_name"]: row["column_type"] for row in self.query(f"DESCRIBE {table}")}

    def quarantined(self, source: str) -> list[dict[str, Any]]:
        """What could not be loaded as declared."""
        return self.rows(f"{source}._quarantine")


@contextmanager
def new_world(folder: Path) -> Iterator[World]:
    """An account of its own, configured as a user configures one."""
    with pytest.MonkeyPatch.context() as monkeypatch, FakeApi().running() as api:
        world = World(api, folder, monkeypatch)
        monkeypatch.setattr(retries, "JITTER", SHORT_JITTER)
        monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", "duckdb")
        monkeypatch.setenv("DESTINATION__WAREHOUSE__CREDENTIALS", str(folder / "warehouse.duckdb"))
        for source, secret in SECRETS.items():
            world.configure(source, BASE_URL=api.base_url(source), **SETTINGS)
            world.configure(source, **{SECRET_FIELDS[source]: secret})
        world.forget_rests()
        yield world
