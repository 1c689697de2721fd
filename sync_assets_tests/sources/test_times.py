"""No date or time stops a sync or a tick, whatever its form."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_assets.base.times import EVER, FOREVER, is_day, known, parse_time, shifted
from sync_assets.sources.rest.life import Stage, between

TEN = "2026-11-27 10:00:00"
#: By a value that an API sends, what it means.
READ: dict[str, tuple[Any, str | None]] = {
    "ISO 8601": ("2026-11-27T10:00:00Z", TEN),
    "a lower-case z": ("2026-11-27t10:00:00z", TEN),
    "a space": ("2026-11-27 10:00:00", TEN),
    "no seconds": ("2026-11-27T10:00", TEN),
    "spaces around": ("  2026-11-27T10:00:00Z\n", TEN),
    "+0000": ("2026-11-27T12:00:00+0200", TEN),
    "+00:00": ("2026-11-27T10:00:00+00:00", TEN),
    "+02": ("2026-11-27T12:00:00+02", TEN),
    "an offset of minutes": ("2026-11-27T04:30:00-0530", TEN),
    "a zone in words": ("2026-11-27 10:00:00 UTC", TEN),
    ".5Z": ("2026-11-27T10:00:00.5Z", TEN + ".500000"),
    "a comma": ("2026-11-27T10:00:00,25Z", TEN + ".250000"),
    "nanoseconds": ("2026-11-27T10:00:00.123456789Z", TEN + ".123456"),
    "the basic format": ("20261127T100000Z", TEN),
    "a day": ("2026-11-27", "2026-11-27 00:00:00"),
    "a day in the basic format": ("20261127", "2026-11-27 00:00:00"),
    "24:00": ("2026-11-26T24:00:00Z", "2026-11-27 00:00:00"),
    "a leap second": ("2016-12-31T23:59:60Z", "2017-01-01 00:00:00"),
    "unix seconds": (1795773600, TEN),
    "unix seconds with a fraction": (1795773600.5, TEN + ".500000"),
    "unix seconds as text": ("1795773600", TEN),
    "milliseconds": (1795773600000, TEN),
    "milliseconds as text": ("1795773600000", TEN),
    "microseconds": (1795773600000000, TEN),
    "nanoseconds since 1970": (1795773600000000000, TEN),
    "negative unix seconds": (-86400, "1969-12-31 00:00:00"),
    "an object with unix": ({"date": "x", "iso": "x", "unix": 1795773600}, TEN),
    "an object with iso alone": ({"iso": "2026-11-27T10:00:00Z"}, TEN),
    "an object as text": ('{"unix": 1795773600}', TEN),
    "year 1": ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00"),
    "before year 1 by its zone": ("0001-01-01T00:00:00+02:00", "0001-01-01 00:00:00"),
    "9999": ("9999-12-31T23:59:59Z", "9999-12-31 23:59:59"),
    "after 9999 by its zone": ("9999-12-31T23:59:59-05:00", str(FOREVER)[:26]),
    "9999 in unix seconds": (253402300799, "9999-12-31 23:59:59"),
    "year 10000": ("10000-01-01T00:00:00Z", str(FOREVER)[:26]),
    "year 275760": ("+275760-09-13T00:00:00.000Z", str(FOREVER)[:26]),
    "huge": (10**400, str(FOREVER)[:26]),
    "hugely negative": (-(10**400), "0001-01-01 00:00:00"),
    "infinity": (float("inf"), str(FOREVER)[:26]),
    "not a number": (float("nan"), None),
    "0000-00-00": ("0000-00-00", None),
    "0000-00-00 00:00:00": ("0000-00-00 00:00:00", None),
    "zero": (0, None),
    "zero as text": ("0", None),
    "empty": ("", None),
    "null": (None, None),
    "true": (True, None),
    "false": (False, None),
    "a list": ([2026], None),
    "an empty object": ({}, None),
    "an object in objects": ({"unix": {"unix": {}}}, None),
    "text that begins as an object": ("{", None),
    "a word": ("soon", None),
    "month 13": ("2026-13-01", None),
    "February 30": ("2026-02-30T00:00:00Z", None),
    "hour 25": ("2026-11-27T25:00:00Z", None),
    "a year": ("2026-", None),
    "5,000 digits": ("1" * 5000, None),
    "digits of another script": ("٢٠٢٦-١١-٢٧", None),
    "a null character": ("2026-11-27\0", None),
    "a lone surrogate": ("\ud800", None),
}  # fmt: skip
NO_DATE = (
    "no date: the partition stays live, and `fields_as_declared` names the field unless it is empty"
)
FAULTS = {
    f"a date or time: {name}": NO_DATE if means is None else "read"
    for name, (_, means) in READ.items()
}
ANY = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(),
    st.from_regex(
        r"[+-]?\d{1,7}-?\d\d-?\d\d"
        r"([T ]\d\d:?\d\d(:?\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:?(\d\d)?)?)?"
    ),
    st.datetimes(timezones=st.timezones() | st.none()),
    st.dictionaries(st.sampled_from(["unix", "iso", "date"]), st.integers() | st.text()),
)  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_date_means_the_same_in_any_form(name: str) -> None:
    value, means = READ[name]
    found = parse_time(value)
    assert (found and str(found).removesuffix("+00:00")) == means


@given(ANY, st.timedeltas())
@settings(max_examples=300, deadline=None)
def test_no_date_raises(value: Any, by: timedelta) -> None:
    found = parse_time(value)
    assert found is None or found.tzinfo is timezone.utc
    is_day(value)
    EVER <= shifted(found or EVER, by) <= FOREVER  # noqa: B015 - comparing must not raise
    life = between({"begin": value, "end": value}, "begin", "end")
    assert life.stage(timedelta(days=2), datetime.now(timezone.utc)) in Stage


@given(st.datetimes(), st.timezones())
@settings(max_examples=100, deadline=None)
def test_what_python_writes_is_read_as_it_was(when: datetime, zone: Any) -> None:
    aware = when.replace(tzinfo=zone)
    away = aware.utcoffset() or timedelta()
    if away.total_seconds() % 60 == 0:  # before 1900 offsets had seconds
        there = shifted(when.replace(tzinfo=timezone.utc), -away)
        assert parse_time(aware.isoformat()) == there


def test_a_time_of_a_wrong_clock_counts_as_none() -> None:
    now = datetime(2026, 6, 1, tzinfo=timezone.utc)
    assert known(now + timedelta(minutes=4), now) == now + timedelta(minutes=4)
    assert known(now + timedelta(minutes=6), now) == EVER
    assert known(None, now) == EVER


def interpreter(version: str) -> str | None:
    """A Python of that version, wherever one is that runs: a shim of none is not one."""
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    found = str(installed[-1]) if installed else shutil.which(f"python{version}")
    if found is None or subprocess.run([found, "-c", ""], capture_output=True).returncode:
        return None
    return found


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_every_python_reads_the_same(version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    plain = {name: value for name, (value, _) in READ.items() if not isinstance(value, float)}
    code = (
        "import json, sys; sys.path.insert(0, 'sync_assets/base'); import times\n"
        "values = json.loads(sys.stdin.read())\n"
        "print(json.dumps({n: str(times.parse_time(v)) for n, v in values.items()}))"
    )
    there = subprocess.run(
        [python, "-c", code], input=json.dumps(plain), capture_output=True, text=True, check=True
    )
    assert json.loads(there.stdout) == {
        name: str(parse_time(value)) for name, value in plain.items()
    }
