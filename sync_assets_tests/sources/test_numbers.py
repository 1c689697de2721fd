"""Numbers keep the digits that were sent, or are quarantined."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_assets.sources.rest.paging.body import parse
from sync_assets.sources.rest.records.columns import columns
from sync_assets.sources.rest.records.encoding import to_json
from sync_assets.sources.rest.records.numbers import Number, as_bigint, as_double
from sync_assets.sources.rest.records.rows import RowTyper
from sync_assets_tests.support.postgres import PostgresWorld, own_database
from sync_assets_tests.support.world import World

#: Numbers that Python, a double or a 64-bit integer would write with other digits.
SENT = [
    "12345678901234567.89", "1878352336.1681147245", "1.50", "0.10", "12.00", "1e400", "1E5", "1e5",
    "1E+5", "1e-7", "-0.0", "-0", "0.0", "0e0", "9007199254740993", "9007199254740993.0", "1e22",
    "123456789012345678901234567890", "0.1000000000000000055511151231257827", "1e-400", "-1.0E-2",
    "9" * 4_301, "0." + "3" * 400, "100000000000000000000.5",
]  # fmt: skip
FAULTS = {
    f"a number in an undeclared field or inside JSON: {text[:40]}": "stored as it was sent"
    for text in SENT
}
EVERYTHING = columns(
    required="key",
    text="key text flat__text",
    bigint="bigint flat__bigint",
    double="double",
    boolean="bool",
    json="json",
)
NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?", fullmatch=True
)


def user(text: str) -> bytes:
    """A user whose undeclared and JSON fields hold a number."""
    inside = f'{{"a": [{text}, {{"b": {text}}}]}}'
    return (
        f'{{"id": "1", "n": {text}, "o": {inside}, "meta_data": {inside}, '
        f'"custom_properties": {text}}}'
    ).encode()


def digits(world: World) -> None:
    """Sync users of promotions that are called as the number they hold."""
    for n, text in enumerate(SENT):
        world.api.fail(f"/users/{n}", body=b'{"items": [' + user(text) + b'], "paging": {}}')
    parents = [str(n) for n in range(len(SENT))]
    found = world.sync("promotions", "users", parents={"promotions": parents})
    assert {listing.error for listing in found.values()} == {None}
    assert {listing.quarantined for listing in found.values()} == {0}


@pytest.fixture(scope="module")
def numbers(shared: World) -> dict[str, dict[str, Any]]:
    """The rows by the number that they hold."""
    digits(shared)
    return {SENT[int(row["promotion_id"])]: row for row in shared.rows("promotions.users")}


@pytest.mark.parametrize("text", SENT)
def test_a_number_keeps_its_digits(numbers: dict[str, dict[str, Any]], text: str) -> None:
    row, inside = numbers[text], f'{{"a":[{text},{{"b":{text}}}]}}'
    assert (row["n"], row["o"]) == (text, inside)
    assert (row["meta_data"], row["custom_properties"]) == (inside, text)


@pytest.mark.parametrize("text", SENT)
def test_so_does_one_in_a_compact_body(text: str) -> None:
    for body in (f'{{"n":{text}}}', f'{{"n":{text},"é":"/"}}', f'{{"n":{text},"u":"\\u00e9"}}'):
        table, problems = RowTyper(columns(required="", text="id")).table(
            [parse(body.encode())], None
        )
        assert (table["n"].to_pylist(), problems) == ([text], [])


@pytest.mark.parametrize("text", SENT)
def test_so_does_a_record_in_quarantine(text: str) -> None:
    sent = user(text).replace(b'"id": "1"', b'"id": null')
    _, (problem,) = RowTyper(columns(required="id", text="id")).table([parse(sent)], None)
    assert problem.record == sent.decode().replace(" ", "")


@pytest.mark.long
def test_postgres_keeps_the_value(world: World) -> None:
    with own_database() as database:
        postgres = PostgresWorld.over(world, database)
        digits(postgres)
        rows = postgres.query(
            "SELECT promotion_id, n, (meta_data->'a'->>0) AS j FROM promotions.users"
        )
    for row in rows:
        text = SENT[int(row["promotion_id"])]
        assert row["n"] == text
        assert Decimal(row["j"]) == Decimal(text)


@settings(max_examples=60, deadline=None)
@given(NUMBERS)
def test_a_column_of_numbers_holds_the_very_number_or_none(text: str) -> None:
    double, whole, exact = as_double(text), as_bigint(text), Decimal(text)
    assert double is None or exact in (Decimal(repr(double)), Decimal(double))
    assert whole is None or whole == exact
    if abs(exact) < 2**63 and exact == exact.to_integral_value():
        assert whole == exact


@settings(max_examples=60, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_held_and_written_as_python_does(number: float) -> None:
    text = repr(number)
    assert repr(as_double(text)) == text
    assert to_json(parse(text.encode())) == text


@settings(max_examples=60, deadline=None)
@given(NUMBERS, NUMBERS)
def test_any_number_is_written_as_it_was_read(one: str, other: str) -> None:
    text = f'[{one},{{"a":{other}}},[[{one}]]]'
    assert to_json(parse(text.encode())) == text


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(categories=["Cs", "Cc", "Nd", "So"])) | NUMBERS.map(Number)
    | st.sampled_from(["NaN", "Infinity", "1e200000", "0e999999999999999999999"]).map(Number)
    | st.sampled_from(["0000-00-00", "9999-12-31T23:59:59Z", "10000-01-01", "0001-01-01", "", "\0"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(), v, max_size=3)
)
FIELDS = st.sampled_from([*EVERYTHING, "flat", "parent", "Text", "", "new", "_dlt_id", "\0"])
RECORDS = st.dictionaries(FIELDS | st.text(), VALUES, max_size=8) | VALUES


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORDS, max_size=4), st.sampled_from([None, "parent"]))
def test_no_record_of_any_form_raises_and_none_is_lost(
    records: list[Any], column: str | None
) -> None:
    declared = (
        EVERYTHING if column is None else {**EVERYTHING, **columns(required="", text="parent")}
    )
    table, problems = RowTyper(declared, column).table(records, column and "p")
    left_out = [problem for problem in problems if problem.kind == "required"]
    assert table.num_rows + len(left_out) == len(records)
    for problem in problems:
        problem.reason.encode()
        json.loads(problem.record.encode())
    for row in table.to_pylist():
        for value in row.values():
            assert not isinstance(value, str) or "\0" not in value.encode().decode()
    assert None not in table["key"].to_pylist()


def test_values_nested_deeper_than_calls_may_be() -> None:
    for depth in (300, 700, 900):
        text = '{"key":"1","json":' + '{"a":[1.50,' * depth + "-0" + "]}" * depth + "}"
        record: Any = None
        try:
            record = parse(text.encode())
        except RecursionError:  # that is for the body guard
            continue
        table, problems = RowTyper(EVERYTHING).table([record], None)
        assert problems == []
        assert text == f'{{"key":"1","json":{table["json"].to_pylist()[0]}}}'
        assert to_json(record) == text
