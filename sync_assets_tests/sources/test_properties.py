"""Properties that hold for any list, any id and any record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_assets.lib.keys import parent_id, partition_key
from sync_assets.sources.rest.records.columns import columns
from sync_assets.sources.rest.records.rows import RowTyper
from sync_assets_tests.support.counts import Count
from sync_assets_tests.support.world import World

OVER_HTTP = Count("lists of any length and page size, over HTTP", sample=40, full=1_000)
ANY_RECORD = Count("records of any fields and values", sample=120, full=10_000)
LISTS: dict[str, tuple[str, str, Callable[[int], object]]] = {
    "promotions": ("organizing_brands", "/organizing_brands", str),
    "affiliates": ("coupons", "/v1/coupons", int),
    "events": ("orders", "/orders", "or_{}".format),
}
TYPER = RowTyper(
    columns(required="id", text="id name", bigint="n", double="x", boolean="b", json="j")
)
SCALAR = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    SCALAR | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["id", "name", "n", "x", "b", "j", "unknown", "Un Known", "_dlt_id", ""])
RECORDS = st.lists(st.dictionaries(FIELDS, JSON, max_size=8) | JSON, max_size=8)


@pytest.mark.long
@OVER_HTTP
@settings(
    max_examples=OVER_HTTP.size,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    source=st.sampled_from(sorted(LISTS)),
    rows=st.integers(0, 25),
    page_size=st.integers(1, 9),
    closes_with_null=st.booleans(),
)
def test_any_list_is_read_whole_whatever_its_pages(
    world: World, source: str, rows: int, page_size: int, *, closes_with_null: bool
) -> None:
    resource, path, make_id = LISTS[source]
    world.api.page_size = page_size
    world.api.last_links = {"next": None} if closes_with_null else None
    world.api.lists[path] = [{"id": make_id(i)} for i in range(1, rows + 1)]
    world.api.seen.clear()
    if source == "affiliates" and not closes_with_null:
        world.api.last_links = {}
    found = [row["id"] for row in world.read(source, resource)]
    assert found == [make_id(i) for i in range(1, rows + 1)]
    pages = max(1, -(-rows // page_size))
    extra = source == "events" and not closes_with_null and rows > 0
    assert len(world.api.asked(path)) == pages + extra


@given(st.text(min_size=1, max_size=300))
def test_any_id_survives_as_a_partition_key(one: str) -> None:
    key = partition_key(one)
    assert parent_id(key) == one
    assert not set(key) & set(',[]"\n\t|<>{}')
    assert "..." not in key
    assert key.isascii()


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_ids_never_share_a_key(one: str, other: str) -> None:
    assert (partition_key(one) == partition_key(other)) == (one == other)


@ANY_RECORD
@settings(max_examples=ANY_RECORD.size, deadline=None)
@given(RECORDS)
def test_any_record_is_loaded_as_it_is_or_kept_with_a_reason(records: list[Any]) -> None:
    table, problems = TYPER.table(records, None)
    kept = [json.loads(problem.record) for problem in problems]
    loaded = table.to_pylist()
    assert all(problem.reason for problem in problems)
    for record in records:
        assert _faithful(record, loaded) or record in kept


def _faithful(record: Any, loaded: list[dict[str, Any]]) -> bool:
    return isinstance(record, dict) and any(_same(record, row) for row in loaded)


def _same(record: dict[str, Any], row: dict[str, Any]) -> bool:
    for name in ("n", "x", "b"):
        if record.get(name) != row[name]:
            return False
    for name in ("id", "name"):
        value = record.get(name)
        if (None if value is None else str(value)) != row[name]:
            return False
    return record.get("j") == (None if row["j"] is None else json.loads(row["j"]))
