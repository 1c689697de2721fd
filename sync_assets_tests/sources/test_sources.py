"""All 20 resources arrive complete and typed through dlt alone, with the right requests."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sync_assets.base.errors import SyncError
from sync_assets.sources.affiliates import affiliates
from sync_assets.sources.events import events
from sync_assets.sources.promotions import promotions
from sync_assets_tests.support.fake_api import AUTHORIZATION
from sync_assets_tests.support.world import APIS, World

PATHS = {
    ("promotions", "promotions"): "/promotions",
    ("promotions", "organizing_brands"): "/organizing_brands",
    ("promotions", "stages"): "/stages/{}",
    ("promotions", "users"): "/users/{}",
    ("promotions", "participations"): "/participations/{}",
    ("promotions", "prizes"): "/prizes/{}",
    ("promotions", "rankings"): "/ranking/{}",
    ("affiliates", "affiliates"): "/v1/affiliates",
    ("affiliates", "coupons"): "/v1/coupons",
    ("affiliates", "referrals"): "/v1/referrals",
    ("events", "events_series"): "/event_series",
    ("events", "events"): "/event_series/{}/events",
    ("events", "waitlists"): "/event_series/{}/waitlist_signups",
    ("events", "products"): "/products",
    ("events", "vouchers"): "/vouchers",
    ("events", "vouchers_codes"): "/vouchers/{}/codes",
    ("events", "discounts"): "/discounts",
    ("events", "check_ins"): "/check_ins",
    ("events", "issued_tickets"): "/issued_tickets",
    ("events", "orders"): "/orders",
}
PARENT = {
    "promotions": ("promotions", "promotion_id"),
    "events": ("events_series", "event_series_id"),
}
PARENT_OF_CODES = ("vouchers", "voucher_id")
ODD_IDS = [
    "a/b", "q?z=1", "h#k", "p%41", "c,d", "e;f", "g|h", "i'j", 'k"l', "sp ace", "ünïcode", "日本",
    "💥", "x" * 300, "../..", "a\\b", "+", "&a=b", "%2e%2e", "...", "a\tb",
]  # fmt: skip
SQL = "'; DROP TABLE users; --"


def parent_of(source: str, resource: str) -> tuple[str, str] | None:
    """The parent resource and the column of its id."""
    if "{}" not in PATHS[source, resource]:
        return None
    return PARENT_OF_CODES if resource == "vouchers_codes" else PARENT[source]


def value(name: str, data_type: str, n: int) -> Any:
    """A value of a column, different for each n, now and then null."""
    if name != "id" and (n + len(name)) % 4 == 0 and name != "created_at":
        return None
    values = {
        "text": f"{name} {n} é日💥\n'\"",
        "bigint": n * 10**9,
        "bool": n % 2 == 0,
        "json": {"n": [n, None, 1.5, {"ü": "é"}]},
    }
    return values[data_type]


def record(source: str, resource: str, n: int) -> dict[str, Any]:
    """The n-th record as the API sends it: all declared fields, and one that nobody declared."""
    result: dict[str, Any] = {"surprise": f"new {n}"}
    parent = parent_of(source, resource)
    for name, column in APIS[source].endpoints[resource].columns.items():
        outer, _, inner = name.partition("__")
        if parent and name == parent[1]:
            continue
        if inner:
            result.setdefault(outer, {})[inner] = value(name, str(column["data_type"]), n)
        else:
            result[name] = value(name, str(column["data_type"]), n)
    return result


def as_loaded(source: str, resource: str, sent: dict[str, Any], parent: str | None) -> Any:
    """What a record should be in the warehouse: JSON decoded, nulls left out."""
    row: dict[str, Any] = {}
    for name, item in sent.items():
        declared = APIS[source].endpoints[resource].columns.get(name)
        if isinstance(item, dict) and declared is None:
            row.update({f"{name}__{inner}": v for inner, v in item.items()})
        else:
            row[name] = item
    column = parent_of(source, resource)
    if column:
        row[column[1]] = parent
    return {name: item for name, item in row.items() if item is not None}


def fill(world: World) -> dict[tuple[str, str], list[Any]]:
    """Seven records in each list, below three parents where it has any; gives the truth."""
    truth: dict[tuple[str, str], list[Any]] = {}
    for (source, resource), path in PATHS.items():
        parent = parent_of(source, resource)
        parents = [record(source, parent[0], n)["id"] for n in range(3)] if parent else [None]
        rows = truth[source, resource] = []
        for i, of in enumerate(parents):
            count = 3 if resource in ("promotions", "events_series", "vouchers") else 7 - 3 * i
            sent = [record(source, resource, n) for n in range(count)]
            world.api.lists[path.replace("{}", str(of))] = sent
            rows += [as_loaded(source, resource, item, of) for item in sent]
    return truth


@pytest.fixture(scope="module")
def loaded(shared: World) -> dict[tuple[str, str], list[Any]]:
    """All three sources, loaded by dlt alone; the truth that the tables must equal."""
    truth = fill(shared)
    for source in (promotions(), affiliates(), events()):
        shared.run(source)
    return truth


def decoded(world: World, table: str) -> list[Any]:
    """The rows of a table with their JSON columns decoded."""
    nested = {name for name, kind in world.columns(table).items() if kind == "JSON"}
    return [
        {name: json.loads(item) if name in nested else item for name, item in row.items()}
        for row in world.rows(table)
    ]


@pytest.mark.parametrize(("source", "resource"), PATHS)
def test_a_table_equals_what_the_api_lists(
    shared: World, loaded: dict[tuple[str, str], list[Any]], source: str, resource: str
) -> None:
    rows = decoded(shared, f"{source}.{resource}")
    assert sorted(map(repr_sorted, rows)) == sorted(map(repr_sorted, loaded[source, resource]))


def repr_sorted(row: dict[str, Any]) -> str:
    """A row as text that is equal for equal rows."""
    return json.dumps(row, sort_keys=True)


@pytest.mark.parametrize(("source", "resource"), PATHS)
def test_each_page_is_asked_for_once(
    shared: World, loaded: dict[tuple[str, str], list[Any]], source: str, resource: str
) -> None:
    path = PATHS[source, resource]
    asked = Counter(
        (seen.path, seen.raw_query)
        for seen in shared.api.seen
        if seen.source == source and matches(seen.path, path)
    )
    lists = {p: len(rows) for p, rows in shared.api.lists.items() if matches(p, path)}
    assert set(asked.values()) == {1}
    assert len(asked) == sum(max(1, -(-count // 3)) for count in lists.values())


def matches(path: str, pattern: str) -> bool:
    """Whether a path is one of a resource's lists."""
    before, _, after = pattern.partition("{}")
    return (
        path == before
        if not after and before == pattern
        else (path.startswith(before) and path.endswith(after) and len(path) > len(before))
    )


