"""What a version of this project leaves behind, as SQL: `<version>.<warehouse>.sql`.

Each file was written by `python -m sync_assets_tests.versions <version>` in a checkout of that
version, with this module beside it where it had none, and is never written again.
0.1.0 is commit 2d17e59, tag v0.1.0.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sync_assets_tests.conftest import World

FOLDER = Path(__file__).parent
PARENTS = ["1", "2"]
RESOURCES = ["promotions", "organizing_brands", "users", "rankings"]
COLUMNS = """SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema = 'promotions' ORDER BY table_name, ordinal_position"""


def offer(world: World) -> None:
    """The account that the versions synced: fields that nobody declared, and a record amiss."""
    world.api.lists = {
        "/promotions": [
            {"id": "1", "title": "Ended", "start_date": "2020-01-01", "end_date": "2020-02-01"},
            {"id": "2", "title": 'It\'s "on"', "start_date": "2020-01-01"},
        ],
        "/organizing_brands": [{"id": "b", "name": "Brand", "since": 1999, "open": True}],
        **{f"/users/{parent}": users(parent) for parent in PARENTS},
        **{
            f"/ranking/{parent}": [
                {"id": str(n), "user_id": f"u{n}", "position": n, "points": str(10 * n)}
                for n in range(3)
            ]
            for parent in PARENTS
        },
    }


def users(parent: str) -> list[dict[str, Any]]:
    """Three users, the first with a value that is not as declared."""
    return [
        {
            "id": f"u{n}",
            "nickname": f"nick {n} of {parent}" if n else 5.5,
            "visits": 100 * int(parent) + n,
            "ratio": n / 4,
            "consent": n == 1,
            "tags": {"n": [n, "ü"]},
            "city": f"city {n}",
        }
        for n in range(3)
    ]


def dump(world: World) -> str:
    """The dataset as SQL, in the types of its warehouse."""
    tables: dict[str, list[str]] = {}
    for row in world.query(COLUMNS):
        column = f'"{row["column_name"]}" {row["data_type"]}'
        required = " NOT NULL" if row["is_nullable"] == "NO" else ""
        tables.setdefault(row["table_name"], []).append(column + required)
    lines = ["CREATE SCHEMA promotions;"]
    for name, columns in tables.items():
        lines.append(f'CREATE TABLE promotions."{name}" ({", ".join(columns)});')
        for row in world.query(f'SELECT * FROM promotions."{name}" ORDER BY ALL'):  # noqa: S608
            values = ", ".join(map(_literal, row.values()))
            lines.append(f'INSERT INTO promotions."{name}" VALUES ({values});')  # noqa: S608
    return "\n".join([*lines, ""])


def restore(world: World, version: str, warehouse: str) -> None:
    """Make a warehouse what the version left."""
    world.query((FOLDER / f"{version}.{warehouse}.sql").read_text())


def _literal(value: Any) -> str:
    if value is None or isinstance(value, (bool, int, float)):
        return "NULL" if value is None else str(value)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return "'" + text.replace("'", "''") + "'"
