"""The typed views: each column of each, what becomes of odd values, and whose views they are."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets.sources import apis
from sync_assets.sources.rest.declaration.typed import ViewColumn, typed_columns
from sync_assets.warehouse.queries import table_stats
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.dagster_world import environment
from sync_assets_tests.support.documents import DOCS
from sync_assets_tests.support.postgres import PostgresWorld, own_database
from sync_assets_tests.support.typed_rows import TypedRows
from sync_assets_tests.support.world import World, new_world

NOON = 1_795_262_400.0
SCALE = Scale(
    promotions=8, users=8, participations=8, prizes=6, rankings=5, affiliates=20, coupons=20,
    referrals=30, event_series=2, events=3, waitlists=4, voucher_codes=5, orders=60,
)  # fmt: skip
KINDS = {
    "text": {"VARCHAR", "TEXT"},
    "bigint": {"BIGINT"},
    "double": {"DOUBLE", "DOUBLE PRECISION"},
    "bool": {"BOOLEAN"},
    "timestamp": {"TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"},
    "date": {"DATE"},
    "decimal": {"DECIMAL(23,4)", "NUMERIC"},
    "json": {"JSON"},
}
VIEWS = [(source, name) for source, api in sorted(apis().items()) for name in api.endpoints]


@pytest.fixture(scope="module", params=["duckdb", pytest.param("postgres", marks=pytest.mark.long)])
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Account]]:
    """An account of the sandbox, synced as a whole."""
    account = Account(seed=5, scale=SCALE, clock=lambda: NOON)
    with new_world(tmp_path_factory.mktemp("typed")) as world, Sandbox(account) as sandbox:
        for name, value in environment(sandbox, Path()).items():
            if name.startswith("SOURCES__"):
                world.monkeypatch.setenv(name, value)
        if request.param == "duckdb":
            whole_sync()
            yield world, account
            return
        with own_database() as database:
            over = PostgresWorld.over(world, database)
            whole_sync()
            yield over, account


def whole_sync() -> None:
    for api in apis().values():
        assert sync(Request(api, list(api.endpoints))).failed() == []


def columns_of(source: str, resource: str) -> list[ViewColumn]:
    api = apis()[source]
    return typed_columns(api.endpoints[resource], api.endpoints)


def test_there_are_twenty() -> None:
    assert len(VIEWS) == 20


@pytest.mark.parametrize(("source", "resource"), VIEWS)
def test_each_column_is_what_the_api_said(
    loaded: tuple[World, Account], source: str, resource: str
) -> None:
    world, account = loaded
    endpoint = apis()[source].endpoints[resource]
    truth = TypedRows(account, source)
    records = truth.records(resource, endpoint.parent_param)
    rows = world.query(f"SELECT * FROM {source}_typed.{resource}")
    assert records
    assert len(rows) == len(records)
    columns = columns_of(source, resource)
    assert list(rows[0]) == [column.name for column in columns]
    key = [endpoint.parent_param, "id"] if endpoint.parent_param else ["id"]
    by_key = {tuple(row[name] for name in key): row for row in rows}
    for record in records:
        expected = {column.name: truth.value(resource, column.name, record) for column in columns}
        row = by_key[tuple(expected[name] for name in key)]
        for column in columns:
            found = row[column.name]
            if column.kind == "json" and isinstance(found, str):
                found = json.loads(found)
            assert found == expected[column.name], column.name
    fields = {name.partition("__")[0] for name in rows[0]}
    assert {name for record in records for name in record} <= fields


@pytest.mark.parametrize(("source", "resource"), VIEWS)
def test_each_column_has_its_type_and_its_description(
    loaded: tuple[World, Account], source: str, resource: str
) -> None:
    world, _ = loaded
    types = world.columns(f"{source}_typed.{resource}")
    for column in columns_of(source, resource):
        assert types[column.name] in KINDS[column.kind], column.name
        assert column.description.endswith("."), column.name


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("source", sorted(apis()))
def test_each_value_is_converted(source: str) -> None:
    api = apis()[source]
    facts, _ = table_stats(api, api.endpoints)
    assert {name: stats.uncast for name, stats in facts.items()} == {name: {} for name in facts}


def test_the_query_of_the_docs_gives_tickets_and_totals_by_week_and_event(
    loaded: tuple[World, Account],
) -> None:
    world, account = loaded
    (query,) = re.findall(r"```sql\n(.*?)```", DOCS["tables"], re.S)
    tickets = Counter(row["order_id"] for row in account.rows("events", "issued_tickets"))
    expected: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0, Decimal(0)])
    for order in account.rows("events", "orders"):
        day = datetime(1970, 1, 1) + timedelta(days=order["created_at"] // 86_400)
        event = order["event_summary"]
        key = (
            day - timedelta(days=day.weekday()), event["event_id"], event["name"],
            order["currency"]["code"],
        )  # fmt: skip
        expected[key][0] += tickets[order["id"]]
        expected[key][1] += Decimal(order["total"]) / order["currency"]["base_multiplier"]
    assert len(expected) > 1
    found = {tuple(row.values())[:4]: tuple(row.values())[4:] for row in world.query(query)}
    weeks = {(datetime(*key[0].timetuple()[:3]), *key[1:]): value for key, value in found.items()}
    assert weeks == {key: tuple(value) for key, value in expected.items()}
