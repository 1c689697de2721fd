"""The short form of declaring columns: names grouped by type."""

from __future__ import annotations

from typing import Any

from dlt.common.data_types.typing import TDataType
from dlt.common.schema.typing import TTableSchemaColumns

TColumns = TTableSchemaColumns


def columns(
    *, required: str, text: str = "", bigint: str = "", double: str = "", boolean: str = "",
    json: str = "",
) -> TColumns:  # fmt: skip
    """Declare columns by type; those in `required` are never null and come first.

    `a__b` declares the column of the field `b` in the object `a`. `json` columns hold objects and
    lists as the API sends them.
    """
    typed: dict[str, TDataType] = {}
    groups: list[tuple[TDataType, str]] = [
        ("text", text), ("bigint", bigint), ("double", double), ("bool", boolean), ("json", json)
    ]  # fmt: skip
    for data_type, names in groups:
        typed.update(dict.fromkeys(names.split(), data_type))
    keys = required.split()
    if missing := [key for key in keys if key not in typed]:
        raise ValueError(f"required columns without a type: {missing}")
    ordered = keys + [name for name in typed if name not in keys]
    result: dict[str, Any] = {
        name: {"name": name, "data_type": typed[name], "nullable": name not in keys}
        for name in ordered
    }
    return result
