"""A change of the fields, or a loss of rows, is told once; a steady state is green."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from sync_assets.base import times
from sync_assets.lib.checks.definitions import findings
from sync_assets.planning.settings import automation
from sync_assets.sources.promotions import API
from sync_assets.warehouse.state import drift
from sync_assets.warehouse.state.drift import Differences, differences, known, learned
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.world import World

FAULTS = {
    "records with fields that nobody declared": "told once, then green, with the day of each",
    "a declared field that no record has any more": "told once, then green",
    "an undeclared field that comes and goes": "told once",
    "a declared field that comes and goes": "told twice, then known",
    "a field that is declared later": "no difference any more",
    "an ended promotion whose last sync lost rows": "green after any other sync, or a week",
    "a date that cannot be read": "the partition counts as live; told once, named by `fresh`",
}
FIELDS = [name for name in API.endpoints["users"].columns if name != "promotion_id"]
Check = dg.AssetCheckEvaluation
Later = Callable[..., None]


def user(identity: str, **more: Any) -> dict[str, Any]:
    return {**dict.fromkeys(FIELDS), "id": identity, **more}


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Move the clock."""
    start = times.now()

    def move(**by: float) -> None:
        now: datetime = start + timedelta(**by)
        monkeypatch.setattr(times, "now", lambda: now)

    return move


@pytest.fixture
def users(synced: DagsterRuns, world: World) -> DagsterRuns:
    """Users of three promotions that are as declared, of which the second has ended."""
    for promotion in "123":
        world.api.lists[f"/users/{promotion}"] = [user(f"u{n}") for n in range(10)]
    assert synced.run_range("promotions", "promotions/users").success
    return synced


def sync(runs: DagsterRuns, partition: str, check: str = "fields_as_declared") -> Check:
    run = runs.run("promotions/users", partition=partition)
    assert run.success
    (found,) = (e for e in run.get_asset_check_evaluations() if e.check_name == check)
    return found


def told(check: Check) -> Any:
    """What a check tells as changed; None where it is green."""
    assert check.passed == (not check.metadata["changed"].value)
    return check.metadata["changed"].value or None


def number(check: Check, name: str) -> Any:
    return check.metadata[name].value


def add(world: World, promotion: str, **fields: Any) -> None:
    for record in world.api.lists[f"/users/{promotion}"]:
        record.update(fields)


def remove(world: World, promotion: str, *fields: str) -> None:
    for record in world.api.lists[f"/users/{promotion}"]:
        for field in fields:
            record.pop(field, None)


def test_an_account_with_undeclared_fields_is_told_once(runs: DagsterRuns, world: World) -> None:
    world.api.lists["/promotions"][0]["colour"] = "red"
    checks = []
    for _ in range(3):
        run = runs.run("promotions/promotions")
        (check,) = (
            e for e in run.get_asset_check_evaluations() if e.check_name == "fields_as_declared"
        )
        checks.append(check)
    assert [check.passed for check in checks] == [False, True, True]
    assert number(checks[0], "changed")[0] == "colour"
    assert number(checks[2], "new_fields") == ["colour"]
    assert number(checks[2], "since")["colour"] == times.now().date().isoformat()
    assert "title" in number(checks[2], "missing_fields")


@pytest.mark.long
def test_a_new_field_is_told_by_the_first_partition_that_has_it(
    users: DagsterRuns, world: World, later: Later
) -> None:
    assert told(sync(users, "1")) is None
    later(days=1)
    add(world, "1", shoe_size=44)
    assert told(sync(users, "1")) == ["shoe_size"]
    day = times.now().date().isoformat()
    later(days=2)
    add(world, "3", shoe_size=44)
    for partition in "131":
        check = sync(users, partition)
        assert told(check) is None
        assert number(check, "since") == {"shoe_size": day}
    add(world, "3", hat_size=5)
    assert told(sync(users, "3")) == ["hat_size"]
    assert told(sync(users, "1")) is None


@pytest.mark.long
def test_fields_that_come_and_go(users: DagsterRuns, world: World, later: Later) -> None:
    seen = []
    for n in range(4):
        later(hours=n + 1)
        add(world, "1", shoe_size=44)
        for promotion in "13":
            remove(world, promotion, "country")
        sync(users, "3")
        seen.append(told(sync(users, "1")))
        later(hours=n + 1.5)
        remove(world, "1", "shoe_size")
        add(world, "1", country="NO")
        add(world, "3", country="NO")
        assert told(sync(users, "1")) is None
        assert told(sync(users, "3")) is None
    assert seen == [["country", "shoe_size"], None, None, None]
    later(days=40)
    add(world, "1", shoe_size=44)
    assert told(sync(users, "1")) == ["shoe_size"]


@pytest.mark.long
def test_what_ended_partitions_had_hides_nothing(users: DagsterRuns, world: World) -> None:
    for promotion in "13":
        remove(world, promotion, "country")
    assert told(sync(users, "1")) is None
    check = sync(users, "3")
    assert told(check) == ["country"]
    assert number(check, "missing_fields") == ["country"]


