"""The column of a field that nobody declared: by its name alone, and never another field's.

A name that is its own normal form, `new_field`, is its column's name too. Any other, `newField` or
`New Field`, gets a column of its normal form and a tag made of the name as sent, because many
names have one normal form. So the column is the same whatever else a record, a list or a later
sync holds, and two fields never share one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from functools import cache
from hashlib import sha256

from dlt.common.normalizers.naming.snake_case import NamingConvention

NAMING = NamingConvention()
SEPARATOR = "__"
LONGEST = 40
#: No name at all, what Postgres keeps for itself, what begins as dlt's columns, what ends in a tag.
RESERVED = re.compile(r"|ctid|[xc]min|[xc]max|tableoid|_dlt.*|.*_x[0-9a-f]{10}")


@cache
def normal(field: str) -> str:
    """What dlt makes of a name, if it is not too long for the warehouse."""
    return NAMING.normalize_path(field)


def column_of(field: str, taken: Container[str], outer: str | None = None) -> str:
    """The column of an undeclared field, of the flattened object `outer` if it is inside of one.

    `taken` holds the declared columns by their normal names.
    """
    name = field if outer is None else f"{outer}{SEPARATOR}{field}"
    plain = name == normal(name) and not RESERVED.fullmatch(name) and name not in taken
    return name if plain else _tagged(field, name, outer)


@cache
def _tagged(field: str, name: str, outer: str | None) -> str:
    tag = sha256(json.dumps([outer, field]).encode()).hexdigest()[:10]
    base = normal(name).lstrip("_")[:LONGEST] if re.search("[A-Za-z0-9]", field) else "unnamed"
    return normal(f"{base.rstrip('_')}_x{tag}")


def column_name(field: str) -> str:
    """The column of a declared field; the record's field keeps the name that is sent."""
    return normal(field)


def table_name(resource: str) -> str:
    """The table of a resource, which is also the last part of its asset's key."""
    return NAMING.normalize_tables_path(resource)