@pytest.mark.parametrize("source", APIS)
def test_each_request_carries_the_credential_of_its_api(
    shared: World, loaded: dict[tuple[str, str], list[Any]], source: str
) -> None:
    sent = {seen.headers["authorization"] for seen in shared.api.seen if seen.source == source}
    assert sent == {AUTHORIZATION[source]}


def test_promotions_are_asked_for_no_page_size(
    shared: World, loaded: dict[tuple[str, str], list[Any]]
) -> None:
    sizes = {(seen.source, seen.query.get("limit")) for seen in shared.api.seen}
    assert sizes == {("promotions", None), ("affiliates", "100"), ("events", "100")}


@pytest.mark.parametrize(("source", "resource"), PATHS)
def test_columns_have_their_declared_types(
    shared: World, loaded: dict[tuple[str, str], list[Any]], source: str, resource: str
) -> None:
    types = {"text": "VARCHAR", "bigint": "BIGINT", "bool": "BOOLEAN", "json": "JSON"}
    found = shared.columns(f"{source}.{resource}")
    for name, column in APIS[source].endpoints[resource].columns.items():
        assert found[name] == types[str(column["data_type"])], name


@pytest.mark.parametrize("source", APIS)
def test_a_page_size_that_is_set_is_sent(world: World, source: str) -> None:
    resource, path = {
        "promotions": ("promotions", "/promotions"),
        "affiliates": ("coupons", "/v1/coupons"),
        "events": ("orders", "/orders"),
    }[source]
    world.api.lists[path] = [{"id": n if source == "affiliates" else f"r{n}"} for n in range(5)]
    world.configure(source, page_size=2)
    assert len(world.read(source, resource)) == 5
    assert [seen.query["limit"] for seen in world.api.asked(path)] == ["2", "2", "2"]


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_a_base_url_may_end_in_a_slash(world: World, slash: str) -> None:
    world.api.lists["/v1/coupons"] = [{"id": 1}]
    world.configure("affiliates", base_url=world.api.base_url("affiliates") + slash)
    assert len(world.read("affiliates", "coupons")) == 1


def test_settings_may_be_arguments(world: World) -> None:
    world.monkeypatch.delenv("SOURCES__AFFILIATES__API_KEY")
    world.api.lists["/v1/coupons"] = [{"id": 1}]
    assert len(world.read("affiliates", "coupons", api_key="canary-affkey")) == 1


