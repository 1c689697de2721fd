"""Makes typed arrow tables of JSON records, with every declared and every unknown field.

A value is loaded only if its column holds it exactly (see `values`). Otherwise the column is null,
and the record is kept as a `Problem`. A record without a value for a required column is not
loaded, and kept too. Undeclared fields become text columns, with JSON for values that are not
text, so that their type never changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from sync_assets.sources.rest.list_result import REQUIRED, VALUE, Problem
from sync_assets.sources.rest.records.columns import TColumns
from sync_assets.sources.rest.records.encoding import json_kind, to_json
from sync_assets.sources.rest.records.names import SEPARATOR, column_of
from sync_assets.sources.rest.records.values import ARROW, SHOWN, UNDECLARED, note, typed


class RowTyper:
    """Types the records of one resource by its `columns`, which are by field.

    `parent_column` gets the parent's id.
    """

    def __init__(self, columns: TColumns, parent_column: str | None = None) -> None:
        self.columns = columns
        self.parent_column = parent_column
        self.flattened = {name.partition("__")[0] for name in columns if "__" in name}
        self.declared = {name for name in columns if "__" not in name}
        self.taken = {str(column["name"]) for column in columns.values()}
        self.own = {name for name in columns if columns[name]["name"] == parent_column}
        self.seen: set[str] = set()
        self.schema = pa.schema(
            pa.field(
                str(column["name"]),
                ARROW[str(column["data_type"])],
                nullable=column.get("nullable", True),
            )
            for column in columns.values()
        )

    def empty(self) -> pa.Table:
        """The table without a row: it makes the columns exist."""
        return self.schema.empty_table()

    def table(self, records: Sequence[Any], parent: str | None) -> tuple[pa.Table, list[Problem]]:
        """Type records; give the table of those that can be loaded, and what is wrong with any."""
        rows = [record if isinstance(record, dict) else {} for record in records]
        wrong: dict[int, list[str]] = {}
        for i, record in enumerate(records):
            if not isinstance(record, dict):
                wrong[i] = [f"a JSON {json_kind(record)}, not an object"]
        arrays = [
            self._array(name, column, rows, parent, wrong) for name, column in self.columns.items()
        ]
        fields = list(self.schema)
        for name, values in self._unknown(rows).items():
            arrays.append(typed(name, UNDECLARED, values, wrong))
            fields.append(pa.field(name, pa.string()))
        loadable = self._loadable(arrays, wrong, records)
        problems = [
            Problem(to_json(records[i]), "; ".join(wrong[i]), VALUE if loadable[i] else REQUIRED)
            for i in sorted(wrong)
        ]
        if not all(loadable):
            mask = pa.array(loadable, pa.bool_())
            arrays = [array.filter(mask) for array in arrays]
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields)), problems

    def drift(self) -> tuple[set[str], set[str]]:
        """The fields of the records typed so far that no column declares, and those they lack."""
        own = {*self.own, *self.flattened}
        return self.seen - set(self.columns) - own, set(self.columns) - self.seen - own

    def _array(
        self,
        name: str,
        column: Mapping[str, Any],
        rows: list[dict[str, Any]],
        parent: str | None,
        wrong: dict[int, list[str]],
    ) -> pa.Array:
        if name in self.own:
            for i, sent in enumerate(row.get(name) for row in rows):
                text = sent if sent is None or isinstance(sent, str) else to_json(sent)
                if text not in (None, parent):
                    note(wrong, i, f"{name} is {text[:SHOWN]!r} in a list of {parent}")
            return pa.array([parent] * len(rows), pa.string())
        outer, _, inner = name.partition("__")
        values = [row.get(outer) for row in rows]
        if inner:
            for i, value in enumerate(values):
                if value is not None and not isinstance(value, dict):
                    note(wrong, i, f"{outer} is a JSON {json_kind(value)}, not an object")
            values = [v.get(inner) if isinstance(v, dict) else None for v in values]
        return typed(name, column["data_type"], values, wrong)

    def _unknown(self, rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
        """Values of the fields that no column declares, by column."""
        found: dict[str, list[Any]] = {}
        fields = set().union(*rows)
        self.seen |= fields
        for field in sorted(fields - self.declared - self.flattened):
            found[self._column(field)] = [row.get(field) for row in rows]
        for outer in self.flattened:
            inside = [row[outer] if isinstance(row.get(outer), dict) else {} for row in rows]
            for field in sorted(set().union(*inside)):
                self.seen.add(f"{outer}__{field}")
                if f"{outer}__{field}" not in self.columns:
                    name = column_of(field, self.taken, outer)
                    found[name] = [item.get(field) for item in inside]
        return found

    def _column(self, field: str) -> str:
        """A name that begins as those inside of a flattened object do is not one of these."""
        inside = field.partition(SEPARATOR)[0] in self.flattened
        return column_of(field, {field} if inside else self.taken)

    def _loadable(
        self, arrays: list[pa.Array], wrong: dict[int, list[str]], records: Sequence[Any]
    ) -> list[bool]:
        loadable = [isinstance(record, dict) for record in records]
        for (name, column), array in zip(self.columns.items(), arrays, strict=False):
            if not column.get("nullable", True) and array.null_count:
                for i, value in enumerate(array.to_pylist()):
                    if value is None:
                        loadable[i] = False
                        note(wrong, i, f"not loaded: {name} is required")
        return loadable
