"""The asset checks: each passes on good data, fails on bad data, and tells numbers."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from sync_assets.lib.checks.catalog import CHECKS, CHILD_CHECKS, SOURCE_CHECKS
from sync_assets.sources import apis
from sync_assets_tests.support.dagster_world import LOADED, DagsterRuns
from sync_assets_tests.support.world import APIS, World

DECLARED = {
    field: None
    for field in apis()["promotions"].endpoints["users"].columns
    if field != "promotion_id"
}


#: The assets that carry the check of their source.
TELL_THE_PLAN = {"promotions/promotions", "affiliates/affiliates", "events/events_series"}


def user(identity: str, **fields: Any) -> dict[str, Any]:
    """A user with every declared field."""
    return {**DECLARED, "id": identity, **fields}


@pytest.fixture
def users(synced: DagsterRuns, world: World) -> DagsterRuns:
    """Users of three promotions that are all as declared."""
    for promotion in "123":
        world.api.lists[f"/users/{promotion}"] = [user(f"u{n}") for n in range(10)]
    assert synced.run_range("promotions", "promotions/users").success
    return synced


def sync(runs: DagsterRuns, partition: str = "1") -> dict[str, dg.AssetCheckEvaluation]:
    """Sync the users of a promotion; the checks that the run made."""
    run = runs.run("promotions/users", partition=partition)
    assert run.success
    return {check.check_name: check for check in run.get_asset_check_evaluations()}


def numbers(check: dg.AssetCheckEvaluation) -> dict[str, Any]:
    return {name: value.value for name, value in check.metadata.items()}


def test_every_asset_has_every_check_that_applies() -> None:
    graph = LOADED.resolve_asset_graph()
    for asset in (key for key in graph.get_all_asset_keys() if key.path[0] in APIS):
        expected = {*CHECKS, *(CHILD_CHECKS if graph.get(asset).parent_keys else ())}
        if asset.to_user_string() in TELL_THE_PLAN:
            expected |= SOURCE_CHECKS.keys()
        assert {key.name for key in graph.get(asset).check_keys} == expected


def test_on_good_data_every_check_passes_with_numbers(users: DagsterRuns) -> None:
    checks = sync(users)
    assert {name for name, check in checks.items() if not check.passed} == set()
    assert set(checks) == {*CHECKS, *CHILD_CHECKS}
    assert numbers(checks["keys_unique"]) == {"rows": 30, "duplicated_keys": 0, "null_keys": 0}
    assert numbers(checks["row_count"])["rows"] == 30
    assert numbers(checks["fresh"])["live"] == 2
    assert numbers(checks["fresh"])["ended"] == 1


@pytest.mark.long
def test_a_record_of_another_type_fails_records_as_declared(
    users: DagsterRuns, world: World
) -> None:
    world.api.lists["/users/1"][0]["nickname"] = {"no": "text"}
    check = sync(users)["records_as_declared"]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert numbers(check)["quarantined"] == 1
    assert "nickname should be text" in numbers(check)["reasons"][0]


@pytest.mark.long
def test_a_record_without_its_key_fails_required_fields(users: DagsterRuns, world: World) -> None:
    world.api.lists["/users/1"].append(user("x", id=None))
    check = sync(users)["required_fields"]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert (numbers(check)["rows"], numbers(check)["left_out"]) == (30, 1)
    world.api.lists["/users/1"].pop()
    assert sync(users)["required_fields"].passed


@pytest.mark.long
def test_a_value_that_is_null_in_the_typed_view_fails_values_convert(
    users: DagsterRuns, world: World
) -> None:
    world.api.lists["/users/1"][0]["created"] = "a secret"
    check = sync(users)["values_convert"]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert numbers(check) == {"rows": 30, "not_converted": 1, "columns": {"created": 1}}


@pytest.mark.long
def test_keys_that_two_rows_have_fail_keys_unique(users: DagsterRuns, world: World) -> None:
    world.query(
        "INSERT INTO promotions.users SELECT * FROM promotions.users WHERE promotion_id = '2'"
    )
    check = sync(users)["keys_unique"]
    assert not check.passed
    assert numbers(check) == {"rows": 40, "duplicated_keys": 10, "null_keys": 0}
    assert sync(users, "2")["keys_unique"].passed


@pytest.mark.long
def test_a_null_in_a_key_fails_keys_unique(users: DagsterRuns, world: World) -> None:
    world.query("ALTER TABLE promotions.users ALTER id DROP NOT NULL")
    world.query("UPDATE promotions.users SET id = NULL WHERE id = 'u1' AND promotion_id = '2'")
    assert numbers(sync(users)["keys_unique"])["null_keys"] == 1


def test_rows_of_a_vanished_parent_fail_parents_exist(users: DagsterRuns, world: World) -> None:
    world.query("DELETE FROM promotions.promotions WHERE id = '3'")
    check = sync(users)["parents_exist"]
    assert not check.passed
    assert numbers(check) == {
        "rows": 30,
        "rows_without_parent": 10,
        "vanished_parents": 1,
        "parents": ["3"],
        "remedy": "the prune job; it begins with a dry run",
    }


@pytest.mark.parametrize(("left", "passed"), [(5, True), (4, False)])
@pytest.mark.long
def test_a_list_that_lost_most_of_its_rows_fails_row_count(
    users: DagsterRuns, world: World, left: int, passed: bool
) -> None:
    world.api.lists["/users/1"] = world.api.lists["/users/1"][:left]
    check = sync(users)["row_count"]
    assert check.passed == passed
    assert numbers(check)["lists"] == ([] if passed else ["1: 10 to 4"])
    assert sync(users)["row_count"].passed


@pytest.mark.long
def test_a_field_that_is_new_fails_fields_as_declared(users: DagsterRuns, world: World) -> None:
    world.api.lists["/users/1"][3]["shoe_size"] = 44
    check = sync(users)["fields_as_declared"]
    assert not check.passed
    assert numbers(check)["new_fields"] == ["shoe_size"]


@pytest.mark.long
def test_a_field_that_is_missing_everywhere_fails_fields_as_declared(
    users: DagsterRuns, world: World
) -> None:
    for promotion in "123":
        for record in world.api.lists[f"/users/{promotion}"]:
            del record["country"]
    assert sync(users, "1")["fields_as_declared"].passed
    sync(users, "2")
    check = sync(users, "3")["fields_as_declared"]
    assert numbers(check)["missing_fields"] == ["country"]
    assert not check.passed
