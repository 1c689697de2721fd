"""The columns of a resource's typed view, derived from the columns of its table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sync_assets.sources.rest.records.fields import FORMS
from sync_assets.sources.rest.records.names import column_name

if TYPE_CHECKING:
    from sync_assets.sources.rest.declaration.endpoints import Endpoint

#: What an object that stands for an instant holds beside it.
OF_OBJECT = {
    "date": ("object day", "The local date: {}"),
    "timezone": ("object zone", "The time zone of the local date."),
}


@dataclass(frozen=True)
class ViewColumn:
    """A column of a typed view.

    Its `kind` is text, bigint, double, bool, timestamp, date, decimal or json. The value is in the
    table's `column` of type `stored`, or at `path` inside its JSON, in one of `FORMS`. A `joined`
    column comes from the view of the resource that `refers` names, by the id in `column`.
    """

    name: str
    kind: str
    column: str
    stored: str
    form: str
    description: str
    path: tuple[str, ...] = ()
    personal: bool = False
    required: bool = False
    currency: str = ""
    multiplier: str = ""
    unit: str = ""
    refers: str = ""
    joined: str = ""
    key: str = "id"

    @property
    def converted(self) -> bool:
        """Whether the view may have null where a value is stored."""
        if self.form == "cents":
            return bool(self.multiplier)
        return self.kind not in ("text", "json") and (self.form != "same" or bool(self.path))

    @property
    def meaning(self) -> str:
        """The description, with what an amount is in."""
        unit = self.unit or (f"`{self.currency}`" if self.currency else "")
        return f"{self.description} In {unit}." if unit else self.description


def typed_columns(endpoint: Endpoint, endpoints: Mapping[str, Endpoint]) -> list[ViewColumn]:
    """Return the view's columns in the order of the declaration; joined ones come last."""
    own = list(own_columns(endpoint))
    taken = {column.name for column in own}
    return own + [c for c in joined_columns(endpoint, endpoints) if c.name not in taken]


def own_columns(endpoint: Endpoint) -> Iterator[ViewColumn]:
    """Yield the view's columns that come from its own table."""
    for column in endpoint.columns.values():
        name = str(column["name"])
        yield from _views(name, dict(column), name, str(column["data_type"]), ())


def _views(
    name: str, hints: Mapping[str, Any], column: str, stored: str, path: tuple[str, ...]
) -> Iterator[ViewColumn]:
    """Yield the columns that the view makes of a column, or of a field inside it."""
    if fields := hints.get("x-fields"):
        for field, inner in fields.items():
            yield from _views(f"{name}__{field}", inner, column, stored, (*path, field))
        return
    form, about = str(hints.get("x-form", "same")), str(hints.get("description", ""))
    if form == "object":
        instant = ViewColumn(name, "timestamp", column, stored, "unix", about, (*path, "unix"))
        yield instant
        for part, (part_form, told) in OF_OBJECT.items():
            yield ViewColumn(
                f"{name}__{part}", FORMS[part_form], column, stored, part_form,
                told.format(about[:1].lower() + about[1:]), (*path, part),
            )  # fmt: skip
        return
    yield ViewColumn(
        name,
        FORMS[form] or str(hints["data_type"]),
        column,
        stored,
        form,
        about,
        path,
        personal=bool(hints.get("x-personal")),
        required=not hints.get("nullable", True) and not path,
        currency=str(hints.get("x-currency", "")),
        multiplier=str(hints.get("x-multiplier", "")),
        unit=str(hints.get("x-unit", "")),
        refers=str(hints.get("x-refers", {}).get("resource", "")),
    )


def joined_columns(endpoint: Endpoint, endpoints: Mapping[str, Endpoint]) -> Iterator[ViewColumn]:
    """Yield the columns of other tables' rows that a row refers to by their ids."""
    for column in endpoint.columns.values():
        refers: Mapping[str, str] = column.get("x-refers", {})  # type: ignore[assignment]
        if not refers.get("shows"):
            continue
        name, resource = str(column["name"]), refers["resource"]
        shown = {c.name: c for c in own_columns(endpoints[resource])}
        for field in refers["shows"].split():
            other = shown.get(field, ViewColumn(field, "text", field, "text", "same", ""))
            yield ViewColumn(
                f"{name.removesuffix('_id')}_{field}",
                other.kind,
                name,
                str(column["data_type"]),
                other.form,
                f"From {resource}: {other.meaning[:1].lower()}{other.meaning[1:]}",
                personal=other.personal,
                refers=resource,
                joined=field,
                key=key_of(endpoint, name, endpoints[resource]),
            )


def key_of(endpoint: Endpoint, column: str, other: Endpoint) -> str:
    """The column of another table whose values a column of an endpoint holds."""
    if other.name == endpoint.parent and column == endpoint.parent_param:
        return endpoint.parent_field
    return column_name(other.key)


def is_personal(column: Mapping[str, Any]) -> bool:
    """Whether a column of a table, or a field inside of it, is personal data."""
    inside = column.get("x-fields", {}).values()
    return bool(column.get("x-personal")) or any(map(is_personal, inside))
