"""The column of an undeclared field: it depends on the field's name alone, and is never shared.

If a name is its own normal form, such as `new_field`, the column has the same name. Any other
name, such as `newField`, gets a column of its normal form and a tag made from the name as sent,
because several names may have the same normal form.
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
    """Return dlt's normal form of a name, before it is shortened for the warehouse."""
    return NAMING.normalize_path(field)


def column_of(field: str, taken: Container[str], outer: str | None = None) -> str:
    """Return the column of an undeclared field, which may be inside the flattened object `outer`.

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
    """Return the column of a declared field."""
    return normal(field)


def table_name(resource: str) -> str:
    """Return the table of a resource, which is also the last part of its asset key."""
    return NAMING.normalize_tables_path(resource)
