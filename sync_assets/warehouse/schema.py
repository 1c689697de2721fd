"""The tables as a load needs them: made where they are missing, fitted where they differ.

dlt adds tables and columns and passes over every other difference, so that a column of another
type would take what it was not declared for, or nothing.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import dlt
from dlt.common.destination.exceptions import DestinationException
from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns
from dlt.destinations.job_client_impl import SqlJobClientBase

from sync_assets.sources.rest.errors import brief
from sync_assets.warehouse.destination import is_duckdb
from sync_assets.warehouse.errors import WarehouseError, WarehouseLostError
from sync_assets.warehouse.postgres import is_postgres

AT_ONCE = 10_000
SHOWN, LONGEST = 3, 60
INT64 = 2**63
LARGEST = Decimal(repr(sys.float_info.max))
LOST = re.compile(r"[\ud800-\udfff]|(?<!\\)(?:\\\\)*\\u0000")


def make_tables(pipeline: dlt.Pipeline) -> None:
    """Make what is not there, also what somebody dropped: dlt trusts its note of the schema.

    Raises `WarehouseError` where stored values are not what their column is declared as now.
    """
    try:
        with pipeline.destination_client() as client:
            client.initialize_storage()
            if is_duckdb(pipeline.destination) or is_postgres(pipeline.destination):
                _fit(client)  # type: ignore[arg-type]
            if is_duckdb(pipeline.destination):
                _drop_staging(client)  # type: ignore[arg-type]
            client.update_stored_schema(force=True)
    except DestinationException as error:
        what = f"the tables of {pipeline.dataset_name} could not be made"
        raise WarehouseLostError(f"{what}: {brief(error)}") from error


def _fit(client: SqlJobClientBase) -> None:
    """Fit the columns that exist to the load's schema, all of them or none."""
    names = [name for name in client.schema.tables if name not in client.schema.dlt_table_names()]
    with client.sql_client.begin_transaction():
        for name, stored in list(client.get_storage_tables(names)):
            table = _Table(client, name)
            for change in _changes(table, stored) if stored else ():
                client.sql_client.execute_sql(f"ALTER TABLE {table.name} {change}")


def _drop_staging(client: SqlJobClientBase) -> None:
    """Drop what a sync that was killed left in the staging dataset, with columns of its time."""
    with client.sql_client.with_staging_dataset() as staging:
        if staging.has_dataset():
            staging.drop_dataset()


class _Table:
    """A table in the words of its warehouse."""

    def __init__(self, client: SqlJobClientBase, name: str) -> None:
        self._client, self._prepared = client, client.prepare_load_table(name)
        self.name = client.sql_client.make_qualified_table_name(name)
        self.columns = client.schema.get_table_columns(name)
        self.column = client.sql_client.escape_column_name

    def kind(self, column: TColumnSchema) -> str:
        """The warehouse's name of a column's type."""
        return self._client.type_mapper.to_destination_type(column, self._prepared)

    def value(self, name: str, old: str, new: str) -> str:
        """A column's values, from which those of a new type are cast."""
        if (old, new) == ("double", "bigint"):  # as text a whole double may be 1e+16
            return self.column(name)
        return f"CAST({self.column(name)} AS {self.kind({'name': name, 'data_type': 'text'})})"

    def texts(self, name: str) -> Iterator[tuple[str, int]]:
        """What a column holds, as text, and in how many rows."""
        text = self.value(name, "", "text")
        query = f"SELECT {text}, count(*) FROM {self.name} WHERE {self.column(name)} IS NOT NULL"
        with self._client.sql_client.execute_query(f"{query} GROUP BY 1") as cursor:
            while rows := cursor.fetchmany(AT_ONCE):
                yield from rows


def _changes(table: _Table, stored: TTableSchemaColumns) -> Iterator[str]:
    for name, new in table.columns.items():
        if name not in stored and not new.get("nullable", True):
            # the rows that are there have no value for it
            yield f"ADD COLUMN {table.column(name)} {table.kind(new)}"
    for name, column in stored.items():
        column_wanted = table.columns.get(name)
        old, new_type = str(column["data_type"]), str((column_wanted or column)["data_type"])
        if column_wanted and new_type != old:
            _refuse_losses(table, name, old, new_type)
            kind = table.kind(column_wanted)
            cast = f"CAST({table.value(name, old, new_type)} AS {kind})"
            yield f"ALTER COLUMN {table.column(name)} TYPE {kind} USING {cast}"
        if not column.get("nullable", True) and (column_wanted or {}).get("nullable", True):
            yield f"ALTER COLUMN {table.column(name)} DROP NOT NULL"


def _refuse_losses(table: _Table, name: str, old: str, new: str) -> None:
    """Raise `WarehouseError` where a conversion would change or lose a value."""
    whole = (old, new) == ("double", "bigint")
    bad = {
        text: count
        for text, count in table.texts(name)
        if not READS_AS[new](text.removesuffix(".0") if whole else text)
    }
    if bad:
        shown = [repr(text[:LONGEST]) for text in sorted(bad)[:SHOWN]]
        raise WarehouseError(
            f"{table.name}.{table.column(name)} holds {old} and is declared {new} now, but what "
            f"{sum(bad.values())} of its rows hold cannot be converted: {', '.join(shown)}"
            f"{', ...' if len(bad) > SHOWN else ''}. Nothing was "
            f"changed. Declare it as text, or set these values to NULL, and sync again."
        )


def _is_integer(text: str) -> bool:
    return bool(re.fullmatch(r"0|-?[1-9]\d{0,18}", text)) and -INT64 <= int(text) < INT64


def _is_number(text: str) -> bool:
    """Whether a text is a number that a double holds, or writes, with the same digits."""
    value = _parsed(text)
    if type(value) not in (int, Decimal) or abs(value) > LARGEST:
        return False
    number = float(value)
    return value in (Decimal(repr(number)), Decimal(number))


def _is_json(text: str) -> bool:
    """Whether a text is JSON that Postgres, too, keeps: no key twice, no NUL, no half character."""
    value = _parsed(text)
    if value is ValueError:
        return False
    return not LOST.search(json.dumps(value, ensure_ascii=False, default=str))


def _parsed(text: str) -> Any:
    """What a JSON text says, to the last digit; `ValueError`, the class, where it is none."""
    try:
        return json.loads(
            text, parse_constant=_refused, parse_float=Decimal, object_pairs_hook=_distinct
        )
    except (ValueError, ArithmeticError, RecursionError):
        return ValueError


def _refused(name: str) -> None:
    raise ValueError(name)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


#: By type, whether a text can become a value of it that reads the same again.
READS_AS: dict[str, Callable[[str], bool]] = {
    "text": lambda text: True,
    "bigint": _is_integer,
    "double": _is_number,
    "bool": lambda text: text in ("true", "false"),
    "json": _is_json,
}
