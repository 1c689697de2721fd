"""The benchmark, on a tiny account: its table, its chart, and that a wrong answer fails."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.dom.minidom import parseString

import duckdb
import pytest

from sync_assets.sandbox import Account, Scale
from sync_assets_tests.benchmark import quotas
from sync_assets_tests.benchmark.contenders import CONTENDERS
from sync_assets_tests.benchmark.truth import WrongAnswerError, verify
from sync_assets_tests.support.counts import Count
from sync_assets_tests.support.project import ROOT

SIZES = {"promotions": 2, "users": 3, "participations": 101, "prizes": 2, "rankings": 2}
FLAGS = [part for name, size in SIZES.items() for part in (f"--{name}", str(size))]
ROWS = Count("rows of one list", sample=2_500, full=1_000_000)
LIMIT = CONTENDERS["limit"]


@pytest.mark.long
def test_it_prints_a_table_and_draws_a_chart(tmp_path: Path) -> None:
    chart = tmp_path / "chart.svg"
    command = [sys.executable, "-m", "sync_assets_tests.benchmark", "--chart", str(chart)]
    few = ["--rounds", "1", "--latency", "0", "--only", "limit", "ours"]
    done = subprocess.run(
        [*command, *few, *FLAGS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("218 rows into DuckDB")
    rows = re.findall(
        r"^\| 0 ms \| (.+) \| [\d.]+ \| [\d.]+ \| [\d.]+ \| (\d+) \|$", done.stdout, re.M
    )
    assert rows == [(LIMIT.title, "11"), (CONTENDERS["ours"].title, "11")]
    drawing = parseString(chart.read_text())  # noqa: S318 - our own
    words = {text.firstChild.data for text in drawing.getElementsByTagName("text")}  # type: ignore[union-attr]
    assert {LIMIT.title, "0 ms a request"} <= words
    assert chart.stat().st_size < 15_000


@pytest.fixture(scope="module")
def account() -> Account:
    return Account(scale=Scale(**SIZES, exact=True))


@pytest.fixture(scope="module")
def right(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a contender that does everything right leaves."""
    path = tmp_path_factory.mktemp("right") / "right.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("BEGIN; CREATE SCHEMA account")
        for table in LIMIT.tables:
            key = "user_id" if table == "rankings" else "id"
            connection.execute(f"CREATE TABLE account.{table} (promotion_id TEXT, {key} TEXT)")
            connection.executemany(
                f"INSERT INTO account.{table} VALUES (?, ?)",  # noqa: S608 - our names
                [
                    (parent, row[key])
                    for parent in (*account.parents("promotions", table),) or (None,)
                    for row in account.rows("promotions", table, parent)
                ],
            )
        connection.execute("COMMIT")
    return path


def test_a_right_answer_passes(account: Account, right: Path) -> None:
    verify(LIMIT, right, account)


@pytest.mark.parametrize(
    "wrong",
    [
        "DELETE FROM account.prizes WHERE id = (SELECT max(id) FROM account.prizes)",
        "INSERT INTO account.users SELECT * FROM account.users LIMIT 1",
        "UPDATE account.rankings SET promotion_id = (SELECT min(id) FROM account.promotions)",
        "UPDATE account.prizes SET id = id || '!' WHERE promotion_id = "
        "(SELECT max(id) FROM account.promotions)",
    ],
)
def test_a_wrong_answer_fails(account: Account, right: Path, tmp_path: Path, wrong: str) -> None:
    warehouse = Path(shutil.copy(right, tmp_path))
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(wrong)
    with pytest.raises(WrongAnswerError):
        verify(LIMIT, warehouse, account)


@pytest.mark.long
def test_windows_and_page_sizes_are_told_beside_the_version_before() -> None:
    first = next(quotas.nights())
    found = re.fullmatch(r"\| .+ \| 2,000 \| ([\d.]+) min \| ([\d.]+) min \|", first)
    assert found is not None
    assert float(found[1]) > 11
    assert float(found[2]) < 2
    assert [row.split(" | ")[1:] for row in quotas.pages()] == [
        ["100", "10 |"], ["100", "11 |"], ["100", "10 |"],
    ]  # fmt: skip


@pytest.mark.long
@ROWS
def test_growth_is_told_as_a_table() -> None:
    command = [sys.executable, "-m", "sync_assets_tests.benchmark.growth"]
    few = ["--rows", f"{ROWS.size}", "--partitions", "3", "--table", "10000"]
    done = subprocess.run([*command, *few], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = re.findall(
        r"^\| (.+) \| ([\d,]+) \| [\d.]+ \| -?\d+ \| [\d,]+ rows \|$", done.stdout, re.M
    )
    assert [size for _, size in told] == [f"{ROWS.size:,}", "3", "10,000"]
