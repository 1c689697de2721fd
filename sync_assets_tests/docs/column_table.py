"""The tables column by column: `python -m sync_assets_tests.docs.column_table` writes them.

They are the end of docs/tables.md, made from the declarations in `sync_assets/sources`.
"""

from __future__ import annotations

from collections.abc import Iterator

from sync_assets.sources import apis
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.declaration.typed import ViewColumn, typed_columns
from sync_assets_tests.support.project import ROOT

PAGE = ROOT / "docs" / "tables.md"
INTRODUCTION = """\
## All columns

Generated from the declarations in `sync_assets/sources`:
`uv run python -m sync_assets_tests.docs.column_table`. The columns and types are those of the
typed views; "stored" is the column of the table, and its type, where they differ.
"""
HEADER = "| column | type | stored | |\n|---|---|---|---|"


def section() -> str:
    """The generated end of the page."""
    parts = [INTRODUCTION]
    for api in apis().values():
        parts.append(f"### The {api.name} API\n\n```mermaid\n{diagram(api)}\n```\n")
        parts += [_table(api, endpoint) for endpoint in api.endpoints.values()]
    return "\n".join(parts)


def diagram(api: Api) -> str:
    """The tables of an API with their keys, and which refers to which, for Mermaid."""
    lines = ["erDiagram"]
    for endpoint in api.endpoints.values():
        lines += [f"    {endpoint.name} {{", *_keys(api, endpoint), "    }"]
    for endpoint in api.endpoints.values():
        for column, other in references(api, endpoint).items():
            one = "||" if column == endpoint.parent_param else "|o"
            lines.append(f"    {other} {one}--o{{ {endpoint.name} : {column}")
    return "\n".join(lines)


def references(api: Api, endpoint: Endpoint) -> dict[str, str]:
    """The tables that an endpoint's columns refer to, by column."""
    above = {str(endpoint.parent_param): endpoint.parent} if endpoint.parent else {}
    columns = typed_columns(endpoint, api.endpoints)
    return above | {c.name: c.refers for c in columns if c.refers and not c.joined}


def _keys(api: Api, endpoint: Endpoint) -> Iterator[str]:
    primary, refers = endpoint.hints["primary_key"], references(api, endpoint)
    key = [primary] if isinstance(primary, str) else list(primary)
    for column in typed_columns(endpoint, api.endpoints):
        marks = ["PK"] * (column.name in key) + ["FK"] * (column.name in refers)
        if marks:
            yield f"        {column.kind} {column.name} {', '.join(marks)}"


def _table(api: Api, endpoint: Endpoint) -> str:
    rows = [_row(column) for column in typed_columns(endpoint, api.endpoints)]
    title = f"#### {api.name}/{endpoint.name}\n\nWhat `GET {endpoint.path}` lists.\n"
    return "\n".join([title, HEADER, *rows, ""])


def _row(column: ViewColumn) -> str:
    place = f"`{column.column}`, {column.stored}"
    stored = "" if (column.name, column.kind) == (column.column, column.stored) else place
    about = f"{column.meaning}{' **Personal data.**' if column.personal else ''}"
    cells = [f"`{column.name}`", column.kind, "" if column.joined else stored, about]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    written, _, _ = PAGE.read_text().partition(INTRODUCTION.partition("\n")[0] + "\n")
    PAGE.write_text(written + section())
