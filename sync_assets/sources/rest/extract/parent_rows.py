"""Tells whether the row of a parent changed since the list below it was read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sync_assets.sources.rest.extract.spool import Spool


@dataclass(frozen=True)
class PartsRead:
    """A table in parts: its lists need not be read while the rows of their parents stay the same.

    `rows` has for each parent the digest of its row when its list was last read. `proven_at` is the
    time when all lists of the table were last read.
    """

    rows: Mapping[str, str]
    proven_at: datetime


def digests(spool: Spool, field: str) -> dict[str, str]:
    """Return a digest of each row of a list of parents, by the values of the column `field`.

    The digest is of the row as it is loaded. It does not depend on the order of keys in JSON, nor
    on columns that are null in this row and may be there for the sake of others.
    """
    verbatim = {str(c["name"]) for c in spool.typer.columns.values() if c["data_type"] != "json"}
    found: dict[str, list[str]] = defaultdict(list)
    for table in spool.tables():
        for row in table.to_pylist():
            said = {
                name: value if name in verbatim else _meant(value)
                for name, value in row.items()
                if value is not None
            }
            found[str(row[field])].append(json.dumps(said, sort_keys=True))
    return {
        one: sha256("\n".join(sorted(rows)).encode()).hexdigest() for one, rows in found.items()
    }


def _meant(text: str) -> Any:
    """Return the JSON in a text, parsed; the text itself if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
