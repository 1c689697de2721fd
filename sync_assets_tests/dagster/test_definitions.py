"""The code location: twenty assets without phantoms, loaded without secrets and without network."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

import sync_assets
from sync_assets.sources import apis
from sync_assets_tests.support.dagster_world import LOADED
from sync_assets_tests.support.world import APIS

PACKAGE = Path(sync_assets.__file__).parent
LAYERS = ["base", "sandbox", "sources", "warehouse", "planning", "lib", "defs"]
ALLOWED = {
    "base": {"base"},
    "sandbox": {"sandbox"},
    "sources": {"base", "sandbox", "sources"},
    "warehouse": {"base", "sources", "warehouse"},
    "planning": {"base", "sources", "warehouse", "planning"},
    "lib": {"base", "sources", "warehouse", "planning", "lib"},
    "defs": {"sources", "lib", "defs"},
}
#: Taking seconds to import, each is for those who use it.
LATER = ["sqlalchemy", "alembic", "apprise", "uvicorn", "starlette", "rich", "psycopg2", "celery",
         "matplotlib", "sqlglot.dialects.duckdb", "sqlglot.dialects.postgres"]  # fmt: skip
REPORTS = {"reports/promotion_funnel", "reports/affiliate_revenue", "reports/event_sales"}
WITHOUT_NETWORK = f"""
import socket
LATER = {LATER}
def refuse(*args): raise AssertionError("a connection was opened", args)
socket.socket.connect = refuse
from sync_assets.definitions import defs
print(len(defs().resolve_asset_graph().get_all_asset_keys()))
import sys
print([name for name in LATER if name in sys.modules])
"""


def key(asset: str) -> dg.AssetKey:
    return dg.AssetKey(asset.split("/"))


def synced() -> set[dg.AssetKey]:
    """All assets but the reports."""
    return set(LOADED.resolve_asset_graph().get_all_asset_keys()) - set(map(key, REPORTS))


def test_definitions_load_without_secrets_network_or_what_only_others_need(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK],
        cwd=tmp_path,
        env={"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assets = sum(len(api.endpoints) for api in apis().values()) + len(REPORTS)
    assert done.stdout.split("\n") == [f"{assets}", "[]", ""], done.stderr
    assert not list(tmp_path.rglob("*.duckdb"))


def test_there_are_twenty_synced_assets_in_three_groups_and_no_phantoms() -> None:
    graph = LOADED.resolve_asset_graph()
    keys = synced()
    assert {k.to_user_string() for k in keys} == {
        f"{name}/{resource}" for name, api in apis().items() for resource in api.endpoints
    }
    assert len([k for k in keys if k.path[0] in APIS]) == 20
    every = graph.get_all_asset_keys()
    assert not [k for k in every if not graph.get(k).is_executable]
    assert all(graph.get(k).group_name == k.path[0] for k in every)


def test_lineage_goes_from_parent_to_child() -> None:
    graph = LOADED.resolve_asset_graph()
    edges = {
        (parent.to_user_string(), child.to_user_string())
        for child in graph.get_all_asset_keys()
        if child.path[0] in APIS
        for parent in graph.get(child).parent_keys
    }
    children = ("stages", "users", "participations", "prizes", "rankings")
    assert edges == {
        *(("promotions/promotions", f"promotions/{child}") for child in children),
        ("events/events_series", "events/events"),
        ("events/events_series", "events/waitlists"),
        ("events/vouchers", "events/vouchers_codes"),
    }


@pytest.mark.parametrize(
    ("asset", "partitions"),
    [
        ("promotions/users", "promotions"),
        ("events/waitlists", "event_series"),
        ("events/vouchers_codes", None),
        ("promotions/promotions", None),
    ],
)
def test_children_are_partitioned_by_their_parents(asset: str, partitions: str | None) -> None:
    found = LOADED.resolve_asset_graph().get(key(asset)).partitions_def
    assert getattr(found, "name", None) == partitions


def test_assets_carry_description_kinds_table_and_columns() -> None:
    for spec in LOADED.resolve_all_asset_specs():
        assert spec.description
        if spec.key not in synced():
            continue
        source, resource = spec.key.path
        assert {"dlt", "duckdb"} <= spec.kinds
        assert spec.owners == ["team:data"]
        runbook = spec.metadata["documentation"].path
        assert Path(runbook).read_text().startswith("# Operations")
        assert spec.metadata["dagster/table_name"] in (
            f"{source}_sandbox.{resource}",
            f"{source}.{resource}",
        )
        columns = spec.metadata["dagster/column_schema"].columns
        assert "id" in [column.name for column in columns]
        assert not next(column for column in columns if column.name == "id").constraints.nullable


def test_each_api_has_its_sensors_schedules_and_checks() -> None:
    repository = LOADED.get_repository_def()
    sensors = {sensor.name for sensor in repository.sensor_defs}
    assert sensors == {
        "alerts",
        "automation",
        *(f"{api.name}_freshness" for api in apis().values()),
        *(f"{api.name}_{p.partitions}_partitions" for api in apis().values() for p in api.parents),
    }
    assert sensors >= {
        "promotions_freshness",
        "promotions_promotions_partitions",
        "affiliates_freshness",
        "events_freshness",
        "events_event_series_partitions",
    }
    schedules = {schedule.name for schedule in repository.schedule_defs}
    assert schedules == {
        "retention_weekly",
        *(f"{api.name}_hourly" for api in apis().values()),
        *(f"{api.name}_{p.partitions}_hourly" for api in apis().values() for p in api.parents),
    }
    assert schedules >= {
        "promotions_hourly",
        "promotions_promotions_hourly",
        "affiliates_hourly",
        "events_hourly",
        "events_event_series_hourly",
        "retention_weekly",
    }
    assert all(
        sensor.default_status == dg.DefaultSensorStatus.RUNNING for sensor in repository.sensor_defs
    )
    off = dg.DefaultScheduleStatus.STOPPED
    waiting = [one.name for one in repository.schedule_defs if one.default_status == off]
    assert waiting == ["retention_weekly"]  # until RETENTION__KEEP_DAYS is set
    checks = {k.asset_key for k in LOADED.resolve_asset_graph().asset_check_keys}
    assert checks == synced()


def imports_of(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_one_way(layer: str) -> None:
    for module in (PACKAGE / layer).rglob("*.py"):
        for name in imports_of(module):
            top, _, rest = name.partition(".")
            if top == "sync_assets":
                assert rest.split(".")[0] in ALLOWED[layer], f"{module} imports {name}"
            if layer not in ("lib", "defs"):
                assert not top.startswith("dagster"), f"{module} imports {name}"
            assert top != "dagster_embedded_elt", f"{module} imports {name}"


def test_the_frozen_package_and_its_successor_are_the_same() -> None:
    with pytest.warns((DeprecationWarning, UserWarning)):
        from dagster_embedded_elt import dlt as frozen
    import dagster_dlt

    assert frozen.dlt_assets is dagster_dlt.dlt_assets
    assert frozen.DagsterDltTranslator is dagster_dlt.DagsterDltTranslator


def test_the_ui_can_show_all_metadata() -> None:
    graph = LOADED.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        for name, value in graph.get(key).metadata.items():
            assert isinstance(value, dg.MetadataValue | dg.TableSchema | str | int), (key, name)


@pytest.mark.parametrize("module", ["cli", "definitions", "sources.promotions"])
def test_windows_is_refused_in_one_sentence(module: str) -> None:
    pretend = "import os, pathlib, sys; sys.platform = 'win32'"
    done = subprocess.run(
        [sys.executable, "-c", f"{pretend}; import sync_assets.{module}"],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("sync_assets runs on Linux and macOS. On Windows, run it in WSL")
    assert done.stderr.count("\n") == 1


def test_columns_are_described_and_personal_ones_tagged() -> None:
    (users,) = [
        spec
        for spec in LOADED.resolve_all_asset_specs()
        if spec.key == dg.AssetKey(["promotions", "users"])
    ]
    columns = {c.name: c for c in users.metadata["dagster/column_schema"].columns}
    assert all(column.description for column in columns.values())
    personal = {name for name, column in columns.items() if "personal_data" in column.tags}
    assert {"email", "custom_properties", "meta_data"} <= personal
    assert not columns["created"].tags
