"""Two records of one list with the same key are reported if they contradict each other."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_assets.sources.rest.extract import spool as spools
from sync_assets.sources.rest.extract.spool import Spool
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.paging.body import parse
from sync_assets.sources.rest.records.columns import TColumns, columns
from sync_assets.sources.rest.records.numbers import Number
from sync_assets.sources.rest.records.rows import RowTyper
from sync_assets_tests.support.world import World
from sync_assets_tests.warehouse.test_quarantine import check

TEXT = columns(required="id", text="id name", double="score", json="data")
BIGINT = columns(required="id", text="name", bigint="id", double="score", json="data")
#: Two records of one list: the rows that are loaded, and whether the second is a conflict.
PAIRS: dict[str, tuple[TColumns, str, str, int, bool]] = {
    "the same record twice": (TEXT, '{"id":"1","name":"a"}', '{"id":"1","name":"a"}', 1, False),
    "another value": (TEXT, '{"id":"1","name":"a"}', '{"id":"1","name":"b"}', 1, True),
    "a value and none": (TEXT, '{"id":"1","name":"a"}', '{"id":"1"}', 1, True),
    "null and none": (TEXT, '{"id":"1","name":null}', '{"id":"1"}', 1, False),
    "another undeclared value": (TEXT, '{"id":"1","x":1}', '{"id":"1","x":2}', 1, True),
    "another undeclared field": (TEXT, '{"id":"1","x":1}', '{"id":"1","X":1}', 1, True),
    "another order of fields": (TEXT, '{"id":"1","x":1}', '{"x":1,"id":"1"}', 1, False),
    "another order inside": (
        TEXT, '{"id":"1","data":{"a":1,"b":[2.50]}}', '{"id":"1","data":{"b":[2.50],"a":1}}', 1,
        False,
    ),
    "another order of a list": (TEXT, '{"id":"1","x":[1,2]}', '{"id":"1","x":[2,1]}', 1, True),
    "true and 1 inside": (TEXT, '{"id":"1","data":[1]}', '{"id":"1","data":[true]}', 1, True),
    "another last digit": (
        TEXT, '{"id":"1","x":34567890.12345678901}', '{"id":"1","x":34567890.12345678902}', 1, True
    ),
    "a number and its text as the key, text": (TEXT, '{"id":2}', '{"id":"2"}', 1, False),
    "a number and its text as the key, bigint": (BIGINT, '{"id":2}', '{"id":"2"}', 1, False),
    "two notations of the key": (BIGINT, '{"id":2}', '{"id":2.0}', 1, False),
    "an exponent in the key": (BIGINT, '{"id":200}', '{"id":2E2}', 1, False),
    "a text of other digits as the key": (TEXT, '{"id":"2"}', '{"id":"02"}', 2, False),
    "large keys that a double does not tell apart": (
        BIGINT, '{"id":9007199254740992}', '{"id":9007199254740993}', 2, False
    ),
    "another key in a conflict": (BIGINT, '{"id":2,"name":"a"}', '{"id":"2","name":"b"}', 1, True),
    "a mistyped value in one": (TEXT, '{"id":"1","name":"a"}', '{"id":"1","name":{}}', 1, True),
    "two mistyped values": (TEXT, '{"id":"1","name":[]}', '{"id":"1","name":{}}', 1, True),
    "the same mistyped value": (TEXT, '{"id":"1","name":[]}', '{"id":"1","name":[]}', 1, False),
}  # fmt: skip
REPORTED = "the first is loaded, the second kept in `_quarantine`; `keys_unique` fails"
FAULTS = {
    f"two records of one list: {name}": REPORTED if told else "a row for each key, no finding"
    for name, (_, _, _, _, told) in PAIRS.items()
}
FAR_APART = [0, 1, 3]


def read(declared: TColumns, *pages: list[str]) -> Spool:
    """The spool of a list of such pages."""
    found = Spool(RowTyper(declared), "id", ListResult("things"))
    for page in pages:
        found.add([parse(record.encode()) for record in page])
    found.close()
    return found


def rows(spool: Spool) -> list[dict[str, Any]]:
    return [row for table in spool.tables() for row in table.to_pylist()]


@pytest.mark.parametrize("chunk", [1, 2, 2_000])
@pytest.mark.parametrize("name", PAIRS)
def test_two_records_with_one_key(monkeypatch: pytest.MonkeyPatch, name: str, chunk: int) -> None:
    monkeypatch.setattr(spools, "CHUNK", chunk)
    declared, first, second, loaded, told = PAIRS[name]
    found = read(declared, [first], ['{"id":"77"}'], [second])
    assert found.listing.rows == len(rows(found)) == loaded + 1
    assert found.listing.conflicts == found.listing.left_out == (1 if told else 0)
    conflicts = [problem for problem in found.listing.problems if problem.kind == "conflict"]
    assert [parse(problem.record.encode()) for problem in conflicts] == (
        [parse(second.encode())] if told else []
    )
    for problem in conflicts:
        assert "not loaded: another record of the list has the key " in problem.reason


KEYS: st.SearchStrategy[Any] = st.sampled_from(
    [1, 2, "1", "2", Number("1.0"), Number("2E0"), 1.5, "x", None, [1], {}, True]
)
NAMES: st.SearchStrategy[Any] = st.sampled_from(
    ["a", "b", None, 1, 1.5, [], {"a": [1]}, "\0", Number("1.50"), Number("NaN")]
)
RECORDS = st.fixed_dictionaries({"id": KEYS}, optional={"name": NAMES, "x": NAMES, "data": NAMES})


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORDS | NAMES, max_size=12), st.integers(1, 4), st.booleans())
def test_no_record_of_a_list_is_lost_in_silence(
    records: list[Any], size: int, in_small_chunks: bool
) -> None:
    chunk, spools.CHUNK = spools.CHUNK, size if in_small_chunks else spools.CHUNK
    try:
        found = Spool(RowTyper(BIGINT), "id", ListResult("things"))
        for at in range(0, len(records), size):
            found.add(records[at : at + size])
        found.close()
    finally:
        spools.CHUNK = chunk
    listing, held = found.listing, rows(found)
    assert len(held) == listing.rows == len({row["id"] for row in held})
    assert listing.rows + listing.left_out + listing.duplicates == len(records)


def test_the_differing_columns_are_named() -> None:
    found = read(TEXT, ['{"id":"1","name":"a","score":1}', '{"id":"1","name":"b","x":2}'])
    assert (
        "has the key 1, with other contents in name, score, x" in found.listing.problems[0].reason
    )


def test_a_record_whose_first_could_not_be_loaded_is_loaded() -> None:
    declared = columns(required="id name", text="id name")
    found = read(declared, ['{"id":"1"}', '{"id":"1"}'], ['{"id":"1","name":"a"}'])
    assert rows(found) == [{"id": "1", "name": "a"}]
    assert (found.listing.left_out, found.listing.conflicts) == (1, 0)
    assert found.listing.duplicates == 1


def test_records_with_a_key_that_no_column_takes_are_all_kept() -> None:
    bad = ["[1]", '"a\\u0000"', "null", "{}"]
    sent = [f'{{"id":{key},"name":"{name}"}}' for name in "ab" for key in bad]
    found = read(TEXT, sent, sent[:1])
    assert (found.listing.rows, found.listing.left_out, found.listing.duplicates) == (0, 8, 1)


def test_many_duplicates_are_compared_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "CHUNK", 50)
    monkeypatch.setattr(spools, "IN_MEMORY", 1)
    pages = [
        [f'{{"id":{n},"name":"n{n}"}}' for n in range(at, at + 100)] for at in range(0, 500, 100)
    ]
    changed = sorted(random.Random(1).sample(range(500), 7))
    again = [
        [
            f'{{"id":{n},"name":"{"other" if n in changed else f"n{n}"}"}}'
            for n in range(at, at + 100)
        ]
        for at in range(0, 500, 100)
    ]
    found = Spool(RowTyper(BIGINT), "id", ListResult("things"))
    for page in [*pages, *again]:
        found.add([parse(record.encode()) for record in page])
        assert len(found._again) < 150
    found.close()
    assert [row["id"] for row in rows(found)] == list(range(500))
    assert (found.listing.duplicates, found.listing.conflicts) == (493, 7)
    told = [json.loads(problem.record)["id"] for problem in found.listing.problems]
    assert sorted(told) == changed


def test_conflicting_records_fail_keys_unique_with_the_id(world: World) -> None:
    world.api.lists["/users/1"] = [
        {"id": "a", "nickname": "x"}, {"id": "b"}, {"id": "c"}, {"id": "a", "nickname": "y"}
    ]  # fmt: skip
    found = world.sync("promotions", "users", parents={"promotions": ["1"]})["users of 1"]
    assert (found.error, found.rows, found.left_out) == (None, 3, 1)
    unique = check(world, "keys_unique")
    assert not unique.passed
    assert unique.metadata["conflicting_keys"] == 1
    assert unique.metadata["conflicts"] == [
        "users/1: not loaded: another record of the list has the key a,"
        " with other contents in nickname"
    ]
    assert check(world, "required_fields").passed
    (kept,) = world.quarantined("promotions")
    assert (json.loads(kept["record"])["nickname"], kept["kind"]) == ("y", "conflict")
    world.api.lists["/users/1"].pop()
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    assert check(world, "keys_unique").passed


@pytest.mark.long
def test_rankings_with_one_position_and_name_are_told(world: World) -> None:
    world.api.lists["/ranking/1"] = [
        {"position": 1, "name": "a", "points": 5},
        {"position": 1, "name": "a", "points": 4},
        {"position": 2, "name": "b", "points": 3},
    ]
    found = world.sync("promotions", "rankings", parents={"promotions": ["1"]})["rankings of 1"]
    assert (found.rows, found.conflicts) == (2, 1)
    unique = check(world, "keys_unique", "promotions/rankings")
    assert "has the key 1 a, with other contents in points" in unique.metadata["conflicts"][0]


def test_ids_that_arrive_as_text_lose_no_row(world: World) -> None:
    world.api.lists["/v1/coupons"] = [{"id": "2", "coupon": "x"}, {"id": 3}, {"id": "4"}]
    found = world.sync("affiliates", "coupons")["coupons"]
    assert (found.error, found.quarantined) == (None, 0)
    assert world.ids("affiliates.coupons") == [2, 3, 4]
