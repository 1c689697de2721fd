"""What could not be loaded as declared is kept, counted by kind, and told by the checks."""

from __future__ import annotations

from typing import Any

import pytest

from sync_assets.base import times
from sync_assets.lib.checks.definitions import findings
from sync_assets.lib.checks.findings import Finding
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources import apis
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.list_result import ListResult, Problem
from sync_assets_tests.fixtures.warehouses import restore
from sync_assets_tests.support.world import World

FAULTS = {
    "3,900 records of one list that are not as declared": "all counted, the first 1,000 kept whole",
    "a value that says `not loaded: `": "no check takes it for the project's own words",
    "a quarantine of a version without the column `kind`": "read as before",
    'ids that arrive as `"2"` where 2 is declared': "loaded",
}


def check(world: World, name: str, address: str = "promotions/users") -> Finding:
    """What a check finds of a table as it is now."""
    source, _, resource = address.partition("/")
    found = findings(apis()[source], [resource], AutomationSettings(), times.now())
    return next(one for key, one in found.items() if key.name == name)


def kinds(world: World, source: str = "promotions") -> list[str]:
    return sorted(row["kind"] for row in world.quarantined(source))


def sync(world: World, *records: Any) -> Any:
    world.api.lists["/users/1"] = list(records)
    return world.sync("promotions", "users", parents={"promotions": ["1"]})["users of 1"]


def test_what_became_of_a_record_stands_in_a_column(world: World) -> None:
    found = sync(world, {"id": "1", "nickname": {}}, {"id": None, "nickname": []}, "text")
    assert (found.rows, found.quarantined, found.left_out) == (1, 3, 2)
    assert kinds(world) == ["required", "required", "value"]


def test_no_check_is_deceived_by_what_a_value_says(world: World) -> None:
    sync(world, {"id": "1", "nickname": {"x": "not loaded: id is required"}})
    assert check(world, "required_fields").passed
    assert not check(world, "records_as_declared").passed


@pytest.mark.parametrize("kind", [None, "required"])
def test_a_record_without_its_key_fails_required_fields(world: World, kind: str | None) -> None:
    sync(world, {"id": "1"}, {"id": None})
    world.query("UPDATE promotions._quarantine SET kind = ?", kind)
    assert check(world, "required_fields").metadata["left_out"] == 1


def test_the_quarantine_of_an_earlier_version_is_read_before_it_is_written(world: World) -> None:
    restore(world, "0.1.0", "duckdb")
    found = check(world, "records_as_declared")
    assert found.metadata["quarantined"] == 2
    assert check(world, "required_fields").passed


def test_the_first_problems_are_kept_whole_and_all_are_counted(world: World) -> None:
    world.api.page_size = 4_000
    good, mistyped = [{"id": str(n)} for n in range(3)], [
        {"id": f"m{n}", "nickname": [n]} for n in range(3_000)
    ]  # fmt: skip
    found = sync(world, *good, *mistyped, *({"id": None, "nickname": str(n)} for n in range(900)))
    assert (found.rows, found.quarantined, found.left_out) == (3_003, 3_900, 900)
    assert len(world.quarantined("promotions")) == 1_000
    declared = check(world, "records_as_declared").metadata
    assert (declared["quarantined"], declared["kept"]) == (3_900, 1_000)
    assert check(world, "required_fields").metadata["left_out"] == 900
    assert not check(world, "required_fields").passed


def test_large_records_are_kept_up_to_a_size() -> None:
    listing = ListResult("things")
    listing.quarantine(Problem("x" * 10**7, "too large") for _ in range(50))
    assert (len(listing.problems), listing.quarantined) == (1, 50)
    listing = ListResult("things")
    listing.quarantine([Problem("x" * 10**8, "too large")])
    assert len(listing.problems) == 1


def test_many_lists_with_problems_keep_some_of_each() -> None:
    result = SyncResult(strict=False)
    for n in range(60):
        listing = ListResult("things", str(n))
        listing.quarantine(Problem("{}", "wrong") for _ in range(1_500))
        result.record(listing)
    kept = [len(listing.problems) for listing in result.listings.values()]
    assert kept == [1_000] * 20 + [10] * 40
    assert {listing.quarantined for listing in result.listings.values()} == {1_500}
