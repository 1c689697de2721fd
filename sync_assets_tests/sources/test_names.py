"""One field is one column, whatever else is in the record, the list or the next sync."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_assets.sources.rest.records.columns import columns
from sync_assets.sources.rest.records.names import column_of, normal
from sync_assets.sources.rest.records.rows import RowTyper
from sync_assets_tests.support.postgres import PostgresWorld, own_database
from sync_assets_tests.support.world import World

COLUMNS = columns(required="id", text="id brand__id brand__name title")
#: Names that a server may send side by side. All of them need columns of their own.
FAMILIES: dict[str, list[str]] = {
    "capitals": ["phone", "Phone", "PHONE", "pHONE", "phonE"],
    "white space": ["zip", " zip", "zip ", "\tzip", "zip\n"],
    "punctuation": ["mark", "mark#", "mark+", "mark-", "mark!", "mark.", "markx", "mark_"],
    "camelCase": ["form_id", "formId", "FormId", "form-id", "form id", "form.id", "form__id"],
    "no ASCII": ["", " ", "-", "---", "_", "__", "___", "日本", "日", "💥", "\0", "#", "unnamed"],
    "accents": ["café", "cafe\u0301", "caf_", "cafx", "caf\udce9"],
    "flattened": ["brand__id", "brand__logo", "brand__Logo", "Brand__logo", "brand___logo"],
    "as declared": ["Title", "TITLE", "title ", "Id", "ID"],
    "as of dlt": ["_dlt_id", "_dlt_load_id", "dlt_id", "_DLT_ID", "x_dlt_id"],
    "of Postgres": ["ctid", "CTID", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid", "rowid"],
    "digits first": ["1st", "_1st", "1ST", "11"],
    "long": ["a" * 200, "a" * 199 + "b", "b" + "a" * 199, "a" * 63, "a" * 64, "A" * 64],
    "keywords": ["select", "order", "user", "table", "null", "group", "SELECT"],
}  # fmt: skip
FIELDS = [field for family in FAMILIES.values() for field in family]
VALUES = {field: f"v{n}" for n, field in enumerate(FIELDS)}
#: Names of earlier versions that stay.
ORDINARY = ["new_field", "phone", "a1", "_hidden", "a__b", "f" * 200, "select", "rowid", "oid"]
FAULTS = {
    f"undeclared fields with similar names: {name}": "a column each, the same in each sync"
    for name in FAMILIES
}


def columns_of(records: list[dict[str, Any]]) -> dict[str, str]:
    """The column of each value that was sent, typed as one chunk."""
    table, problems = RowTyper(COLUMNS).table(records, None)
    assert problems == []
    return {v: name for row in table.to_pylist() for name, v in row.items() if v is not None}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_field_has_one_column_whatever_comes_with_it(name: str) -> None:
    family = FAMILIES[name]
    found = {
        field: columns_of([{"id": "1", field: VALUES[field]}])[VALUES[field]] for field in family
    }
    together = columns_of([{"id": "1", **VALUES}])
    assert {field: together[VALUES[field]] for field in family} == found
    below = columns_of([{"id": "1", field: value} for field, value in VALUES.items()])
    assert {field: below[VALUES[field]] for field in family} == found
    assert len(set(found.values())) == len(family)


@pytest.mark.parametrize("field", ORDINARY)
def test_an_ordinary_name_is_the_columns_name(field: str) -> None:
    assert column_of(field, set(COLUMNS)) == field


@pytest.mark.parametrize("field", ["Id", "formId", "  ", "日", "ctid", "_dlt_id", "x" * 200 + "Y"])
def test_any_other_has_a_tag_that_fits_every_warehouse(field: str) -> None:
    found = column_of(field, set(COLUMNS))
    assert normal(found) == found
    assert len(found) < 63
    assert found[-12:-10] == "_x"
    assert not found.startswith("_")


def test_a_tag_cannot_be_sent_by_the_api() -> None:
    tagged = column_of("Phone", ())
    assert column_of(tagged, ()) != tagged


NAMES = st.text(min_size=0, max_size=12) | st.from_regex(r"[aA_ 1]{0,5}", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(st.sets(NAMES, min_size=2, max_size=8))
def test_no_two_fields_share_a_column(fields: set[str]) -> None:
    taken = {"brand__id", "a", "id"}
    found = [column_of(field, taken) for field in fields]
    assert len({*found, *taken}) == len(fields) + len(taken)
    assert [normal(name) for name in found] == found


@settings(max_examples=60, deadline=None)
@given(st.sets(NAMES, min_size=1, max_size=4), st.sets(NAMES, min_size=1, max_size=4))
def test_nor_do_those_of_a_flattened_object(outer: set[str], inner: set[str]) -> None:
    flat = {field: f"o{n}" for n, field in enumerate(outer - {"id", "title", "brand"})}
    inside = {field: f"i{n}" for n, field in enumerate(inner - {"id", "name"})}
    table, _ = RowTyper(COLUMNS).table([{"id": "1", **flat, "brand": inside}], None)
    held = [value for value in table.to_pylist()[0].values() if value is not None]
    assert sorted(held) == sorted(["1", *flat.values(), *inside.values()])


@pytest.mark.long
def test_another_process_names_them_the_same() -> None:
    code = (
        "import json, sys; from sync_assets.sources.rest.records.names import column_of;"
        "print(json.dumps([column_of(f, ()) for f in json.loads(sys.argv[1])]))"
    )
    fields = random.sample(FIELDS, 20)
    output = subprocess.run(
        [sys.executable, "-c", code, json.dumps(fields)], check=True, capture_output=True, text=True
    ).stdout
    assert json.loads(output) == [column_of(field, ()) for field in fields]


def test_users_of_two_promotions_keep_their_fields_apart(world: World) -> None:
    world.api.lists["/users/1"] = [{"id": "a", "phone": "x"}]
    world.api.lists["/users/2"] = [{"id": "c", "phone": "y", "Phone": "Z"}]
    world.sync("promotions", "users", parents={"promotions": ["1", "2"]})
    world.api.lists["/users/1"] = [{"id": "a", "Phone": "z"}]
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    phone = column_of("Phone", ())
    assert world.rows("promotions.users") == [
        {"promotion_id": "1", "id": "a", phone: "z"},
        {"promotion_id": "2", "id": "c", "phone": "y", phone: "Z"},
    ]


def keeps_every_field(world: World) -> None:
    """Sync a record with all fields twice, once without half of them."""
    fields = {f: v for f, v in VALUES.items() if "\udce9" not in f}
    for keep in (1, 2):
        some = dict(list(fields.items())[::keep])
        world.api.lists["/users/1"] = [{"id": "a", **some}]
        found = world.sync("promotions", "users", parents={"promotions": ["1"]})
        assert found["users of 1"].error is None
        (row,) = world.rows("promotions.users")
        held = sorted(v for name, v in row.items() if name not in ("id", "promotion_id"))
        assert held == sorted(some.values())


def test_every_name_reaches_the_warehouse(world: World) -> None:
    keeps_every_field(world)


@pytest.mark.long
def test_and_a_postgres(world: World) -> None:
    with own_database() as database:
        keeps_every_field(PostgresWorld.over(world, database))
