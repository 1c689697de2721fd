"""Writes the comments on a typed view and on each of its columns."""

from __future__ import annotations

from collections.abc import Iterator

from sync_assets.warehouse.typed.view_sql import ViewSql, quoted


def comments(sql: ViewSql, view: str, name: str, mark: str) -> list[str]:
    """Return the statements that write them; the comment of the view ends in our mark."""
    return list(_comments(sql, view, name, mark))


def _comments(sql: ViewSql, view: str, name: str, mark: str) -> Iterator[str]:
    yield f"COMMENT ON VIEW {name} IS {literal(f'The typed view of {sql.table(view)}. {mark}')}"
    for column in sql.columns(view):
        if column.meaning:
            place = f"{name}.{quoted(column.name)}"
            about = described(column.meaning, personal=column.personal)
            yield f"COMMENT ON COLUMN {place} IS {literal(about)}"


def described(meaning: str, *, personal: bool) -> str:
    """Return the comment of a column: its meaning, and whether it holds personal data."""
    return meaning + (" Personal data." if personal else "")


def literal(text: str) -> str:
    """Quote a text as both dialects do."""
    return "'" + text.replace("'", "''") + "'"
