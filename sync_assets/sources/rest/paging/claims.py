"""Reads what the envelope of a page says about the size of its list and about the next page.

The envelope is everything beside the records: keys at the top of the body and in objects below it.
Names count in any spelling: `hasMore`, `has_more` and `has-more` are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

DEPTH = 3
ENVELOPE = re.compile(
    r"meta(data)?|page|pages|pag(ing|er|ination|inator)|(response|result)meta(data)?|links?|cursors?"
    r"|(list|page|paging|result|results)info|navigation|nav"
)
KIND = r"(page|pages|url|uri|link|href|cursor|token|offset|start|id|key|marker|number)"
WHAT = r"(items|results|records|rows|data|entries|available)"
MORE = re.compile(
    rf"(odata)?(has|is)?(the)?(next|more)({KIND}|{WHAT})*|(is)?truncated|continuation{KIND}?"
)
LAST = re.compile(r"(is)?last(page)?|(is)?(done|finished|end)")
CURSOR = re.compile(
    r"cursor|after|startingafter|(end|last)cursor|pagetoken|scrollid|bookmark|marker"
)
TOTAL = re.compile(
    r"total(number|num)?(of)?(count|items|rows|records|results|elements|hits|entries|objects)?"
    r"|(items?|rows?|records?|results?)total"
)
PAGES = re.compile(r"lastpage|total(number)?(of)?pages|pagestotal|pages|numpages|numberofpages")
ON_PAGE = re.compile(r"(items?|rows?|records?|results?)(on|in)?(this)?page|numberofelements|onpage")
COUNT = re.compile(r"(items?|rows?|records?|results?|page)?count")
CURRENT = re.compile(r"(current)?page(number|index)?|pagecurrent")
PER_PAGE = re.compile(r"(items|rows|records|results)?perpage")
NOTHING = ("", "false", "no", "none", "null", "0")


@dataclass
class Claims:
    """What one envelope says; None or empty where it says nothing.

    `more` names the signs of a further page, `cursors` has possible cursors by their path, and
    `places` are the objects that said anything. `count` may be the size of the page, the size of
    the list, or the number of pages.
    """

    more: list[str] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    places: set[str] = field(default_factory=set)
    total: int | None = None
    pages: int | None = None
    on_page: int | None = None
    count: int | None = None
    current: int | None = None
    per_page: int | None = None


def read_claims(body: Mapping[str, Any], selector: str) -> Claims:
    """Return what a body says beside its records, which are at the path `selector`."""
    claims = Claims()
    for place, known, envelope in _envelopes(body, selector, "", DEPTH):
        if place and known:
            claims.places.add(place)
        for key, value in envelope.items():
            name, at = _plain(key), f"{place}.{key}".lstrip(".")
            if value is None or at == selector:
                continue
            _signs(claims, name, at, value)
            if known:
                _sizes(claims, name, at, value)
    return claims


def _envelopes(
    body: Mapping[str, Any], selector: str, place: str, depth: int, *, known: bool = True
) -> Iterator[tuple[str, bool, Mapping[str, Any]]]:
    """Yield each object of an envelope: path, whether all names in the path are known, object.

    A name on the way to the records is always known.
    """
    yield place, known, body
    for key, value in body.items():
        at = f"{place}.{key}".lstrip(".")
        if isinstance(value, dict) and depth and at != selector:
            leads_there = selector.startswith(f"{at}.")
            ours = known and (leads_there or bool(ENVELOPE.fullmatch(_plain(key))))
            yield from _envelopes(value, selector, at, depth - 1, known=ours)


def _signs(claims: Claims, name: str, at: str, value: Any) -> None:
    if isinstance(value, list):
        if name in ("links", "link") and any(_leads_on(item) for item in value):
            claims.more.append(f"{at} has a next one")
    elif MORE.fullmatch(name) and _says_something(value):
        claims.more.append(f"{at} is {value}" if isinstance(value, (bool, int)) else f"{at} is set")
    elif LAST.fullmatch(name) and value is False:
        claims.more.append(f"{at} is false")


def _sizes(claims: Claims, name: str, at: str, value: Any) -> None:
    if CURSOR.fullmatch(name) and not isinstance(value, (dict, list)) and _says_something(value):
        claims.cursors[at] = str(value)
    number = _whole(value)
    if number is None:
        return
    for attribute, names in SIZES.items():
        if names.fullmatch(name) and getattr(claims, attribute) is None:
            setattr(claims, attribute, number)


SIZES = {
    "total": TOTAL, "pages": PAGES, "on_page": ON_PAGE, "count": COUNT, "current": CURRENT,
    "per_page": PER_PAGE,
}  # fmt: skip


def _leads_on(link: Any) -> bool:
    """Whether an item of a list of links is the next link, as `{"rel": "next", "href": ...}`."""
    if not isinstance(link, dict):
        return False
    said = f"{link.get('rel')} {link.get('label')}".lower()
    target = next((link[key] for key in ("href", "url", "uri", "link") if key in link), None)
    return "next" in said and bool(target)


def _says_something(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_says_something(item) for item in value.values())
    if isinstance(value, str):
        return value.strip().lower() not in NOTHING
    return bool(value)


def _whole(value: Any) -> int | None:
    """Return a whole number, also from text; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@lru_cache(1_000)
def _plain(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())
