"""No personal data in events, alerts, logs and `_syncs`: messages lose the values they quote."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync_assets.base.personal_data import discreet
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.postgres import either_warehouse
from sync_assets_tests.support.world import World

CANARY = "canary@person.example"
#: What Postgres and DuckDB say, and what is left of it.
SAID = {
    'null value in column "email" of relation "users" violates not-null constraint\n'
    "DETAIL:  Failing row contains (1, canary@person.example, null).": (
        'null value in column "email" of relation "users" violates not-null constraint'
    ),
    'duplicate key value violates unique constraint "users_email_key"\n'
    "DETAIL:  Key (email)=(canary) already exists.\nCONTEXT:  COPY users, line 1": (
        'duplicate key value violates unique constraint "users_email_key"'
    ),
    'new row for relation "users" violates check constraint "adults"\nDETAIL:  Failing row'
    " contains (canary\nof two lines, 5).": (
        'new row for relation "users" violates check constraint "adults"'
    ),
    "invalid input syntax for type bigint: \"canary\"\nLINE 1: ...VALUES (E'canary')\n       ^": (
        "invalid input syntax for type bigint: ..."
    ),
    'invalid input syntax for type bigint: "he said "hi" to\ncanary"': (
        "invalid input syntax for type bigint: ..."
    ),
    'value "canary" is out of range for type integer': (
        'value "..." is out of range for type integer'
    ),
    "syntax error at or near \"x\"\nLINE 3: E'canary', 5": 'syntax error at or near "..."',
    'Constraint Error: Duplicate key "email: canary" violates unique constraint.': (
        'Constraint Error: Duplicate key "..." violates unique constraint.'
    ),
    "Constraint Error: NOT NULL constraint failed: users.email": (
        "Constraint Error: NOT NULL constraint failed: users.email"
    ),
    "Conversion Error: Could not convert string 'canary' to INT64 when casting from source column"
    " phone": (
        "Conversion Error: Could not convert string '...' to INT64 when casting from source column"
        " phone"
    ),
    "Conversion Error: Type INT64 with value 4917012345 can't be cast": (
        "Conversion Error: Type INT64 with value ..."
    ),
    "Violation of UNIQUE KEY. The duplicate key value is (canary@person.example).": (
        "Violation of UNIQUE KEY. The duplicate key value is ..."
    ),
    "near INSERT INTO users (id, email) VALUES (1, 'canary'), (2": (
        "near INSERT INTO users (id, email) VALUES (...)"
    ),
    "KeyError: 'endDate'": "KeyError: 'endDate'",
    "ValueError: could not convert string to float: 'canary'": (
        "ValueError: could not convert string to float: ..."
    ),
    "someone sent canary@person.example here": "someone sent ... here",
}
FAULTS = {
    "a warehouse's error that quotes a row": "told without the row",
    "a record of another type": "told without its value, which `_quarantine` keeps",
}


@pytest.mark.parametrize("said", SAID)
def test_what_databases_quote_is_cut_and_names_are_left(said: str) -> None:
    assert discreet(said) == SAID[said]


VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(
    lambda text: f"{text}canary{text}"
)


@given(
    VALUES, st.sampled_from(['type bigint: "{}"', "x\nDETAIL:  Key (a)=({})", "VALUES ('{}', 1"])
)
@settings(max_examples=200, deadline=None)
def test_no_value_can_write_itself_into_a_message(value: str, frame: str) -> None:
    assert "canary" not in discreet(f"ERROR: {frame.format(value)}")


@given(st.sampled_from(["a", "Zü", "x y"]), VALUES)
@example("a", ":canary:")
@settings(max_examples=50, deadline=None)
def test_duckdb_quotes_no_value_either(name: str, value: str) -> None:
    value = value.replace("\0", "")
    with duckdb.connect() as connection:
        connection.execute(f'CREATE TABLE t ("{name}" VARCHAR UNIQUE, n BIGINT)')
        connection.execute("INSERT INTO t VALUES (?, 1)", [value])
        for sql in ("INSERT INTO t VALUES (?, 1)", "SELECT CAST(? AS BIGINT)"):
            with pytest.raises(duckdb.Error) as error:
                connection.execute(sql, [value])
            assert "canary" not in discreet(str(error.value)) or not _quoted(value)


def _quoted(value: str) -> bool:
    """Whether a value can be told from the message around it at all."""
    return not {'"', "'"} & set(value)


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.long)])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with either_warehouse(request.param, tmp_path) as made:
        yield made


@pytest.mark.long
def test_a_row_that_the_warehouse_refuses_is_in_no_event_and_no_log(
    warehouse: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    brands: list[dict[str, Any]] = [{"id": "1", "name": CANARY}]
    warehouse.api.lists = {"/promotions": [], "/organizing_brands": brands}
    warehouse.api.lists |= {"/promotions": [{"id": "1", "title": CANARY}]}
    with local_instance(warehouse.folder) as instance:
        runs = DagsterRuns(instance)
        assert runs.run("promotions/promotions").success
        warehouse.query("CREATE UNIQUE INDEX once ON promotions.promotions (title)")
        warehouse.api.lists["/promotions"].append({"id": "2", "title": CANARY})
        run = runs.run("promotions/promotions")
        assert not run.success
        events = "\n".join(str(entry) for entry in instance.all_logs(run.run_id))
        assert "STEP_FAILURE" in events
        assert CANARY not in events
    assert CANARY not in caplog.text
    out, err = capfd.readouterr()
    assert CANARY not in out + err
    rows = warehouse.query("SELECT error FROM promotions._syncs")
    assert CANARY not in str(rows)


@pytest.mark.long
def test_a_value_of_another_type_is_in_no_event(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    world.api.lists = {"/promotions": [{"id": "1", "title": {"mail": CANARY}}, {"title": CANARY}]}
    with local_instance(world.folder) as instance:
        run = DagsterRuns(instance).run("promotions/promotions")
        assert run.success
        events = "\n".join(str(entry) for entry in instance.all_logs(run.run_id))
        assert "title should be text" in events
        assert CANARY not in events
    out, err = capfd.readouterr()
    assert CANARY not in out + err
    assert CANARY in str(world.rows("promotions._quarantine"))
