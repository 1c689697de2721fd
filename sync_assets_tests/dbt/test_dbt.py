"""`sync-assets dbt` in a real dbt project: parsed, built on, tested, joined up by dagster-dbt.

`uv run --isolated --no-dev --group dbt pytest -m long -n 0 sync_assets_tests/dbt` runs them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sync_assets import cli
from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets.sources import apis
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.dagster_world import LOADED, environment
from sync_assets_tests.support.postgres import PostgresWorld, either_warehouse
from sync_assets_tests.support.world import World

pytestmark = pytest.mark.long
NOON = 1_795_262_400.0
SCALE = Scale(
    promotions=4, users=4, participations=4, prizes=3, rankings=3, affiliates=6, coupons=6,
    referrals=8, event_series=2, events=3, waitlists=2, voucher_codes=3, orders=20,
)  # fmt: skip
PROJECT = """
name: analytics
version: "1.0"
profile: analytics
model-paths: [models]
flags: {send_anonymous_usage_stats: false}
"""
PROFILE = """
analytics:
  target: dev
  outputs:
    dev: {{{connection}, schema: analytics, threads: 1}}
"""
DUCKDB = "type: duckdb, path: {path}"
POSTGRES = "type: postgres, host: 127.0.0.1, port: 5432, user: postgres, pass: x, dbname: {name}"
WEEKLY = """
SELECT date_trunc('week', o.created_at) AS week, o.currency__code AS currency,
       count(*) AS orders, sum(o.total) AS total
FROM {{ source('events', 'orders') }} AS o
JOIN {{ source('events', 'events_series') }} AS s ON s.id = o.event_summary__event_series_id
GROUP BY 1, 2
"""


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Path]]:
    """A warehouse that was synced, and a dbt project whose sources are those that we write."""
    account = Account(seed=5, scale=SCALE, clock=lambda: NOON)
    made = either_warehouse(request.param, tmp_path_factory.mktemp("dbt"))
    with made as world, Sandbox(account) as sandbox:
        for name, value in environment(sandbox, Path()).items():
            if name.startswith("SOURCES__"):
                world.monkeypatch.setenv(name, value)
        for api in apis().values():
            assert sync(Request(api, list(api.endpoints))).failed() == []
        folder = world.folder / "analytics"
        (folder / "models").mkdir(parents=True)
        connection = (
            POSTGRES.format(name=world.database)
            if isinstance(world, PostgresWorld)
            else DUCKDB.format(path=world.folder / "warehouse.duckdb")
        )
        (folder / "dbt_project.yml").write_text(PROJECT)
        (folder / "profiles.yml").write_text(PROFILE.format(connection=connection))
        (folder / "models" / "weekly.sql").write_text(WEEKLY)
        assert cli.main(["dbt", str(folder / "models" / "sources.yml")]) == 0
        yield world, folder


def dbt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("dbt")
    return subprocess.run(
        [command, *words, "--no-use-colors", "--profiles-dir", folder],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_model_is_built_and_every_test_of_the_sources_passes(
    project: tuple[World, Path],
) -> None:
    world, folder = project
    done = dbt(folder, "build")
    assert done.returncode == 0, done.stdout
    assert "WARN=0 ERROR=0 SKIP=0" in done.stdout
    assert "deprecat" not in done.stdout.lower()
    (ours,) = world.query("SELECT sum(orders) AS orders FROM analytics.weekly")
    (theirs,) = world.query("SELECT count(*) AS orders FROM events.orders")
    assert ours == theirs


def test_freshness_is_that_of_the_clocks(project: tuple[World, Path]) -> None:
    world, folder = project
    fresh = dbt(folder, "source", "freshness")
    assert fresh.returncode == 0, fresh.stdout
    assert fresh.stdout.count("PASS freshness of") == 20
    world.query(
        "UPDATE events._syncs SET synced_at = '2020-01-01T00:00:00+00:00', fresh_at = NULL "
        "WHERE resource = 'orders'"
    )
    stale = dbt(folder, "source", "freshness")
    assert "WARN freshness of events.orders" in stale.stdout
    assert stale.stdout.count("PASS freshness of") == 19


def test_the_assets_join_up_by_key(project: tuple[World, Path]) -> None:
    import dagster_dbt

    _, folder = project
    assert dbt(folder, "parse").returncode == 0

    @dagster_dbt.dbt_assets(manifest=folder / "target" / "manifest.json")  # type: ignore[untyped-decorator, unused-ignore]
    def analytics() -> Any:
        """The models of the project, which nothing runs."""

    graph = dg.Definitions.merge(LOADED, dg.Definitions([analytics])).resolve_asset_graph()
    parents = {key.to_user_string() for key in graph.get(dg.AssetKey("weekly")).parent_keys}
    assert parents == {"events/orders", "events/events_series"}
    assert all(
        graph.get(key).is_materializable for key in graph.get(dg.AssetKey("weekly")).parent_keys
    )


def test_a_row_without_its_parent_fails_a_test(project: tuple[World, Path]) -> None:
    world, folder = project
    world.query("DELETE FROM promotions.promotions")
    done = dbt(folder, "test", "--select", "source:promotions.users")
    assert done.returncode == 1
    assert "relationships" in done.stdout
    assert "ERROR=1" in done.stdout