@pytest.mark.long
def test_a_field_that_is_declared_later_is_no_difference(
    users: DagsterRuns, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(world, "2", shoe_size="44")
    assert told(sync(users, "2")) == ["shoe_size"]
    columns: Any = API.endpoints["users"].columns
    declared = {"name": "shoe_size", "data_type": "text", "nullable": True}
    monkeypatch.setitem(columns, "shoe_size", declared)
    for promotion in "13":
        add(world, promotion, shoe_size=None)
    check = sync(users, "1")
    assert told(check) is None
    assert number(check, "new_fields") == []


@pytest.mark.parametrize("by", [{"days": 8}, {}])
@pytest.mark.long
def test_an_ended_promotion_leaves_no_check_red(
    users: DagsterRuns, world: World, later: Later, by: dict[str, float]
) -> None:
    world.api.lists["/users/2"] = world.api.lists["/users/2"][:1]
    add(world, "2", shoe_size="44")
    for name in ("row_count", "fields_as_declared"):
        add(world, "2", **{name: 1})
        world.api.lists["/users/2"] += [user(f"more {n}") for n in range(20)]
        sync(users, "2")
        world.api.lists["/users/2"] = world.api.lists["/users/2"][:1]
        assert not sync(users, "2", "row_count").passed
    if by:
        later(**by)  # and nothing else is synced
        key = dg.AssetKey(["promotions", "users"])
        found = findings(API, ["users"], automation(API), times.now())
        assert found[dg.AssetCheckKey(key, "row_count")].passed
        assert found[dg.AssetCheckKey(key, "fields_as_declared")].passed
    else:
        assert sync(users, "1", "row_count").passed
        assert sync(users, "1").passed


@pytest.mark.long
def test_a_drop_is_told_by_its_run_whatever_else_is_synced_meanwhile(
    users: DagsterRuns, world: World
) -> None:
    began = times.now()
    world.api.lists["/users/1"] = world.api.lists["/users/1"][:1]
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    world.sync("promotions", "users", parents={"promotions": ["3"]})
    key = dg.AssetCheckKey(dg.AssetKey(["promotions", "users"]), "row_count")
    assert not findings(API, ["users"], automation(API), began)[key].passed
    assert findings(API, ["users"], automation(API), times.now())[key].passed


@pytest.mark.long
def test_a_date_that_cannot_be_read_is_told_once_and_named(
    synced: DagsterRuns, world: World
) -> None:
    for promotion in world.api.lists["/promotions"]:
        if promotion["id"] == "2":
            promotion["end_date"] = "soon"
    checks = []
    for _ in range(2):
        run = synced.run("promotions/promotions")
        assert run.success
        checks += [
            e for e in run.get_asset_check_evaluations() if e.check_name == "fields_as_declared"
        ]
    assert [check.passed for check in checks] == [False, True]
    assert number(checks[0], "changed") == ["end_date"]
    assert number(checks[1], "unreadable_dates") == ["end_date"]
    run = synced.run("promotions/users", partition="2")
    (fresh,) = (e for e in run.get_asset_check_evaluations() if e.check_name == "fresh")
    assert number(fresh, "unreadable_dates_keys") == ["2"]
    assert number(fresh, "unreadable") == ["end_date"]
    assert number(fresh, "live") == 3


def test_lists_without_rows_say_nothing_of_fields() -> None:
    empty = Differences(0, False, frozenset(), frozenset())
    full = Differences(5, False, frozenset({"a"}), frozenset({"b"}))
    over = Differences(5, True, frozenset({"c"}), frozenset())
    assert differences([empty, full, over]) == {"new": {"a", "c"}, "missing": {"b"}}
    assert differences([empty]) == {"new": frozenset(), "missing": frozenset()}
    assert differences([over])["missing"] == frozenset()


@pytest.mark.parametrize(
    "text", ["", "garbage", "[]", "null", "5", '{"new": 5}', '{"new": {"a": 5}}',
             '{"new": {"a": ["x", "y"]}}', '{"new": {"a": ["x", "y", "z"]}}'],
)  # fmt: skip
def test_a_memory_of_any_form_is_read(text: str) -> None:
    assert known([text, None]) == {"new": {}, "missing": {}, "dates": {}}


def test_a_memory_is_bounded() -> None:
    now = times.now()
    many = frozenset(f"field {n}" for n in range(2 * drift.MOST))
    text = learned(known([]), {}, {"new": many}, now)
    assert len(json.loads(text)["new"]) == drift.MOST


def test_what_an_earlier_version_told_is_not_told_again() -> None:
    now = times.now()
    old = {"new": frozenset({"a"}), "missing": frozenset({"b"})}
    memory = known([learned(known([]), old, {**old, "new": frozenset({"a", "c"})}, now)])
    assert memory["new"]["a"].since == times.EVER
    assert memory["missing"]["b"].since == times.EVER
    assert memory["new"]["c"].since == now
