"""Converts stored values to other types in SQL: an invalid value becomes null, never an error.

It is the SQL of Postgres, from which sqlglot makes that of DuckDB. A pattern decides what is cast:
DuckDB's own casts round "1.6" to 2 and take "t" for true, and Postgres before 16 has no cast that
may fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

DUCKDB, POSTGRES = "duckdb", "postgres"
DECIMAL = "DECIMAL(23, 4)"
TYPES = {
    "text": "TEXT",
    "bigint": "BIGINT",
    "double": "DOUBLE PRECISION",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "decimal": DECIMAL,
    "json": "JSONB",
}
LEAP = "([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)"
DAY = (
    "([1-9][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|"
    f"02-(0[1-9]|1[0-9]|2[0-8]))|{LEAP}-02-29)"
)
TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
ZONE = r"(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])"
WHOLE = "-?[0-9]{1,18}"
NUMBER = r"-?[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?"
AMOUNT = r"-?[0-9]{1,18}(\.[0-9]{1,4})?"
#: Unix seconds of the years 1 to 9999.
FIRST, LAST = -62135596800, 253402300799
#: ISO 4217: currencies without a smaller unit, and those with thousandths.
WHOLE_CURRENCIES = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"


def null(kind: str) -> str:
    """Return a null of a kind."""
    return f"CAST(NULL AS {TYPES[kind]})"


def inside(value: str, path: Sequence[str], *, as_json: bool = False) -> str:
    """Return the value at a path of a JSON value, as text or as JSON."""
    *outer, last = path
    steps = "".join(f" -> '{key}'" for key in outer)
    return f"({value}{steps} {'->' if as_json else '->>'} '{last}')"


def text(value: str) -> str:
    """A text, from any value."""
    return f"CAST({value} AS TEXT)"


def bigint(value: str) -> str:
    """A whole number of up to 18 digits, from text."""
    return _matching(value, WHOLE, f"CAST({value} AS BIGINT)")


def double(value: str) -> str:
    """A number, from text."""
    return _matching(value, NUMBER, f"CAST({value} AS DOUBLE PRECISION)")


def decimal(value: str) -> str:
    """A decimal number with four places or fewer, from text."""
    return _matching(value, AMOUNT, f"CAST({value} AS {DECIMAL})")


def boolean(value: str) -> str:
    """A truth value, from text."""
    return (
        f"CASE WHEN LOWER({value}) IN ('true', 'yes', '1') THEN TRUE "
        f"WHEN LOWER({value}) IN ('false', 'no', '0') THEN FALSE END"
    )


def timestamp(value: str) -> str:
    """An instant in UTC, from ISO 8601; without a zone it is UTC."""
    timed = f"CASE WHEN LENGTH({value}) = 10 THEN {value} || 'T00:00' ELSE {value} END"
    zoned = f"{timed} || CASE WHEN {value} ~ '{ZONE}$' THEN '' ELSE 'Z' END"
    # DuckDB wants seconds in front of a zone
    whole = f"REGEXP_REPLACE({zoned}, '([T ][0-9]{{2}}:[0-9]{{2}})([Z+-])', '\\1:00\\2')"
    cast = f"CAST({whole} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    return _matching(value, f"{DAY}([T ]{TIME}{ZONE}?)?", cast)


def date(value: str) -> str:
    """A date, from ISO 8601 without a time."""
    return _matching(value, DAY, f"CAST({value} AS DATE)")


def unix(value: str) -> str:
    """An instant in UTC, from a whole number of seconds."""
    since = f"CAST({value} AS DOUBLE PRECISION) * INTERVAL '1 second'"
    made = f"CAST('1970-01-01' AS TIMESTAMP) + {since}"
    return f"CASE WHEN {value} BETWEEN {FIRST} AND {LAST} THEN {made} END"


def unix_text(value: str) -> str:
    """The same, from text."""
    return _matching(value, WHOLE, unix(f"CAST({value} AS BIGINT)"))


def cents(value: str, share: str) -> str:
    """An amount, from as many parts of which each is a share of one."""
    return f"CAST(CAST({value} AS DECIMAL(19, 0)) * {share} AS {DECIMAL})"


def share(currency: str | None, multiplier: str | None) -> str:
    """The smallest unit of a currency, or one of as many as make one; null where it is unknown."""
    parts = {1: "1", 10: "0.1", 100: "0.01", 1000: "0.001"}
    shares = {one: f"CAST({part} AS DECIMAL(4, 3))" for one, part in parts.items()}
    if multiplier is not None:
        known = " ".join(f"WHEN '{one}' THEN {share}" for one, share in shares.items())
        return f"CASE COALESCE(CAST({multiplier} AS TEXT), '100') {known} END"
    if currency is None:
        return shares[100]
    code = f"UPPER({currency})"
    return (
        f"CASE WHEN {code} IN ({_listed(WHOLE_CURRENCIES)}) THEN {shares[1]} "
        f"WHEN {code} IN ({_listed(THOUSANDTHS)}) THEN {shares[1000]} "
        f"ELSE {shares[100]} END"
    )


#: By kind, what casts a text to it.
FROM_TEXT: dict[str, Callable[[str], str]] = {
    "text": text,
    "bigint": bigint,
    "double": double,
    "bool": boolean,
    "timestamp": timestamp,
    "date": date,
    "decimal": decimal,
}


def _matching(value: str, pattern: str, cast: str) -> str:
    return f"CASE WHEN {value} ~ '^({pattern})$' THEN {cast} END"


def _listed(words: str) -> str:
    return ", ".join(f"'{word}'" for word in words.split())
