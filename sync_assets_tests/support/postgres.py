"""A real Postgres server and databases of a test's own; as `World` for the tests of DuckDB too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
from psycopg2.extras import register_default_jsonb

from sync_assets_tests.support.services import unavailable
from sync_assets_tests.support.world import World, new_world

SERVER = "postgresql://postgres:x@127.0.0.1:5432"
TYPES = {"character varying": "VARCHAR", "jsonb": "JSON", "boolean": "BOOLEAN"}


def require_server() -> None:
    """Skip without a server."""
    try:
        psycopg2.connect(f"{SERVER}/postgres", connect_timeout=3).close()
    except psycopg2.OperationalError as error:
        unavailable(f"no Postgres at {SERVER}: {error}")


def execute(database: str, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Run a statement in a transaction of its own."""
    with closing(psycopg2.connect(f"{SERVER}/{database}")) as connection:
        connection.autocommit = True
        register_default_jsonb(connection, loads=_compact)
        with connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            names = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchall() if names else []
            return [dict(zip(names, row, strict=True)) for row in rows]


@contextmanager
def own_database(template: str = "template1") -> Iterator[str]:
    """A new database, a copy of the template, dropped afterwards; skips without a server."""
    require_server()
    name = f"sync_assets_{uuid4().hex[:12]}"
    execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        execute("postgres", f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def either_warehouse(kind: str, folder: Path) -> Iterator[World]:
    """An account with an empty warehouse: a DuckDB file, or a database of its own."""
    with new_world(folder) as made:
        if kind == "duckdb":
            yield made
            return
        with own_database() as database:
            yield PostgresWorld.over(made, database)


def _compact(text: str) -> str:
    """JSON as DuckDB keeps it: text without spaces."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


class PostgresWorld(World):
    """An account whose warehouse is a database; it answers what the tests ask of DuckDB."""

    database = ""

    @classmethod
    def over(cls, world: World, database: str) -> PostgresWorld:
        """The account of a world, with a database for its warehouse."""
        made = cls(world.api, world.folder, world.monkeypatch)
        made.use(database)
        return made

    def use(self, database: str) -> None:
        """Load into a database from now on."""
        self.database = database
        self.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", "postgres")
        self.monkeypatch.setenv("DESTINATION__WAREHOUSE__CREDENTIALS", f"{SERVER}/{database}")

    def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the warehouse, in the words of DuckDB."""
        plain = sql.replace("?", "%s").removesuffix(" ORDER BY ALL")
        rows = execute(self.database, plain, *values)
        return rows if plain == sql else sorted(rows, key=lambda row: repr(list(row.values())))

    def columns(self, table: str) -> dict[str, str]:
        """The columns of a table and their types, as DuckDB calls them."""
        schema, _, name = table.partition(".")
        rows = execute(
            self.database,
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            schema,
            name,
        )
        found = {row["column_name"]: row["data_type"] for row in rows}
        return {name: TYPES.get(kind, kind.upper()) for name, kind in found.items()}

    def stagings(self) -> list[str]:
        """The staging datasets that there are."""
        rows = execute(self.database, "SELECT nspname FROM pg_namespace WHERE nspname ~ '_staging'")
        return [row["nspname"] for row in rows]