def test_children_are_read_for_the_given_parents_alone(world: World) -> None:
    world.api.lists.update({f"/users/{n}": [{"id": "u"}] for n in range(9)})
    rows = world.read("promotions", "users", parents={"promotions": ["3", "7"]})
    assert sorted(row["promotion_id"] for row in rows) == ["3", "7"]
    assert sorted(seen.path for seen in world.api.seen) == ["/users/3", "/users/7"]


def test_parents_are_read_once_for_all_their_children(world: World) -> None:
    world.api.lists["/promotions"] = [{"id": str(n)} for n in range(4)]
    for kind in ("stages", "users", "participations", "prizes", "ranking"):
        world.api.lists.update({f"/{kind}/{n}": [{"id": "c"}] for n in range(4)})
    source = promotions().with_resources("stages", "users", "participations", "prizes", "rankings")
    assert sum(table.num_rows for table in source) == 20
    assert len(world.api.asked("/promotions")) == 2
    assert len(world.api.seen) == 22


@pytest.mark.parametrize("odd", [*ODD_IDS, SQL])
def test_an_odd_id_stays_inside_the_path(world: World, odd: str) -> None:
    world.api.lists["/promotions"] = [{"id": odd}]
    world.api.lists[f"/users/{odd}"] = [{"id": odd}]
    rows = world.read("promotions", "users")
    assert [(row["promotion_id"], row["id"]) for row in rows] == [(odd, odd)]
    asked = world.api.seen[-1]
    assert (asked.raw_path.count("/"), asked.raw_query) == (2, "")


@pytest.mark.parametrize("odd", ["", ".", "..", " ", "\n"])
def test_an_id_that_would_leave_the_path_is_refused(world: World, odd: str) -> None:
    with pytest.raises(Exception, match="cannot be an id in the path") as caught:
        world.read("promotions", "users", parents={"promotions": [odd]})
    assert caused_by(caught.value, SyncError)
    assert not world.api.seen


def caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error of this kind is behind an error."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, kind):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


RANKS: list[Any] = [
    {"id": "9", "name": "a", "points": "5"},
    {"id": "8", "name": "b", "points": "4"},
]
NO_ID = [{"user_id": "u1", "position": 1}, {"user_id": "u2", "position": 2}]
POSITIONS = [{"position": 1, "name": "a"}, {"position": 2, "name": "b"}]


@pytest.mark.parametrize(
    ("sent", "ids"),
    [(RANKS, ["9", "8"]), (NO_ID, ["u1", "u2"]), (POSITIONS, ["1 a", "2 b"]), ([], [])],
)
@pytest.mark.parametrize("bare", [False, True])
def test_rankings_are_items_or_a_bare_list_with_or_without_id(
    world: World, sent: list[Any], ids: list[str], bare: bool
) -> None:
    world.api.lists["/ranking/1"] = sent
    if bare:
        world.api.fail("/ranking/1", body=b" \n" + json.dumps(sent).encode())
    rows = world.read("promotions", "rankings", parents={"promotions": ["1"]})
    assert [(row["promotion_id"], row["id"]) for row in rows] == [("1", key) for key in ids]


def test_a_promotion_without_rankings_has_none(world: World) -> None:
    assert world.read("promotions", "rankings", parents={"promotions": ["1"]}) == []


def test_rankings_that_vanish_on_page_2_are_an_error(world: World) -> None:
    world.api.lists["/ranking/1"] = [{"id": str(n)} for n in range(5)]
    world.api.fail("/ranking/1", page=2, status=404)
    with pytest.raises(Exception, match=r"rankings of 1, page 2 .* 404"):
        world.read("promotions", "rankings", parents={"promotions": ["1"]})


@pytest.mark.parametrize("resource", ["stages", "users", "participations", "prizes"])
def test_only_rankings_may_be_missing(world: World, resource: str) -> None:
    with pytest.raises(Exception, match=f"{resource} of 1, page 1 .* 404"):
        world.read("promotions", resource, parents={"promotions": ["1"]})


def test_a_strict_source_stops_at_the_first_failure(world: World, tmp_path: Path) -> None:
    world.api.lists["/users/1"] = [{"id": "u"}]
    with pytest.raises(Exception, match="users of 2, page 1"):
        world.run(promotions(parents={"promotions": ["1", "2"]}).with_resources("users"))


def test_a_strict_source_refuses_records_that_are_not_as_declared(world: World) -> None:
    world.api.lists["/users/1"] = [{"id": "u"}, {"id": None}]
    with pytest.raises(Exception, match="users of 1: 1 records are not as declared"):
        world.read("promotions", "users", parents={"promotions": ["1"]})


def test_building_a_source_asks_nothing(world: World) -> None:
    for source in (promotions(), affiliates(), events()):
        assert source.resources
    assert not world.api.seen
