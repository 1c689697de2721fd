"""Whether a stored text can become a value of another type without loss."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

INT64 = 2**63
LARGEST = Decimal(repr(sys.float_info.max))
LOST = re.compile(r"[\ud800-\udfff]|(?<!\\)(?:\\\\)*\\u0000")


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
