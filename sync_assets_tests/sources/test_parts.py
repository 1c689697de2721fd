"""The lists below parents of an asset without partitions are replaced and fail one by one."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest

from sync_assets import cli
from sync_assets.sources import events
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.declaration.hints import replaced_by
from sync_assets.sources.rest.extract import batches
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.records.columns import columns
from sync_assets.sources.rest.resources import dlt_source
from sync_assets.warehouse.queries import state, table_stats
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.fourth_api import (
    ANSWERS,
    FORM_PARTITIONS,
    FORMS,
    NAME,
    declare,
    install,
    offer,
)
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.postgres import PostgresWorld, own_database
from sync_assets_tests.support.world import World

#: What becomes of the answers of form 2, for ever, and what the error says.
FOR_EVER: dict[str, tuple[dict[str, Any], str]] = {
    "404": ({"status": 404}, "the API answered 404"),
    "500": ({"status": 500}, "the API answered 500"),
    "403 on page 2": ({"status": 403, "page": 2}, "page 2 of "),
    "no JSON": ({"body": b"<html>"}, "the body is not JSON"),
    "another body": ({"body": b'{"error": "x"}'}, "the list under 'data' is missing"),
    "cut off": ({"cut": 20}, "page 1 of "),
    "empty": ({"body": b'{"data": [], "links": {"next": null}}'}, "allow_empty"),
    "nothing that can be loaded": (
        {"body": b'{"data": [{"score": 1}], "links": {"next": null}}'},
        "the API lists nothing that can be loaded",
    ),
}
#: How a child without partitions may be declared.
DECLARED: dict[str, Callable[[], Api]] = {
    "replace, without Parent": lambda: declare(FORMS, ANSWERS),
    "replaced_by, without Parent": lambda: declare(FORMS, {**ANSWERS, **replaced_by("form_id")}),
    "replace, below a Parent": lambda: declare(FORMS, ANSWERS, parents=[FORM_PARTITIONS]),
}
OTHERS_LOAD = "its codes stay and it is named; the codes of all other vouchers are loaded"
FAULTS = {
    **{f"the codes of one voucher cannot be read: {name}": OTHERS_LOAD for name in FOR_EVER},
    **{f"a child of a fourth API, declared with: {name}": "the same" for name in DECLARED},
    "the list of vouchers fails": "no code is removed, the run ends red",
    "the list of vouchers is empty, codes are held": "no code is removed without `allow_empty`",
    "a voucher is gone from the complete list": "its codes are removed by the same sync",
    "a voucher without codes, or whose codes never came, is gone": "`_syncs` forgets its list",
    "a voucher's record cannot be loaded": "no code is removed",
}
HELD = "SELECT form_id, id FROM surveys.answers ORDER BY ALL"


def errors(world: World, *resources: str, allow_empty: bool = False) -> dict[str, str]:
    """Sync; the lists that failed."""
    names = resources or ("forms", "answers")
    found = world.sync(NAME, *names, allow_empty=allow_empty)
    return {name: listing.error for name, listing in found.items() if listing.error}


def held(world: World) -> list[str]:
    """Form and answer of each row."""
    return [f"{row['form_id']} {row['id']}" for row in world.query(HELD)]


def test_lists_that_fail_keep_their_rows_and_the_others_load(world: World) -> None:
    install(world, declare(FORMS, ANSWERS))
    good = [f"good{n}" for n in range(3)]
    offer(world, **dict.fromkeys([*FOR_EVER, *good, "gone"], "abcd"))
    assert errors(world) == {}
    offer(world, **dict.fromkeys([*FOR_EVER, *good, "new"], "wxyz"))
    for form, (fault, _) in FOR_EVER.items():
        world.api.fail(f"/forms/{form}/answers", **fault)
    found = errors(world)
    assert set(found) == {f"answers of {form}" for form in FOR_EVER}
    for form, (_, cause) in FOR_EVER.items():
        assert cause in found[f"answers of {form}"]
    old, new = dict.fromkeys(FOR_EVER, "abcd"), dict.fromkeys([*good, "new"], "wxyz")
    assert held(world) == sorted(f"{form} {a}" for form, of in (old | new).items() for a in of)
    world.api.heal()
    assert errors(world) == {}
    assert held(world) == sorted(f"{form} {a}" for form in old | new for a in "wxyz")


@pytest.mark.parametrize("made", DECLARED.values(), ids=DECLARED)
def test_every_declaration_of_a_child_fails_parent_by_parent(
    world: World, made: Callable[[], Api]
) -> None:
    api = made()
    install(world, api)
    assert api.unpartitioned() == ["forms", "answers"]
    offer(world, f1="ab", f2="abcd", f3="a")
    errors(world)
    offer(world, f2="abcd", f3="z")
    world.api.fail("/forms/f2/answers", status=404)
    assert list(errors(world)) == ["answers of f2"]
    assert held(world) == ["f2 a", "f2 b", "f2 c", "f2 d", "f3 z"]
    known = {parent for resource, parent in state(api).histories if resource == "answers"}
    assert known == {None, "f2", "f3"}


@pytest.mark.long
@pytest.mark.parametrize("resources", [("forms", "answers"), ("answers",)])
def test_a_list_of_parents_that_fails_or_is_empty_removes_nothing(
    world: World, resources: tuple[str, ...]
) -> None:
    install(world, declare(FORMS, ANSWERS))
    offer(world, f1="ab", f2="a")
    errors(world)
    world.api.fail("/forms", status=500)
    found = errors(world, *resources)
    assert "the list of forms could not be read" in found["answers"]
    assert held(world) == ["f1 a", "f1 b", "f2 a"]
    world.api.heal()
    offer(world)
    assert "allow_empty" in errors(world, *resources)["forms"]
    assert held(world) == ["f1 a", "f1 b", "f2 a"]
    assert errors(world, *resources, allow_empty=True) == {}
    assert held(world) == []


def test_an_empty_list_of_parents_that_were_never_loaded_removes_nothing(world: World) -> None:
    install(world, declare(FORMS, ANSWERS))
    offer(world, f1="ab")
    assert errors(world, "answers") == {}
    offer(world)
    assert "the warehouse holds 2 rows" in errors(world, "answers")["answers"]
    assert held(world) == ["f1 a", "f1 b"]


@pytest.mark.long
def test_a_parent_whose_record_cannot_be_loaded_is_not_gone(world: World) -> None:
    forms = {**FORMS, "columns": {**FORMS["columns"]}}  # type: ignore[dict-item]
    forms["columns"]["title"] = {"name": "title", "data_type": "text", "nullable": False}  # type: ignore[index]
    install(world, declare(forms, ANSWERS))
    offer(world, f1="a", f2="b")
    assert errors(world) == {}
    world.api.lists["/forms"][1]["title"] = None
    assert errors(world) == {}
    assert held(world) == ["f1 a", "f2 b"]
    world.api.lists["/forms"].pop()
    assert errors(world) == {}
    assert held(world) == ["f1 a"]


@pytest.mark.long
def test_what_is_known_of_parts_goes_with_them(world: World) -> None:
    api = declare(FORMS, ANSWERS)
    install(world, api)
    offer(world, f1="a", f2=[{"id": "x", "score": "many"}])
    errors(world)
    assert [row["list"] for row in world.quarantined(NAME)] == ["answers/f2"]
    assert state(api).histories[ListKey("answers")].rows == 2
    offer(world, f1="a")
    errors(world)
    assert world.quarantined(NAME) == []
    history = state(api).histories[ListKey("answers")]
    assert (history.rows, history.rows_before) == (1, 2)


def test_a_list_without_rows_is_forgotten_with_its_parent(world: World) -> None:
    """Nobody could sync it again: it would be stale, or failing, for ever."""
    api = declare(FORMS, ANSWERS)
    install(world, api)
    offer(world, f1="a", empty="", never="a")
    world.api.fail("/forms/never/answers", status=404)
    assert list(errors(world)) == ["answers of never"]
    offer(world, f1="a")
    assert errors(world) == {}
    assert {parent for name, parent in state(api).histories if name == "answers"} == {None, "f1"}


def test_a_table_that_was_one_list_becomes_many_with_the_first_sync(world: World) -> None:
    """Earlier versions replaced it as a whole and knew one list, with its quarantine."""
    api = declare(FORMS, ANSWERS)
    install(world, api)
    offer(world, f1="ab", f2="a", gone=[{"id": "a", "score": "many"}])
    errors(world)
    world.query("DELETE FROM surveys._syncs WHERE parent IS NOT NULL")
    world.query("UPDATE surveys._quarantine SET list = 'answers', parent = NULL")
    assert [row["list"] for row in world.quarantined(NAME)] == ["answers"]
    offer(world, f1="b", f2="a")
    world.api.fail("/forms/f2/answers", status=500)
    assert list(errors(world)) == ["answers of f2"]
    assert (held(world), world.quarantined(NAME)) == (["f1 b", "f2 a"], [])
    assert {name for name in state(api).histories if name[0] == "answers"} == {
        ("answers", None),
        ("answers", "f1"),
        ("answers", "f2"),
    }


def test_two_thousand_small_lists_are_a_handful_of_tables(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 50)
    api = declare(FORMS, ANSWERS)
    install(world, api)
    offer(world, **{f"f{n}": "a" for n in range(200)})
    world.api.page_size = 1000
    source = dlt_source(api)(journal=SyncResult(strict=False)).with_resources("answers")
    tables = [table.num_rows for table in source]
    assert sum(tables) == 200
    assert len(tables) <= 1 + 200 // 50


@pytest.fixture
def runs(world: World) -> Iterator[DagsterRuns]:
    """An instance that knows the fourth API, over three forms with answers."""
    definitions = install(world, declare(FORMS, ANSWERS))
    offer(world, f1="ab", f2="abcd", f3="a")
    with local_instance(world.folder) as instance:
        yield DagsterRuns(instance, definitions=definitions)


ASSETS = ("surveys/forms", "surveys/answers")


@pytest.mark.long
def test_a_run_tells_which_lists_failed_and_what_the_asset_holds(
    world: World, runs: DagsterRuns
) -> None:
    assert runs.run(*ASSETS).success
    assert runs.metadata("surveys/answers")["rows"] == 7
    world.api.fail("/forms/f2/answers", status=404)
    world.api.fail("/forms/f3/answers", status=500)
    offer(world, f1="abc", f2="x", f3="x")
    run = runs.run(*ASSETS)
    assert not run.success
    said = runs.failure(run)
    assert said.startswith("2 of 4 lists failed, the others are loaded. answers of f")
    assert "These keep the rows they had: answers of f2, answers of f3." in said
    assert "Materialize these partitions" not in said
    (failed,) = (event for event in run.all_events if event.is_step_failure)
    data = failed.step_failure_data.user_failure_data
    assert data is not None
    metadata = data.metadata
    assert metadata["failed_lists"].value == [["surveys/answers", None]]
    made = run.get_asset_materialization_events()
    assert [event.asset_key.path[-1] for event in made if event.asset_key] == ["forms"]
    (seen,) = run.get_asset_observation_events()
    assert seen.asset_observation_data.asset_observation.metadata["rows"].value == 8


@pytest.mark.long
def test_freshness_names_the_list_and_requests_the_asset_after_a_pause(
    world: World, runs: DagsterRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOMATION__RETRY_AFTER", "2")
    assert runs.run(*ASSETS).success
    world.api.fail("/forms/f2/answers", status=404)
    assert not runs.run(*ASSETS).success
    fresh = runs.check("surveys/answers", "fresh")
    numbers = {name: value.value for name, value in fresh.metadata.items()}
    assert not fresh.passed
    assert fresh.severity == dg.AssetCheckSeverity.WARN
    assert (numbers["live"], numbers["stale"], numbers["failing"]) == (4, 0, 1)
    assert (numbers["failing_keys"], numbers["max_age_hours"]) == (["f2"], 1.0)
    assert runs.check("surveys/forms", "fresh").passed
    assert requested(runs) == []
    world.query("UPDATE surveys._syncs SET failed_at = '2020-01-01' WHERE parent = 'f2'")
    assert requested(runs) == [["surveys/answers"]]
    world.api.heal()
    assert runs.run(*ASSETS).success
    assert runs.check("surveys/answers", "fresh").passed


def requested(runs: DagsterRuns) -> list[list[str]]:
    """The assets of each run that the freshness sensor requests."""
    result = runs.tick("surveys_freshness")
    assert isinstance(result, dg.SensorResult)
    return [
        [asset.to_user_string() for asset in request.asset_selection or []]
        for request in result.run_requests or []
    ]


@pytest.mark.long
def test_the_command_line_names_the_lists_that_failed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    api = declare(FORMS, ANSWERS)
    install(world, api)
    world.monkeypatch.setattr(cli, "apis", lambda: {NAME: api})
    offer(world, f1="ab", f2="a")
    assert cli.main([NAME]) == 0
    world.api.fail("/forms/f2/answers", status=404)
    assert cli.main([NAME]) == 1
    said = capsys.readouterr().out
    assert re.search(r"failed: answers of f2, page 1 of \S+: the API answered 404", said)
    assert held(world) == ["f1 a", "f1 b", "f2 a"]


@pytest.mark.long
def test_parts_are_replaced_one_by_one_on_a_server(world: World) -> None:
    with own_database() as database:
        server = PostgresWorld.over(world, database)
        forms = {**FORMS, "columns": columns(required="id", bigint="id", text="title")}
        api = declare(forms, ANSWERS)
        install(server, api)
        offer(server, **{"1": "ab", "2": "abcd", "3": "a"})
        assert errors(server) == {}
        offer(server, **{"2": "x", "3": "z"})
        server.api.fail("/forms/2/answers", status=404)
        assert list(errors(server)) == ["answers of 2"]
        assert held(server) == ["2 a", "2 b", "2 c", "2 d", "3 z"]
        facts, _ = table_stats(api, ["answers"])
        assert facts["answers"].orphans == {}


@pytest.mark.long
def test_two_thousand_vouchers_take_little_memory_and_few_requests(world: World) -> None:
    vouchers = [f"v{n:04}" for n in range(2_000)]
    world.api.page_size = 5_000
    world.api.lists["/vouchers"] = [{"id": voucher} for voucher in vouchers]
    for voucher in vouchers:
        world.api.lists[f"/vouchers/{voucher}/codes"] = [{"id": str(n)} for n in range(20)]
    for _ in range(2):
        world.api.seen.clear()
        tracemalloc.start()
        found = world.sync("events", "vouchers", "vouchers_codes")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert {listing.error for listing in found.values()} == {None}
        assert len(world.api.seen) == 20 + 2_000
        assert peak < 150e6
    assert world.query("SELECT count(*) AS n FROM events.vouchers_codes") == [{"n": 40_000}]


def test_the_codes_of_a_voucher_fail_alone(world: World) -> None:
    assert "vouchers_codes" in events.API.unpartitioned()
    for voucher in ("v1", "v2"):
        world.api.lists[f"/vouchers/{voucher}/codes"] = [{"id": "c"}]
    world.api.lists["/vouchers"] = [{"id": "v1"}, {"id": "v2"}, {"id": "never"}]
    found = world.sync("events", "vouchers", "vouchers_codes")
    assert [name for name, one in found.items() if one.error] == ["vouchers_codes of never"]
    assert [row["voucher_id"] for row in world.rows("events.vouchers_codes")] == ["v1", "v2"]
