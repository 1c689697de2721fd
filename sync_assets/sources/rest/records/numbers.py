"""Numbers as they were sent, if a Python number would change their digits."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from math import isinf
from typing import Any

#: A JSON number without an exponent; what Python writes with other digits or cannot read.
PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
MINUS_ZERO = re.compile(r"-0(?![0-9.eE])")
LONGEST_INTEGER = 640
#: A double holds any number of so few digits.
SHORT = 15
INT64 = 2**63
#: Digits before and behind the point that Postgres takes inside of JSON.
BEFORE, BEHIND = 131_072, 16_383
NOT_JSON = frozenset({"NaN", "Infinity", "-Infinity"})


class Number:
    """A number as sent, such as `1.50`, `1e400` or thirty digits; also `NaN`, which is not JSON."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def loads(text: str) -> Any:
    """Parse JSON; a number whose digits Python would change becomes a `Number`."""
    integers = _integer if MINUS_ZERO.search(text) else None
    try:
        return _loads(text, integers)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of more digits than Python reads
        return _loads(text, _integer)


def _loads(text: str, parse_int: Any) -> Any:
    return json.loads(text, parse_int=parse_int, parse_float=_fraction, parse_constant=Number)


def _integer(text: str) -> int | Number:
    return Number(text) if text == "-0" or len(text) > LONGEST_INTEGER else int(text)


def _fraction(text: str) -> float | Number:
    number = float(text)
    written = repr(number)
    return number if written == text and "e" not in written else Number(text)


def as_double(text: str) -> float | None:
    """Return the double with the same value or the same digits; None if there is none."""
    number = float(text)
    if len(text) <= SHORT and PLAIN.fullmatch(text):
        return number
    if isinf(number):
        return None
    value = _decimal(text)
    return number if value in (Decimal(repr(number)), Decimal(number)) else None


def as_bigint(text: str) -> int | None:
    """Return the 64-bit integer with the same value; None if there is none."""
    if not abs(float(text)) <= INT64:
        return None
    value = _decimal(text)
    whole = None if value is None or value != value.to_integral_value() else int(value)
    return whole if whole is not None and -INT64 <= whole < INT64 else None


def is_storable(text: str) -> bool:
    """Whether every warehouse accepts this number inside JSON."""
    if text in NOT_JSON:
        return False
    if len(text) < BEHIND and PLAIN.fullmatch(text):
        return True
    value = _decimal(text)
    if value is None:
        return False
    places = value.as_tuple().exponent
    return isinstance(places, int) and places >= -BEHIND and value.adjusted() < BEFORE


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except ArithmeticError:  # an exponent beyond all reason
        return None
