"""Writes compact JSON that keeps the digits of numbers, for values nested to any depth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from sync_assets.sources.rest.records.numbers import NOT_JSON, Number, is_storable


class Encoder:
    """Writes compact JSON; `number` writes a `Number`, or raises `ValueError`.

    Characters that are valid unicode stay readable. Otherwise all are escaped or, without
    `escape`, `ValueError` is raised.
    """

    def __init__(self, number: Callable[[Number], str], *, escape: bool = True) -> None:
        self._number, self._escape = number, escape

    def __call__(self, value: Any) -> str:
        """The text of a value."""
        try:
            return orjson.dumps(value, default=self.fragment).decode()
        except TypeError:  # too deep, an integer of more than 64 bits, no unicode, or our error
            text = "".join(self._pieces(value))
        if is_unicode(text):
            return text
        if not self._escape:
            raise ValueError("text which is not valid UTF-8")
        return "".join(self._pieces(value, ascii_only=True))

    def fragment(self, number: Number) -> orjson.Fragment:
        """A number as orjson takes it."""
        return orjson.Fragment(self._number(number))

    def _pieces(self, value: Any, *, ascii_only: bool = False) -> Iterator[str]:
        """The text in pieces, by a stack: values may be nested deeper than calls may."""
        encode = json.JSONEncoder(ensure_ascii=ascii_only).encode
        waiting: list[Any] = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, _Mark):
                yield item.text
            elif isinstance(item, Number):
                yield self._number(item)
            elif isinstance(item, dict):
                pairs = ((_Mark(f",{encode(key)}:"), at) for key, at in item.items())
                waiting += _between("{", [part for pair in pairs for part in pair], "}")
            elif isinstance(item, list):
                waiting += _between("[", [part for at in item for part in (_Mark(","), at)], "]")
            else:
                yield encode(item)


class _Mark:
    """A piece of text that stands between values."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _between(start: str, inside: list[Any], end: str) -> list[Any]:
    """Return what to write of an object or a list, in reverse order; no comma before the first."""
    if inside:
        inside[0] = _Mark(inside[0].text[1:])
    return [_Mark(end), *reversed(inside), _Mark(start)]


def is_unicode(text: str) -> bool:
    """Whether a text is valid unicode, without lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _quoted(number: Number) -> str:
    return f'"{number}"' if number.text in NOT_JSON else number.text


def _true(number: Number) -> str:
    if number.text in NOT_JSON:
        raise ValueError(f"a value with {number}, which is no JSON")
    return number.text


def _storable(number: Number) -> str:
    if is_storable(_true(number)):
        return number.text
    raise ValueError(f"a value with {number.text[:20]}, which not every server takes in JSON")


#: JSON of anything that was sent: numbers that are no JSON are texts in it.
to_json = Encoder(_quoted)
#: JSON; raises `ValueError` where a number is none.
to_true_json = Encoder(_true)
_to_storable = Encoder(_storable, escape=False)
_storable_fragment = _to_storable.fragment


def to_storable_json(value: Any) -> str:
    """Return JSON that every warehouse accepts; raise `ValueError` if there is none."""
    try:
        text = orjson.dumps(value, default=_storable_fragment).decode()
    except TypeError:
        text = _to_storable(value)
    if "\\u0000" in text and "\\u0000" in text.replace("\\\\", ""):
        raise ValueError("text with a null character, which no server takes")
    return text


def json_kind(value: Any) -> str:
    """Return the JSON type of a value."""
    kinds = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")
