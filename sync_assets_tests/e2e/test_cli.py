"""`sync-assets`: a full sync without Dagster, its table, its exit code, its errors."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from sync_assets import cli
from sync_assets.cli import main
from sync_assets_tests.support.fake_api import SECRETS
from sync_assets_tests.support.project import ROOT, copy_project, run
from sync_assets_tests.support.world import APIS, World

NOON = {"SANDBOX__NOW": "2026-03-01T12:00:00Z", "SANDBOX__PROMOTIONS": "8"}


COLUMNS = ("partitions", "rows", "quarantined", "left out", "requests", "seconds", "failures")


def table_rows(output: str) -> dict[str, dict[str, str]]:
    """The closing table: asset, or total → what stands in each of its columns."""
    pattern = r"^(\w+/\w+|total)" + r" +(\S+)" * len(COLUMNS) + " *$"
    lines = re.findall(pattern, output, re.MULTILINE)
    return {name: dict(zip(COLUMNS, figures, strict=True)) for name, *figures in lines}


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
    total = shown.pop("total")
    assert len(held) == len(shown) == 20
    rows = {asset: int(row["rows"].replace(",", "")) for asset, row in shown.items()}
    assert rows == held
    assert total["rows"] == f"{sum(held.values()):,}"
    assert all(row["failures"] == "0" for row in [*shown.values(), total])
    line = first.stdout.splitlines()[0]
    assert line.startswith("Reads the sandbox: affiliates, events, promotions. Writes to duckdb ")
    assert line.endswith(
        f"{folder.resolve()}/warehouse.duckdb, datasets: affiliates_sandbox, events_sandbox, "
        "promotions_sandbox."
    )
    one = str(promotions(folder)[0])
    again = run(folder, "sync_assets", "promotions", "--partition", one, variables=NOON)
    assert again.returncode == 0, again.stdout + again.stderr
    shown = table_rows(again.stdout)
    assert {row["partitions"] for asset, row in shown.items() if asset != "total"} == {"1"}
    assert counts(folder / "warehouse.duckdb") == held


def promotions(folder: Path) -> list[str]:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT id FROM promotions_sandbox.promotions").fetchall()
        return [row[0] for row in rows]


@pytest.fixture
def promotion(world: World) -> World:
    """An account with two promotions and a user each, of the APIs that are configured."""
    world.monkeypatch.setattr(cli, "apis", lambda: APIS)
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
    users = table_rows(output)["promotions/users"]
    assert (users["partitions"], users["failures"]) == ("2", "1")
    assert table_rows(output)["total"]["failures"] == "1"
    assert [row["promotion_id"] for row in promotion.rows("promotions.users")] == ["2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["promotions", "--partition", "9"], "promotions has no 9: the API lists 2, 1, 2"),
        (["affiliates", "--partition", "1"], "affiliates has no partitions"),
        (["promotions", "--partition", ""], "--partition must be an id, not ''"),
        (["promotions", "--partition", "1", "--partition", " "], "--partition must be an id"),
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


def test_a_value_in_quarantine_is_shown_and_exits_0(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.api.lists.update({"/v1/affiliates": [], "/v1/referrals": []})
    world.api.lists["/v1/coupons"] = [{"id": 1}, {"id": 2, "affiliate_id": [1]}]
    assert main(["affiliates"]) == 0
    output = capsys.readouterr().out
    coupons = table_rows(output)["affiliates/coupons"]
    assert (coupons["rows"], coupons["quarantined"], coupons["left out"]) == ("2", "1", "0")
    assert "quarantined: affiliates/coupons: 1 records are not as declared" in output


def test_a_row_that_is_left_out_is_shown_and_exits_1(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.api.lists.update({"/v1/affiliates": [], "/v1/referrals": []})
    world.api.lists["/v1/coupons"] = [{"id": 1}, {"id": None}, "no record"]
    assert main(["affiliates"]) == 1
    output = capsys.readouterr().out
    shown = table_rows(output)
    assert (shown["affiliates/coupons"]["left out"], shown["total"]["left out"]) == ("2", "2")
    assert shown["total"]["failures"] == "0"


def test_the_first_line_says_what_is_read_and_where_rows_go(
    promotion: World, capsys: pytest.CaptureFixture[str]
) -> None:
    promotion.configure("events", base_url="sandbox")
    promotion.configure("affiliates", dataset="partners")
    url = promotion.api.base_url("promotions")
    main(["promotions"])
    assert capsys.readouterr().out.splitlines()[0] == (
        f"Reads {url}: promotions. Writes to duckdb {promotion.folder}/warehouse.duckdb, "
        "datasets: promotions."
    )


@pytest.mark.long
def test_the_file_env_goes_before_the_shell(
    promotion: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """As under `dagster dev`, so that the sandbox is never synced by mistake."""
    url = promotion.api.base_url("promotions")
    promotion.configure("promotions", base_url="sandbox", bearer_token="of the shell")  # noqa: S106
    promotion.monkeypatch.setenv("SERVER", "nowhere")
    (promotion.folder / ".env").write_text(
        f"SERVER={url}\n"
        "# a comment\n"
        "export SOURCES__PROMOTIONS__BASE_URL=${SERVER}\n"
        f"SOURCES__PROMOTIONS__BEARER_TOKEN='{SECRETS['promotions']}'\n"
        "ONLY_NAMED\n"
    )
    promotion.monkeypatch.chdir(promotion.folder)
    assert main(["promotions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"Reads {url}: promotions.")
    assert lines[1] == f"Variables of {promotion.folder}/.env replace those of the shell."
    assert promotion.ids("promotions.promotions") == ["1", "2"]


@pytest.mark.long
def test_one_source_that_cannot_be_loaded_keeps_no_other_from_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.api.lists.update(
        {endpoint.path: [] for api in APIS.values() for endpoint in api.endpoints.values()}
    )
    with duckdb.connect(str(world.folder / "warehouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA affiliates")
        connection.execute("CREATE TABLE affiliates._syncs (mine INTEGER)")
    assert main([]) == 1
    output = capsys.readouterr().out
    assert "error: affiliates: " in output
    assert {"events/orders", "promotions/promotions"} <= set(table_rows(output))


@pytest.mark.long
def test_one_odd_promotion_keeps_no_other_from_being_synced(
    promotion: World, capsys: pytest.CaptureFixture[str]
) -> None:
    promotion.api.lists["/promotions"] = [{"id": "1", "title": ["odd"]}, {"id": "2"}]
    assert main(["promotions", "--partition", "2"]) == 0
    promotion.api.fail("/promotions", status=401)
    assert main(["promotions", "--partition", "2"]) == 1
    assert "error: promotions: promotions, page 1" in capsys.readouterr().out


@pytest.mark.parametrize("source", ["promotions", "affiliates", "events"])
def test_a_wrong_setting_of_any_chosen_source_stops_all_before_the_first_request(
    promotion: World, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    promotion.configure(source, base_url="https://api.example.com?x")
    assert main([]) == 1
    assert f"SOURCES__{source.upper()}__BASE_URL must be" in capsys.readouterr().out
    assert promotion.api.seen == []


@pytest.mark.long
@pytest.mark.parametrize("path", ["/users/1", "/promotions"])
def test_ctrl_c_ends_the_command_at_once(promotion: World, path: str) -> None:
    promotion.api.fail(path, delay=20.0)
    process = subprocess.Popen(
        [sys.executable, "-m", "sync_assets", "promotions"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not promotion.api.asked(path):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    output, errors = process.communicate(timeout=60)
    assert time.monotonic() - started < 10
    assert process.returncode == 130
    assert output.rstrip().endswith("stopped: tables that were not loaded yet are as they were")
    assert "Traceback" not in output + errors
