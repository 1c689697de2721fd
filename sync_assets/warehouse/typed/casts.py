"""How a stored value becomes one of another type in SQL: null where it is none, never an error.

A pattern decides what is cast. DuckDB's own casts round "1.6" to 2 and take "t" for true, and
Postgres before 16 knows no cast that may fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

DUCKDB, POSTGRES = DIALECTS = ("duckdb", "postgres")
DECIMAL = "DECIMAL(23, 4)"
TYPES = {
    "text": "TEXT",
    "bigint": "BIGINT",
    "double": "DOUBLE PRECISION",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "decimal": DECIMAL,
}
JSON = {DUCKDB: "JSON", POSTGRES: "JSONB"}
DAY = "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
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


class Casts:
    """The casts in one dialect; each takes an expression and gives one, as SQL."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.by_kind: dict[str, Callable[[str], str]] = {
            "text": lambda value: f"CAST({value} AS TEXT)",
            "bigint": self.bigint,
            "double": self.double,
            "bool": self.boolean,
            "timestamp": self.timestamp,
            "date": self.date,
            "decimal": self.decimal,
        }

    def null(self, kind: str) -> str:
        """No value of a kind."""
        return f"CAST(NULL AS {TYPES.get(kind) or JSON[self.dialect]})"

    def inside(self, value: str, path: Sequence[str], *, as_json: bool = False) -> str:
        """What stands at a path of a JSON value, as text or as JSON."""
        *outer, last = path
        if self.dialect == DUCKDB:
            keys = ".".join(f'"{key}"' for key in path)
            return f"({value} {'->' if as_json else '->>'} '$.{keys}')"
        steps = "".join(f" -> '{key}'" for key in outer)
        return f"({value}{steps} {'->' if as_json else '->>'} '{last}')"

    def bigint(self, value: str) -> str:
        """A whole number of up to 18 digits, from text."""
        return self._matching(value, WHOLE, f"CAST({value} AS BIGINT)")

    def double(self, value: str) -> str:
        """A number, from text."""
        return self._matching(value, NUMBER, f"CAST({value} AS DOUBLE PRECISION)")

    def decimal(self, value: str) -> str:
        """A decimal number with four places or fewer, from text."""
        return self._matching(value, AMOUNT, f"CAST({value} AS {DECIMAL})")

    def boolean(self, value: str) -> str:
        """A truth value, from text."""
        return (
            f"CASE WHEN LOWER({value}) IN ('true', 'yes', '1') THEN TRUE "
            f"WHEN LOWER({value}) IN ('false', 'no', '0') THEN FALSE END"
        )

    def timestamp(self, value: str) -> str:
        """An instant in UTC, from ISO 8601; without a zone it is UTC."""
        if self.dialect == DUCKDB:
            cast = f"TRY_CAST({value} AS TIMESTAMP)"
        else:
            zoned = f"CASE WHEN {value} ~ '{ZONE}$' THEN {value} ELSE {value} || 'Z' END"
            midnight = f"CASE WHEN LENGTH({value}) = 10 THEN {value} || 'T00:00Z' ELSE {zoned} END"
            cast = f"CAST({midnight} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
            cast = self._of_calendar(value, cast)
        return self._matching(value, f"{DAY}([T ]{TIME}{ZONE}?)?", cast)

    def date(self, value: str) -> str:
        """A date, from ISO 8601 without a time."""
        if self.dialect == DUCKDB:
            return self._matching(value, DAY, f"TRY_CAST({value} AS DATE)")
        return self._matching(value, DAY, self._of_calendar(value, f"CAST({value} AS DATE)"))

    def unix(self, value: str) -> str:
        """An instant in UTC, from a whole number of seconds."""
        made = (
            f"MAKE_TIMESTAMP({value} * 1000000)"
            if self.dialect == DUCKDB
            else f"TO_TIMESTAMP({value}) AT TIME ZONE 'UTC'"
        )
        return f"CASE WHEN {value} BETWEEN {FIRST} AND {LAST} THEN {made} END"

    def cents(self, value: str, currency: str | None, multiplier: str | None) -> str:
        """An amount, from the smallest unit of a currency, or as many of it as make one."""
        parts = {1: "1", 10: "0.1", 100: "0.01", 1000: "0.001"}
        shares = {one: f"CAST({part} AS DECIMAL(4, 3))" for one, part in parts.items()}
        if multiplier is not None:
            known = " ".join(f"WHEN {one} THEN {share}" for one, share in shares.items())
            share = f"CASE COALESCE({multiplier}, 100) {known} END"
        elif currency is not None:
            code = f"UPPER({currency})"
            share = (
                f"CASE WHEN {code} IN ({_listed(WHOLE_CURRENCIES)}) THEN {shares[1]} "
                f"WHEN {code} IN ({_listed(THOUSANDTHS)}) THEN {shares[1000]} "
                f"ELSE {shares[100]} END"
            )
        else:
            share = shares[100]
        return f"CAST(CAST({value} AS DECIMAL(19, 0)) * {share} AS {DECIMAL})"

    def _matching(self, value: str, pattern: str, cast: str) -> str:
        whole = f"'^({pattern})$'"
        test = (
            f"REGEXP_MATCHES({value}, {whole})" if self.dialect == DUCKDB else f"{value} ~ {whole}"
        )
        return f"CASE WHEN {test} THEN {cast} END"

    def _of_calendar(self, value: str, cast: str) -> str:
        """A cast of what is a day of its month, for Postgres."""
        month = f"CAST(SUBSTRING({value}, 1, 7) || '-01' AS DATE)"
        last = f"EXTRACT(DAY FROM {month} + INTERVAL '1 month' - INTERVAL '1 day')"
        return f"CASE WHEN CAST(SUBSTRING({value}, 9, 2) AS INT) <= {last} THEN {cast} END"


def _listed(words: str) -> str:
    return ", ".join(f"'{word}'" for word in words.split())
