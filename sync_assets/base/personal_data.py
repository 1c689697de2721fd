"""Messages of drivers and parsers without the values that they quote.

Rows hold personal data, and drivers quote rows in many ways. So the words that may stay are
listed, not those that must go: inside quotes only names of database and network objects stay.
"""

from __future__ import annotations

import re

CUT = "..."
THINGS = (
    "attribute|catalog|column|constraint|database|encoding|extension|field|file|function|host|index"
    "|language|module|operator|parameter|relation|role|schema|sequence|server at|setting|table"
    "|tablespace|trigger|type|user|view|KeyError:"
)
#: Postgres' and DuckDB's lines below the first: the row, the statement, what was being read.
BELOW = re.compile(
    r"\s*^\W*(DETAIL|CONTEXT|QUERY|STATEMENT|WHERE|LINE [0-9]+|\[SQL|\[parameters)\b.*", re.M | re.S
)
STATEMENT = re.compile(r"\bVALUES\s*\(.*", re.S | re.I)
#: A value at the end may hold quotes and line breaks of its own.
LAST = re.compile(r"""(:\s*)(["'])(?:.*?[^\W_].*(\2|\Z)|\.\.\.\2)""", re.S)
QUOTED = re.compile(rf"""((?:\b(?:{THINGS})|\w=)\s*)?("[^"]*"|'[^']*')""")
BRACKETED = re.compile(
    r"(Failing row contains |Key \([^)]*\)=|value is |with value )\S.*?(?=\n|\Z)"
)
MAIL = re.compile(r"[^\s\"'<>(),;:]+@[^\s\"'<>(),;:]+\.[^\s\"'<>(),;:]+")
#: What our own reasons say of a value: it in JSON and its type, or it in quotes.
SHOWN = re.compile(r"(\bis ).*?( \((?:boolean|list|null|number|object|string)\))(?=[;,]|\Z)", re.S)
SHOWN_IN_QUOTES = re.compile(r"(\bis )([\"']).*?\2(?=, which|: no server| in a list of)", re.S)


def without_value(reason: str) -> str:
    """Return the reason for a quarantined record without the value, which the record itself has."""
    return SHOWN_IN_QUOTES.sub(rf"\g<1>{CUT}", SHOWN.sub(rf"\g<1>{CUT}\g<2>", reason))


def discreet(text: str) -> str:
    """Return a message without values; names of objects, line numbers and words stay."""
    text = STATEMENT.sub(f"VALUES ({CUT})", BELOW.sub("", text))
    text = BRACKETED.sub(rf"\g<1>{CUT}", text)
    is_key = re.search(r"KeyError:\s*'[^']*'\Z", text)
    text = QUOTED.sub(_named, text)  # first: a value may end like the words before a value
    if not is_key:
        text = LAST.sub(rf"\g<1>{CUT}", text)
    return MAIL.sub(CUT, text).strip()


def _named(found: re.Match[str]) -> str:
    thing, quoted = found[1] or "", found[2]
    says_nothing = not any(character.isalnum() for character in quoted)
    return found[0] if thing or says_nothing else f"{quoted[0]}{CUT}{quoted[-1]}"
