"""What is known of each list: written after the data, whatever text a server put into it."""

from __future__ import annotations

import pytest
from dlt.common.destination import Destination

from sync_assets.sources import apis
from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.listing import Listing
from sync_assets.warehouse.destination import database_file, open_pipeline
from sync_assets.warehouse.history import pasts, record
from sync_assets.warehouse.lock import exclusive, silent
from sync_assets.warehouse.past import Past
from sync_assets.warehouse.tables import open_tables
from sync_assets_tests.conftest import World

API = apis()["promotions"]
AWKWARD = [
    "it's", 'say "no"', "back\\slash", "\\'; DROP TABLE promotions._syncs; --", "%s %(x)s", "{}",
    "line\nbreak\ttab", "$1 ? :name",
    "E'\\x'", "emoji 🎟", "", " ", "NULL", "\x01", "a\0b", "\ud800",
]  # fmt: skip


def known(world: World) -> dict[tuple[str, str | None], Past]:
    with (
        open_pipeline("promotions", "promotions") as pipeline,
        exclusive(database_file(pipeline), silent),
        open_tables(pipeline) as tables,
    ):
        return {(past.resource, past.parent): past for past in pasts(tables)}


def remember(*listings: Listing, literals: bool = True) -> None:
    with (
        open_pipeline("promotions", "promotions") as pipeline,
        exclusive(database_file(pipeline), silent),
        open_tables(pipeline) as tables,
    ):
        if not literals:
            tables._client.capabilities.escape_literal = None
        record(tables, API, listings, Journal(strict=False))


def test_a_sync_is_remembered_and_a_failure_leaves_it(world: World) -> None:
    world.api.lists["/users/1"] = [{"id": "a"}, {"id": "b"}]
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    before = known(world)["users", "1"]
    assert (before.rows, before.rows_before, before.failures) == (2, 0, 0)
    world.api.fail("/users/1", status=500)
    for _ in range(3):
        world.sync("promotions", "users", parents={"promotions": ["1"]})
    after = known(world)["users", "1"]
    assert (after.rows, after.synced_at, after.failures) == (2, before.synced_at, 3)
    assert "users of 1, page 1" in (after.error or "")
    world.api.heal()
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    healed = known(world)["users", "1"]
    assert (healed.rows_before, healed.failures, healed.error) == (2, 0, None)


@pytest.mark.parametrize("literals", [True, False])
def test_any_text_is_remembered_as_it_is(world: World, literals: bool) -> None:
    """Also by bound values: dlt writes no SQL literals for Snowflake."""
    assert Destination.from_reference("snowflake").capabilities().escape_literal is None
    world.sync("promotions", "organizing_brands")
    remember(*(Listing("users", t, error=t) for t in AWKWARD), literals=literals)
    remember(*(Listing("stages", t, rows=1, new_fields={t}) for t in AWKWARD), literals=literals)
    found = known(world)
    for text in AWKWARD:
        pure = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
        assert found["users", pure].error == pure
        assert found["stages", pure].new_fields == {text}


def test_a_list_that_was_read_after_its_parent_ended_is_final(world: World) -> None:
    world.api.lists["/promotions"] = [
        {"id": "1", "end_date": "2020-01-01T00:00:00Z"},
        {"id": "2", "end_date": "2999-01-01T00:00:00Z"},
        {"id": "3"},
    ]
    world.api.lists.update({f"/users/{parent}": [] for parent in "123"})
    world.sync("promotions", "promotions", "users")
    found = known(world)
    assert [found["users", parent].final for parent in "123"] == [True, False, False]
    assert not found["promotions", None].final
