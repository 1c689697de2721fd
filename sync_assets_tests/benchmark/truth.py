"""A fast wrong answer fails: a warehouse must hold exactly the rows that the account does."""

from __future__ import annotations

from pathlib import Path

import duckdb

from sync_assets.sandbox import Account
from sync_assets_tests.benchmark.contenders import Contender

SOURCE = "promotions"
Keys = list[tuple[str, str]]


class WrongAnswerError(AssertionError):
    """Rows are missing, too many or others than the account's."""


def verify(contender: Contender, database: Path, account: Account) -> None:
    """Compare each table, row by row: its parent and its key."""
    with duckdb.connect(str(database), read_only=True) as connection:
        for table in contender.tables:
            truth = _listed(account, table)
            held = _held(connection, contender, table, below=bool(truth[0][0]))
            if held != truth:
                raise WrongAnswerError(
                    f"{contender.title}: {table} holds {len(held)} rows, the account {len(truth)}; "
                    f"{len(set(truth) - set(held))} of these are missing"
                )


def count(account: Account, tables: tuple[str, ...]) -> int:
    """How many rows the account holds."""
    return sum(len(_listed(account, table)) for table in tables)


def _listed(account: Account, table: str) -> Keys:
    return sorted(
        (parent or "", row[_key(table)])
        for parent in (*account.parents(SOURCE, table),) or (None,)
        for row in account.rows(SOURCE, table, parent)
    )


def _held(
    connection: duckdb.DuckDBPyConnection, contender: Contender, table: str, *, below: bool
) -> Keys:
    parent = contender.parent if below else "''"
    return sorted(
        connection.execute(
            f"SELECT {parent}::VARCHAR, {_key(table)}::VARCHAR "  # noqa: S608 - our names
            f"FROM {contender.dataset}.{table}"
        ).fetchall()
    )


def _key(table: str) -> str:
    return "user_id" if table == "rankings" else "id"
