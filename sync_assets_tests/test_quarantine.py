"""What could not be loaded as declared is kept, counted by kind, and told by the checks."""

from __future__ import annotations

from typing import Any

import pytest

from sync_assets.lib.checklist import CHECKS, Evidence, Finding
from sync_assets.lib.settings import AutomationSettings
from sync_assets.sources import apis
from sync_assets.warehouse.look import survey
from sync_assets_tests.conftest import World
from sync_assets_tests.versions import restore


def check(world: World, name: str, address: str = "promotions/users") -> Finding:
    """What a check finds of a table as it is now."""
    source, _, resource = address.partition("/")
    facts, state = survey(apis()[source], [resource])
    pasts = [past for past in state.pasts.values() if past.resource == resource]
    return CHECKS[name](Evidence(facts[resource], pasts, [], AutomationSettings()))


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
