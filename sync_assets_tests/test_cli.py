"""`sync-assets`: a full sync without Dagster, its table, its exit code, its errors."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from sync_assets.cli import main
from sync_assets_tests.conftest import World
from sync_assets_tests.project import copy_project, run

NOON = {"SANDBOX__NOW": "2026-03-01T12:00:00Z", "SANDBOX__PROMOTIONS": "8"}


def table_rows(output: str) -> dict[str, list[str]]:
    """The closing table: asset → partitions, rows, requests, seconds, failures."""
    lines = re.findall(r"^(\w+/\w+) +(\S+) +(\S+) +(\S+) +(\S+) +(\S+)$", output, re.MULTILINE)
    return {asset: list(figures) for asset, *figures in lines}


def counts(warehouse: Path) -> dict[str, int]:
    """Rows of each table in the sandbox's datasets."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_schema LIKE '%sandbox' AND NOT starts_with(table_name, '_')"
        ).fetchall()
        return {
            f"{schema.removesuffix('_sandbox')}/{table}": len(
                connection.table(f"{schema}.{table}").fetchall()
            )
            for schema, table in tables
        }


@pytest.mark.long
def test_a_full_sync_of_the_sandbox_fills_twenty_tables_and_stays(tmp_path: Path) -> None:
    folder = copy_project(tmp_path)
    first = run(folder, "sync_assets", variables=NOON)
    assert first.returncode == 0, first.stdout + first.stderr
    held = counts(folder / "warehouse.duckdb")
    shown = table_rows(first.stdout)
    assert len(held) == len(shown) == 20
    assert {asset: int(row[1].replace(",", "")) for asset, row in shown.items()} == held
    assert all(row[4] == "0" for row in shown.values())
    one = str(promotions(folder)[0])
    again = run(folder, "sync_assets", "promotions", "--partition", one, variables=NOON)
    assert again.returncode == 0, again.stdout + again.stderr
    assert {row[0] for row in table_rows(again.stdout).values()} == {"1"}
    assert counts(folder / "warehouse.duckdb") == held


def promotions(folder: Path) -> list[str]:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT id FROM promotions_sandbox.promotions").fetchall()
        return [row[0] for row in rows]


@pytest.fixture
def promotion(world: World) -> World:
    """An account with two promotions and a user each."""
    world.api.lists = {"/promotions": [{"id": "1"}, {"id": "2"}], "/organizing_brands": []}
    for one in "12":
        for child in ("stages", "users", "participations", "prizes", "ranking"):
            world.api.lists[f"/{child}/{one}"] = [{"id": "a"}]
    return world


def test_one_partition_touches_its_own_rows_alone(
    promotion: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["promotions"]) == 0
    for one in "12":
        promotion.api.lists[f"/users/{one}"] = [{"id": "b"}]
    promotion.api.seen.clear()
    assert main(["promotions", "--partition", "2"]) == 0
    assert [(row["promotion_id"], row["id"]) for row in promotion.rows("promotions.users")] == [
        ("1", "a"),
        ("2", "b"),
    ]
    assert not promotion.api.asked("/users/1")
    assert "promotions/users" in capsys.readouterr().out


def test_a_failed_list_is_named_and_the_exit_code_is_1(
    promotion: World, capsys: pytest.CaptureFixture[str]
) -> None:
    promotion.api.fail("/users/1", status=500)
    assert main(["promotions"]) == 1
    output = capsys.readouterr().out
    assert "failed: users of 1, page 1" in output
    assert table_rows(output)["promotions/users"][::4] == ["2", "1"]
    assert [row["promotion_id"] for row in promotion.rows("promotions.users")] == ["2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["promotions", "--partition", "9"], "promotions has no 9: the API lists 2, 1, 2"),
        (["affiliates", "--partition", "1"], "affiliates has no partitions"),
    ],
)
def test_an_unknown_partition_is_named(
    promotion: World, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 1
    assert message in capsys.readouterr().out


def test_a_missing_secret_stops_everything_before_the_first_request(
    promotion: World, capsys: pytest.CaptureFixture[str]
) -> None:
    promotion.monkeypatch.delenv("SOURCES__PROMOTIONS__BEARER_TOKEN")
    assert main([]) == 1
    assert "SOURCES__PROMOTIONS__BEARER_TOKEN is not set" in capsys.readouterr().out
    assert not promotion.api.seen


def test_a_wrong_secret_is_told_from_other_failures(
    promotion: World, capsys: pytest.CaptureFixture[str]
) -> None:
    promotion.configure("promotions", bearer_token="wrong")  # noqa: S106
    assert main(["promotions"]) == 1
    output = capsys.readouterr().out
    assert "the credential is wrong" in output
    assert "wrong-" not in output


@pytest.mark.parametrize("path", ["/proc/no/warehouse.duckdb", "{folder}"])
def test_a_warehouse_that_cannot_be_written_stops_everything_before_the_first_request(
    promotion: World, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    path = path.format(folder=promotion.folder)
    promotion.monkeypatch.setenv("DESTINATION__WAREHOUSE__CREDENTIALS", path)
    assert main(["promotions"]) == 1
    assert path in capsys.readouterr().out.replace("\n", "")
    assert not promotion.api.seen


@pytest.mark.parametrize(
    ("kind", "credentials", "message"),
    [
        ("postgres", "postgresql://loader:canary@127.0.0.1:9/db", "cannot be reached"),
        ("nowhere", "x", "dlt knows no destination 'nowhere'"),
    ],
)
def test_a_warehouse_that_is_not_there_is_named_without_its_password(
    promotion: World,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    credentials: str,
    message: str,
) -> None:
    promotion.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", kind)
    promotion.monkeypatch.setenv("DESTINATION__WAREHOUSE__CREDENTIALS", credentials)
    assert main(["promotions"]) == 1
    output = capsys.readouterr().out
    assert message in output
    assert "DESTINATION__WAREHOUSE__CREDENTIALS" in output
    assert "canary" not in output
    assert not promotion.api.seen
