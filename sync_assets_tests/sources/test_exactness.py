"""After a sync a table holds what the API lists, no more and no less, and nothing else moved."""

from __future__ import annotations

from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.observers import Hearing
from sync_assets_tests.support.world import APIS, World

PARENTS = ["1", "2", "3"]


def users(*ids: str, note: str = "old") -> list[dict[str, Any]]:
    """Users with these ids."""
    return [{"id": i, "nickname": note} for i in ids]


def sync_users(world: World, *parents: str, allow_empty: bool = False) -> dict[str, str | None]:
    """Sync the users of promotions; the error of each list."""
    found = world.sync(
        "promotions", "users", parents={"promotions": parents}, allow_empty=allow_empty
    )
    return {str(listing.parent): listing.error for listing in found.values()}


def below(world: World, parent: str) -> dict[str, str]:
    """The users below a promotion: their notes by their ids."""
    sql = "SELECT id, nickname FROM promotions.users WHERE promotion_id = ?"
    rows = world.query(sql, parent)
    found = {row["id"]: row["nickname"] for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.fixture(scope="module")
def loaded_once(shared: World) -> Path:
    """A warehouse that holds the users a to e below each of three promotions."""
    shared.api.lists.update({f"/users/{parent}": users(*"abcde") for parent in PARENTS})
    assert sync_users(shared, *PARENTS) == dict.fromkeys(PARENTS)
    return shared.folder / "warehouse.duckdb"


@pytest.fixture
def three(world: World, loaded_once: Path) -> World:
    """Three promotions with the users a to e each, synced."""
    world.api.lists.update({f"/users/{parent}": users(*"abcde") for parent in PARENTS})
    copy(loaded_once, world.folder / "warehouse.duckdb")
    return world


def test_edits_deletes_and_additions_arrive_and_other_partitions_stay(three: World) -> None:
    three.api.lists["/users/2"] = users("b", "d", "x", note="new")
    three.api.lists["/users/3"] = users("z", note="unseen")
    assert sync_users(three, "2") == {"2": None}
    assert below(three, "1") == dict.fromkeys("abcde", "old")
    assert below(three, "2") == {"b": "new", "d": "new", "x": "new"}
    assert below(three, "3") == dict.fromkeys("abcde", "old")


def test_a_row_that_moves_between_partitions_is_in_its_new_place_alone(three: World) -> None:
    three.api.lists["/users/1"] = users(*"abcd")
    three.api.lists["/users/2"] = users(*"abcde", "f")
    sync_users(three, "1", "2")
    assert (sorted(below(three, "1")), sorted(below(three, "2"))) == (list("abcd"), list("abcdef"))


def test_the_same_sync_twice_changes_nothing(three: World) -> None:
    before = three.rows("promotions.users")
    sync_users(three, *PARENTS)
    assert three.rows("promotions.users") == before


def test_a_list_that_is_suddenly_empty_is_refused_and_the_others_load(three: World) -> None:
    three.api.lists["/users/1"] = []
    three.api.lists["/users/2"] = users("n")
    errors = sync_users(three, "1", "2")
    assert "users of 1: the API lists nothing, the warehouse holds 5 rows" in (errors["1"] or "")
    assert "allow_empty" in (errors["1"] or "")
    assert (len(below(three, "1")), list(below(three, "2"))) == (5, ["n"])


def test_allow_empty_empties_a_partition_and_no_other(three: World) -> None:
    three.api.lists["/users/1"] = []
    assert sync_users(three, "1", allow_empty=True) == {"1": None}
    assert [len(below(three, parent)) for parent in PARENTS] == [0, 5, 5]
    assert sync_users(three, "1") == {"1": None}


def test_rows_below_a_parent_that_vanished_stay(three: World) -> None:
    three.api.lists["/promotions"] = users("1", "2", "3")
    three.sync("promotions", "promotions")
    three.api.lists["/promotions"] = users("1", "2")
    three.sync("promotions", "promotions")
    assert three.ids("promotions.promotions") == ["1", "2"]
    assert len(below(three, "3")) == 5


def test_a_promotion_that_answers_404_keeps_its_rows(three: World) -> None:
    del three.api.lists["/users/3"]
    assert "404" in (sync_users(three, *PARENTS)["3"] or "")
    assert len(below(three, "3")) == 5


@pytest.mark.long
def test_rankings_that_vanish_are_an_empty_list(world: World) -> None:
    world.api.lists["/ranking/1"] = [{"position": 1}, {"position": 2}]
    parents = {"promotions": ["1"]}
    world.sync("promotions", "rankings", parents=parents)
    del world.api.lists["/ranking/1"]
    refused = world.sync("promotions", "rankings", parents=parents)["rankings of 1"]
    assert "allow_empty" in (refused.error or "")
    assert world.ids("promotions.rankings") == ["1", "2"]
    world.sync("promotions", "rankings", parents=parents, allow_empty=True)
    assert world.ids("promotions.rankings") == []


def test_partitions_with_odd_keys_are_replaced_and_emptied(world: World) -> None:
    odd = ["a;b\n/{}%s", "'; DROP TABLE x --", "O'Neil"]
    world.api.lists.update({f"/users/{parent}": users("a", "b") for parent in [*odd, "other"]})
    sync_users(world, *odd, "other")
    world.api.lists.update({f"/users/{parent}": [] for parent in odd[:2]})
    world.api.lists["/users/O'Neil"] = users("c")
    assert sync_users(world, *odd, allow_empty=True) == dict.fromkeys(odd)
    assert [len(below(world, parent)) for parent in [*odd, "other"]] == [0, 0, 1, 2]


def test_a_whole_table_is_replaced_and_emptied_only_if_allowed(world: World) -> None:
    world.api.lists["/orders"] = users(*"abcde")
    world.sync("events", "orders")
    world.api.lists["/orders"] = [{"id": "b", "txn_id": "t"}, {"id": "y"}]
    assert world.sync("events", "orders")["orders"].error is None
    assert world.rows("events.orders") == [{"id": "b", "txn_id": "t"}, {"id": "y"}]
    world.api.lists["/orders"] = []
    found = world.sync("events", "orders")["orders"]
    assert "orders: the API lists nothing, the warehouse holds 2 rows" in (found.error or "")
    assert world.ids("events.orders") == ["b", "y"]
    assert world.sync("events", "orders", allow_empty=True)["orders"].error is None
    assert world.ids("events.orders") == []


@pytest.mark.long
@pytest.mark.parametrize("source", APIS)
def test_an_empty_first_sync_makes_the_tables_with_their_declared_types(
    world: World, source: str
) -> None:
    endpoints = APIS[source].endpoints
    parents = {"promotions": ["1"], "events_series": ["1"]}
    for endpoint in endpoints.values():
        world.api.lists[endpoint.path.replace(f"{{{endpoint.parent_param}}}", "1")] = []
    found = world.sync(source, *endpoints, parents=parents)
    assert [listing.name for listing in found.values() if listing.error] == []
    types = {"text": "VARCHAR", "bigint": "BIGINT", "bool": "BOOLEAN", "json": "JSON"}
    for name, endpoint in endpoints.items():
        columns = world.columns(f"{source}.{name}")
        declared = {n: types[str(c["data_type"])] for n, c in endpoint.columns.items()}
        assert {n: t for n, t in columns.items() if not n.startswith("_dlt")} == declared
        assert world.rows(f"{source}.{name}") == []


def test_required_columns_are_not_null(three: World) -> None:
    sql = "SELECT column_name FROM (DESCRIBE promotions.users) WHERE \"null\" = 'NO'"
    assert {row["column_name"] for row in three.query(sql)} >= {"promotion_id", "id"}


def codes(world: World, *vouchers: str) -> None:
    """Vouchers that have two codes each, with the same ids."""
    world.api.lists["/vouchers"] = [{"id": voucher} for voucher in vouchers]
    for voucher in vouchers:
        world.api.lists[f"/vouchers/{voucher}/codes"] = [{"id": "c1"}, {"id": "c2"}]


def held_codes(world: World) -> list[tuple[str, str]]:
    """Voucher and code of each row."""
    sql = "SELECT voucher_id, id FROM events.vouchers_codes ORDER BY ALL"
    return [(row["voucher_id"], row["id"]) for row in world.query(sql)]


def test_voucher_codes_are_replaced_as_a_whole_with_their_vouchers(world: World) -> None:
    codes(world, "v1", "v2")
    found = world.sync("events", "vouchers_codes")
    assert [found[f"vouchers_codes of {voucher}"].rows for voucher in ("v1", "v2")] == [2, 2]
    assert held_codes(world) == [("v1", "c1"), ("v1", "c2"), ("v2", "c1"), ("v2", "c2")]
    codes(world, "v2")
    world.sync("events", "vouchers_codes", "vouchers")
    assert held_codes(world) == [("v2", "c1"), ("v2", "c2")]
    assert len(world.api.asked("/vouchers")) == 2


def test_duplicates_are_one_row_in_whatever_json_type_their_ids_come(world: World) -> None:
    world.api.lists["/users/1"] = [*users(*"ababcac"), {"id": "7"}, {"id": 7}]
    world.api.lists["/v1/coupons"] = [{"id": n} for n in (1, 2, 1.0, 2, 3, 1, 3)]
    assert sync_users(world, "1") == {"1": None}
    coupons = world.sync("affiliates", "coupons")["coupons"]
    assert (coupons.error, coupons.rows, coupons.duplicates) == (None, 3, 4)
    assert sorted(below(world, "1")) == ["7", "a", "b", "c"]
    assert world.ids("affiliates.coupons") == [1, 2, 3]


def test_rankings_that_share_a_position_are_all_kept(world: World) -> None:
    world.api.lists["/ranking/1"] = [
        {"position": 1, "name": "a"},
        {"position": 1, "name": "b"},
        {"position": 3, "name": "c"},
    ]
    world.sync("promotions", "rankings", parents={"promotions": ["1"]})
    assert [row["name"] for row in world.rows("promotions.rankings")] == ["a", "b", "c"]


def test_a_parent_given_twice_is_synced_once(world: World) -> None:
    world.api.lists["/users/1"] = users(*"ab")
    assert sync_users(world, "1", "1") == {"1": None}
    assert sorted(below(world, "1")) == ["a", "b"]
    assert len(world.api.seen) == 1


def test_without_parents_the_tables_of_their_children_exist_all_the_same(world: World) -> None:
    assert sync_users(world) == {}
    assert world.api.seen == []
    assert set(APIS["promotions"].endpoints["users"].columns) <= set(
        world.columns("promotions.users")
    )


def test_a_list_whose_rows_did_not_all_arrive_fails(three: World) -> None:
    def pretend(listing: ListResult) -> None:
        listing.rows += listing.parent == "2" and listing.error is None

    request = Request(APIS["promotions"], ["users"], {"promotions": PARENTS})
    failed = sync(request, Hearing(listing=pretend)).failed()
    assert [listing.error for listing in failed] == [
        "users of 2: 6 rows were read, the warehouse holds 5. Sync it again."
    ]


def test_nothing_is_left_behind(three: World) -> None:
    assert {path.name for path in three.folder.iterdir()} == {"warehouse.duckdb"}
    sync_users(three, "1")
    names = {path.name for path in three.folder.iterdir()}
    assert names == {"warehouse.duckdb", "warehouse.duckdb.lock"}


def test_no_staging_dataset_keeps_what_is_gone(three: World) -> None:
    schemas = {
        row["schema_name"]
        for row in three.query("SELECT schema_name FROM information_schema.schemata")
    }
    assert not [name for name in schemas if "staging" in name]
