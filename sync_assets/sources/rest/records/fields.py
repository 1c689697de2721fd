"""Columns with a description: the type in the table, and the conversion in the typed view.

Each function returns a column as dlt describes one. Hints of our own, `x-...`, describe the typed
view; dlt does not get them.

    {"id": text("The order.", required=True), "total": money("What it costs.", currency="currency")}
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

Column: TypeAlias = "dict[str, Any]"
#: What a view's column holds, by the form in which the API sends it. `same` is what is stored.
FORMS = {
    "same": "",
    "integer text": "bigint",
    "double text": "double",
    "boolean text": "bool",
    "boolean number": "bool",
    "iso": "timestamp",
    "unix": "timestamp",
    "object": "timestamp",
    "day": "date",
    "cents": "decimal",
    "decimal text": "decimal",
    "object day": "date",
    "object zone": "text",
}


def text(
    description: str,
    *,
    required: bool = False,
    personal: bool = False,
    refers: str = "",
    shows: str = "",
) -> Column:
    """A text. `refers` names the resource whose id it is.

    `shows` names columns of that resource's view, which the view then has, too.
    """
    return _column("text", description, "same", required, personal, _reference(refers, shows))


def integer(
    description: str,
    *,
    sent: Literal["number", "text"] = "number",
    required: bool = False,
    personal: bool = False,
    refers: str = "",
    shows: str = "",
) -> Column:
    """A whole number, even if it is sent as text; see `text`."""
    kind, form = ("bigint", "same") if sent == "number" else ("text", "integer text")
    return _column(kind, description, form, required, personal, _reference(refers, shows))


def double(description: str, *, sent: Literal["number", "text"] = "number") -> Column:
    """A number, even if it is sent as text."""
    kind, form = ("double", "same") if sent == "number" else ("text", "double text")
    return _column(kind, description, form)


def boolean(description: str, *, sent: Literal["boolean", "text", "number"] = "boolean") -> Column:
    """A boolean: `true`, the texts `true`, `yes`, `false` and `no`, or 1 and 0."""
    kind, form = {
        "boolean": ("bool", "same"),
        "text": ("text", "boolean text"),
        "number": ("bigint", "boolean number"),
    }[sent]
    return _column(kind, description, form)


def timestamp(
    description: str, *, sent: Literal["iso", "unix", "object"], required: bool = False
) -> Column:
    """A time, in UTC in the view: ISO 8601, unix seconds, or an object that holds `unix`.

    For an object the view also has `<name>__date`, the local date, and `<name>__timezone`.
    """
    kind = {"iso": "text", "unix": "bigint", "object": "json"}[sent]
    return _column(kind, description, sent, required)


def day(description: str) -> Column:
    """A date without a time, `2026-11-28`."""
    return _column("text", description, "day")


def money(
    description: str,
    *,
    sent: Literal["cents", "text"] = "cents",
    currency: str = "",
    multiplier: str = "",
    unit: str = "",
) -> Column:
    """An amount: `cents`, the smallest unit of its currency, or a decimal number as text.

    `currency` names the view's column with the code, `multiplier` the one that tells how many of
    the smallest unit make one. Where the API sends no currency, `unit` says what is known of it.
    """
    hints: dict[str, Any] = {"x-currency": currency, "x-multiplier": multiplier, "x-unit": unit}
    kind, form = ("bigint", "cents") if sent == "cents" else ("text", "decimal text")
    return _column(kind, description, form, **{k: v for k, v in hints.items() if v})


def json(description: str, /, *, personal: bool = False, **fields: Column) -> Column:
    """A list or an object. Its known `fields` are the view's columns, `<name>__<field>`."""
    hints: dict[str, Any] = {"x-fields": fields} if fields else {}
    return _column("json", description, "same", personal=personal, **hints)


def _column(
    data_type: str,
    description: str,
    form: str,
    required: bool = False,
    personal: bool = False,
    reference: dict[str, str] | None = None,
    **hints: Any,
) -> Column:
    column = {"data_type": data_type, "nullable": not required, "description": description}
    if form != "same":
        hints["x-form"] = form
    if personal:
        hints["x-personal"] = True
    if reference:
        hints["x-refers"] = reference
    return {**column, **hints}


def _reference(resource: str, shows: str) -> dict[str, str] | None:
    return {"resource": resource, "shows": shows} if resource else None
