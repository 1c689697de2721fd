"""Values are loaded as their column declares or kept in the quarantine, never bent or dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.paging.body import parse
from sync_assets.sources.rest.records.columns import columns
from sync_assets.sources.rest.records.names import column_of
from sync_assets.sources.rest.records.rows import RowTyper
from sync_assets_tests.support.world import World

COLUMNS = columns(
    required="key", text="key text", bigint="bigint", double="double", boolean="bool", json="json"
)
BIG, TOO_BIG = 2**63 - 1, 2**70
WRONG = object()
#: A value as the API sends it, and what becomes of it in columns of these types.
VALUES: list[tuple[bytes, Any, Any, Any, Any, Any]] = [
    # sent         text       bigint   double   bool   json
    (b"null", None, None, None, None, None),
    (b'"t"', "t", WRONG, WRONG, WRONG, '"t"'),
    (b'""', "", WRONG, WRONG, WRONG, '""'),
    (b'"12"', "12", 12, 12.0, WRONG, '"12"'),
    (b'"-5"', "-5", -5, -5.0, WRONG, '"-5"'),
    (b'"0"', "0", 0, 0.0, WRONG, '"0"'),
    (b'"2.0"', "2.0", WRONG, 2.0, WRONG, '"2.0"'),
    (b'"1.50"', "1.50", WRONG, 1.5, WRONG, '"1.50"'),
    (b'"0.1"', "0.1", WRONG, 0.1, WRONG, '"0.1"'),
    (b'"02"', "02", WRONG, WRONG, WRONG, '"02"'),
    (b'"+2"', "+2", WRONG, WRONG, WRONG, '"+2"'),
    (b'"2."', "2.", WRONG, WRONG, WRONG, '"2."'),
    (b'".5"', ".5", WRONG, WRONG, WRONG, '".5"'),
    (b'" 2"', " 2", WRONG, WRONG, WRONG, '" 2"'),
    (b'"2 "', "2 ", WRONG, WRONG, WRONG, '"2 "'),
    (b'"2\\n"', "2\n", WRONG, WRONG, WRONG, '"2\\n"'),
    (b'"1e3"', "1e3", WRONG, WRONG, WRONG, '"1e3"'),
    (b'"1_0"', "1_0", WRONG, WRONG, WRONG, '"1_0"'),
    (b'"-0"', "-0", WRONG, -0.0, WRONG, '"-0"'),
    ('"٣"'.encode(), "٣", WRONG, WRONG, WRONG, '"٣"'),
    (b'"NaN"', "NaN", WRONG, WRONG, WRONG, '"NaN"'),
    (b'"9223372036854775807"', str(BIG), BIG, WRONG, WRONG, f'"{BIG}"'),
    (b'"9223372036854775808"', str(BIG + 1), WRONG, float(BIG + 1), WRONG, f'"{BIG + 1}"'),
    (
        b'"12345678901234567.89"',
        "12345678901234567.89",
        WRONG,
        WRONG,
        WRONG,
        '"12345678901234567.89"',
    ),
    (b'"true"', "true", WRONG, WRONG, True, '"true"'),
    (b'"false"', "false", WRONG, WRONG, False, '"false"'),
    (b'"True"', "True", WRONG, WRONG, WRONG, '"True"'),
    (b'"1"', "1", 1, 1.0, WRONG, '"1"'),
    (b"0", "0", 0, 0.0, WRONG, "0"),
    (b"1", "1", 1, 1.0, WRONG, "1"),
    (b"-3", "-3", -3, -3.0, WRONG, "-3"),
    (b"1.5", WRONG, WRONG, 1.5, WRONG, "1.5"),
    (b"2.0", WRONG, 2, 2.0, WRONG, "2.0"),
    (b"1e15", WRONG, 10**15, 1e15, WRONG, "1e15"),
    (b"1E5", WRONG, 100_000, 1e5, WRONG, "1E5"),
    (b"1.50", WRONG, WRONG, 1.5, WRONG, "1.50"),
    (b"12.00", WRONG, 12, 12.0, WRONG, "12.00"),
    (b"-0", "-0", 0, -0.0, WRONG, "-0"),
    (b"-0.0", WRONG, 0, -0.0, WRONG, "-0.0"),
    (b"9007199254740993", "9007199254740993", 2**53 + 1, WRONG, WRONG, "9007199254740993"),
    (b"9007199254740993.0", WRONG, 2**53 + 1, WRONG, WRONG, "9007199254740993.0"),
    (b"12345678901234567.89", WRONG, WRONG, WRONG, WRONG, "12345678901234567.89"),
    (b"1878352336.1681147245", WRONG, WRONG, WRONG, WRONG, "1878352336.1681147245"),
    (b"0.1", WRONG, WRONG, 0.1, WRONG, "0.1"),
    (b"1e22", WRONG, WRONG, 1e22, WRONG, "1e22"),
    (b"1e23", WRONG, WRONG, 1e23, WRONG, "1e23"),
    (b"5e-324", WRONG, WRONG, 5e-324, WRONG, "5e-324"),
    (
        b"1.7976931348623157e308",
        WRONG,
        WRONG,
        1.7976931348623157e308,
        WRONG,
        "1.7976931348623157e308",
    ),
    (b"1e-400", WRONG, WRONG, WRONG, WRONG, "1e-400"),
    (b"1e200000", WRONG, WRONG, WRONG, WRONG, WRONG),
    (b"1e-20000", WRONG, WRONG, WRONG, WRONG, WRONG),
    (b"1e999999999999999999999999", WRONG, WRONG, WRONG, WRONG, WRONG),
    (b"9" * 9000, "9" * 9000, WRONG, WRONG, WRONG, "9" * 9000),
    (b'[1.50, {"a": -0, "b": [1E5]}]', WRONG, WRONG, WRONG, WRONG, '[1.50,{"a":-0,"b":[1E5]}]'),
    (b"true", WRONG, WRONG, WRONG, True, "true"),
    (b"false", WRONG, WRONG, WRONG, False, "false"),
    (b"{}", WRONG, WRONG, WRONG, WRONG, "{}"),
    (b"[]", WRONG, WRONG, WRONG, WRONG, "[]"),
    (b'{"a": [1, null]}', WRONG, WRONG, WRONG, WRONG, '{"a":[1,null]}'),
    (str(BIG).encode(), str(BIG), BIG, WRONG, WRONG, str(BIG)),
    (str(BIG + 1).encode(), str(BIG + 1), WRONG, float(BIG + 1), WRONG, str(BIG + 1)),
    (str(-BIG - 1).encode(), str(-BIG - 1), -BIG - 1, float(-BIG - 1), WRONG, str(-BIG - 1)),
    (str(TOO_BIG).encode(), str(TOO_BIG), WRONG, float(TOO_BIG), WRONG, str(TOO_BIG)),
    (b"NaN", WRONG, WRONG, WRONG, WRONG, WRONG),
    (b"Infinity", WRONG, WRONG, WRONG, WRONG, WRONG),
    (b"1e400", WRONG, WRONG, WRONG, WRONG, "1e400"),
    (b"[1e400]", WRONG, WRONG, WRONG, WRONG, "[1e400]"),
    (b'{"a": -Infinity}', WRONG, WRONG, WRONG, WRONG, WRONG),
    (b'"\xff"', WRONG, WRONG, WRONG, WRONG, WRONG),
    (b'"\\ud800"', WRONG, WRONG, WRONG, WRONG, WRONG),
    (b'{"a": "\xff"}', WRONG, WRONG, WRONG, WRONG, WRONG),
    ('"é日💥"'.encode(), "é日💥", WRONG, WRONG, WRONG, '"é日💥"'),
]
MATRIX = [
    (kind, row[0], row[1 + i])
    for i, kind in enumerate(["text", "bigint", "double", "bool", "json"])
    for row in VALUES
]


@pytest.mark.parametrize(("kind", "sent", "expected"), MATRIX)
@pytest.mark.parametrize("company", [b"", b', {"key": "b"}', b', {"key": "c", "%s": [{}]}'])
def test_a_value_is_loaded_as_declared_or_not_at_all(
    kind: str, sent: bytes, expected: Any, company: bytes
) -> None:
    other = company.replace(b"%s", b"other")
    body = parse(b'[{"key": "a", "' + kind.encode() + b'": ' + sent + b"}" + other + b"]")
    table, problems = RowTyper(COLUMNS).table(body, None)
    found = table[kind].to_pylist()[0]
    if expected is WRONG:
        assert (found, len(problems)) == (None, 1)
        assert f"{kind} should be {kind}, is " in problems[0].reason
        assert parse(problems[0].record.encode())["key"] == "a"
    else:
        assert (found, problems) == (expected, [])
        assert type(found) is type(expected)


def test_every_declared_column_has_its_type_without_a_row() -> None:
    table = RowTyper(COLUMNS).empty()
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "key": "string", "text": "string", "bigint": "int64", "double": "double", "bool": "bool",
        "json": "string",
    }  # fmt: skip
    assert [field.name for field in table.schema if not field.nullable] == ["key"]


def test_required_columns_must_have_a_type() -> None:
    with pytest.raises(ValueError, match="required columns without a type: \\['id'\\]"):
        columns(required="id", text="name")


GOOD = b'{"id": "good", "email": "g@example.com"}'
#: A record below a promotion of its own: the row that it gives (if any), and the reason (if any).
RECORDS: dict[str, tuple[bytes, dict[str, Any] | None, str | None]] = {
    "id null": (b'{"id": null, "email": "x"}', None, "not loaded: id is required"),
    "id missing": (b'{"email": "x"}', None, "not loaded: id is required"),
    "id an object": (b'{"id": {}}', None, "id should be text, is {} (object); not loaded"),
    "id a list": (b'{"id": [1]}', None, "id should be text, is [1] (list); not loaded"),
    "id a boolean": (b'{"id": true}', None, "id should be text, is true (boolean); not loaded"),
    "id a fraction": (b'{"id": 1.5}', None, "id should be text, is 1.5 (number); not loaded"),
    "id not UTF-8": (b'{"id": "\xff"}', None, "not valid UTF-8; not loaded"),
    "id a number": (b'{"id": 7}', {"id": "7"}, None),
    "id huge": (b'{"id": %d}' % TOO_BIG, {"id": str(TOO_BIG)}, None),
    "id empty": (b'{"id": ""}', {"id": ""}, None),
    "record null": (b"null", None, "a JSON null, not an object"),
    "record a string": (b'"x"', None, "a JSON string, not an object"),
    "record a number": (b"1", None, "a JSON number, not an object"),
    "record a list": (b"[]", None, "a JSON list, not an object"),
    "record empty": (b"{}", None, "not loaded: id is required"),
    "email an object": (b'{"id": "1", "email": {"a": 1}}', {"id": "1"}, "email should be text"),
    "email not UTF-8": (b'{"id": "1", "email": "a\xffb"}', {"id": "1"}, "not valid UTF-8"),
    "two wrongs": (b'{"id": "1", "email": [], "status": {}}', {"id": "1"}, "; status should be"),
    "another parent": (b'{"id": "1", "promotion_id": "8"}', {"id": "1"}, "promotion_id is '8' in"),
    "NaN": (b'{"id": "1", "status": NaN}', {"id": "1"}, "status should be text, is"),
    "NaN inside": (b'{"id": "1", "meta_data": {"x": NaN}}', {"id": "1"}, "meta_data should be"),
    "too large for a server inside": (
        b'{"id": "1", "meta_data": [1e200000]}', {"id": "1"}, "which not every server takes in JSON"
    ),
    "new NaN": (b'{"id": "1", "new": NaN}', {"id": "1"}, "new should be text or JSON, is"),
    "new NaN inside": (b'{"id": "1", "new": [NaN]}', {"id": "1"}, "which is no JSON"),
    "parent nested deep": (
        b'{"id": "1", "promotion_id": ' + b"[" * 700 + b"]" * 700 + b"}", {"id": "1"},
        "promotion_id is '[[["
    ),
    "id nested deep": (b'{"id": ' + b"[" * 700 + b"]" * 700 + b"}", None, "id should be text"),
    "a null character": (
        b'{"id": "1", "email": "a\\u0000b"}', {"id": "1"}, "email should be text, is 'a\\x00b'"
    ),
    "id with a null character": (b'{"id": "1\\u0000"}', None, "no server takes a null character"),
    "new with a null character": (b'{"id": "1", "new": "\\u0000"}', {"id": "1"}, "new should be"),
    "a null character inside": (
        b'{"id": "1", "meta_data": {"x": ["\\u0000"]}}', {"id": "1"}, "meta_data should be json"
    ),
    "an escaped null character inside": (
        b'{"id": "1", "meta_data": ["\\\\u0000"]}',
        {"id": "1", "meta_data": '["\\\\u0000"]'},
        None,
    ),
    "new text": (b'{"id": "1", "new_text": "t"}', {"id": "1", "new_text": "t"}, None),
    "new number": (b'{"id": "1", "new": 1}', {"id": "1", "new": "1"}, None),
    "new fraction": (b'{"id": "1", "new": 1.5}', {"id": "1", "new": "1.5"}, None),
    "new boolean": (b'{"id": "1", "new": true}', {"id": "1", "new": "true"}, None),
    "new null": (b'{"id": "1", "new": null}', {"id": "1"}, None),
    "new object": (b'{"id": "1", "new": {"b": [1]}}', {"id": "1", "new": '{"b":[1]}'}, None),
    "new huge": (b'{"id": "1", "new": %d}' % TOO_BIG, {"id": "1", "new": str(TOO_BIG)}, None),
    "new not UTF-8": (b'{"id": "1", "new": "\xff"}', {"id": "1"}, "not valid UTF-8"),
    "field empty": (b'{"id": "1", "": "v"}', {"id": "1", column_of("", ()): "v"}, None),
    "field camel": (b'{"id": "1", "fooBar": "v"}', {"id": "1", column_of("fooBar", ()): "v"}, None),
    "field a keyword": (b'{"id": "1", "select": "v"}', {"id": "1", "select": "v"}, None),
    "field long": (b'{"id": "1", "%s": "v"}' % (b"f" * 200), {"id": "1", "f" * 200: "v"}, None),
    "field nested": (b'{"id": "1", "a__b": "v"}', {"id": "1", "a__b": "v"}, None),
}  # fmt: skip
ODD_FIELDS = [b"\xf0\x9f\x92\xa5", b"a.b", b'q\\"d', b"\xff", b"1st", b"-", b"a b", b"a;b", b"'"]


@pytest.fixture(scope="module")
def synced(shared: World) -> dict[str, ListResult]:
    """One sync of all odd records, each beside a good one below a promotion of its own."""
    for name, (record, _, _) in RECORDS.items():
        body = b'{"items": [' + GOOD + b", " + record + b'], "paging": {}}'
        shared.api.fail(f"/users/{name}", body=body)
    return shared.sync("promotions", "users", parents={"promotions": list(RECORDS)})


def loaded(world: World, parent: str) -> list[dict[str, Any]]:
    """The rows below a promotion, without the column that names it and without the good one."""
    rows = [row for row in world.rows("promotions.users") if row.pop("promotion_id") == parent]
    assert {"id": "good", "email": "g@example.com"} in rows
    return [row for row in rows if row["id"] != "good"]


@pytest.mark.parametrize("name", RECORDS)
def test_an_odd_record_is_loaded_as_far_as_it_is_true(
    shared: World, synced: dict[str, ListResult], name: str
) -> None:
    expected = RECORDS[name][1]
    assert synced[f"users of {name}"].error is None
    assert loaded(shared, name) == ([expected] if expected else [])


@pytest.mark.parametrize("name", RECORDS)
def test_what_could_not_be_loaded_is_kept_with_its_reason(
    shared: World, synced: dict[str, ListResult], name: str
) -> None:
    record, _, reason = RECORDS[name]
    kept = [row for row in shared.quarantined("promotions") if row["list"] == f"users/{name}"]
    assert len(kept) == len(synced[f"users of {name}"].problems) == (1 if reason else 0)
    if reason:
        assert reason in kept[0]["reason"]
        assert (kept[0]["resource"], kept[0]["parent"]) == ("users", name)
        assert parse(kept[0]["record"].encode()) == parse(record.replace(b"NaN", b'"NaN"'))


@pytest.mark.parametrize("field", ODD_FIELDS)
def test_a_field_with_any_name_is_kept(world: World, field: bytes) -> None:
    world.api.fail("/v1/coupons", body=b'{"data": [{"id": 1, "' + field + b'": "v"}], "links": {}}')
    row = world.read("affiliates", "coupons")[0]
    assert [value for value in row.values() if value is not None] == [1, "v"]


def test_fields_of_any_name_reach_the_warehouse(world: World) -> None:
    fields = b", ".join(b'"' + field + b'": "v"' for field in ODD_FIELDS)
    world.api.fail("/v1/coupons", body=b'{"data": [{"id": 1, ' + fields + b'}], "links": {}}')
    assert world.sync("affiliates", "coupons")["coupons"].error is None
    row = world.rows("affiliates.coupons")[0]
    assert sorted(map(str, row.values())) == ["1", *["v"] * len(ODD_FIELDS)]


def test_flat_objects_become_columns(world: World) -> None:
    brands: list[Any] = [
        {"id": "b", "name": "B", "logo": {"x": 1}},
        None,
        {"id": 7},
        "text",
        [],
        {},
    ]
    world.api.lists["/promotions"] = [
        {"id": str(n), "organizing_brand": brand} for n, brand in enumerate(brands)
    ]
    found = world.sync("promotions", "promotions")["promotions"]
    name = "organizing_brand"
    assert world.rows("promotions.promotions") == [
        {"id": "0", f"{name}__id": "b", f"{name}__name": "B", f"{name}__logo": '{"x":1}'},
        {"id": "1"},
        {"id": "2", f"{name}__id": "7"},
        {"id": "3"},
        {"id": "4"},
        {"id": "5"},
    ]
    assert [problem.reason for problem in found.problems] == [
        f"{name} is a JSON string, not an object",
        f"{name} is a JSON list, not an object",
    ]


def held_problems(world: World) -> list[tuple[str, int]]:
    """List and position of what is in the quarantine."""
    return [(row["list"], row["position"]) for row in world.quarantined("affiliates")]


@pytest.mark.long
def test_problems_follow_their_lists(world: World) -> None:
    lists = world.api.lists
    lists["/v1/affiliates"] = [{"id": "x"}, {"id": 4}]
    lists["/v1/coupons"] = [{"id": 1, "coupon": []}, {"id": None}, {"id": 3}]
    world.sync("affiliates", "coupons", "affiliates")
    assert held_problems(world) == [("affiliates", 0), ("coupons", 0), ("coupons", 1)]
    lists["/v1/coupons"] = [{"id": 3}, {"id": 5, "description": {}}]
    world.sync("affiliates", "coupons")
    assert held_problems(world) == [("affiliates", 0), ("coupons", 0)]
    world.api.fail("/v1/coupons", status=500)
    world.sync("affiliates", "coupons")
    assert held_problems(world) == [("affiliates", 0), ("coupons", 0)]
    world.api.heal()
    lists["/v1/coupons"] = [{"error": "later"}]
    failed = world.sync("affiliates", "coupons")["coupons"].error or ""
    assert "coupons: the API lists nothing that can be loaded" in failed
    assert world.ids("affiliates.coupons") == [3, 5]
    lists["/v1/coupons"] = [{"id": 1, "coupon": "c"}, {"id": 2}]
    world.sync("affiliates", "coupons")
    assert held_problems(world) == [("affiliates", 0)]
    assert world.ids("affiliates.coupons") == [1, 2]


@pytest.mark.long
def test_a_new_field_comes_and_goes(world: World) -> None:
    for field in ({"shade": "red"}, {}, {"shade": {"r": 1}}):
        world.api.lists["/v1/coupons"] = [{"id": 1, **field}]
        assert world.sync("affiliates", "coupons")["coupons"].error is None
    assert world.rows("affiliates.coupons") == [{"id": 1, "shade": '{"r":1}'}]


def test_deeply_nested_values_are_kept(world: World) -> None:
    deep: Any = "core"
    for _ in range(300):
        deep = {"in": [deep]}
    world.api.lists["/users/1"] = [{"id": "1", "meta_data": deep}]
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    assert json.loads(world.rows("promotions.users")[0]["meta_data"]) == deep
