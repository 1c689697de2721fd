"""A wrong setting is refused before the first request; the message names its variable."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs import PluggableRunContext

from sync_assets.base.config import resolve
from sync_assets.base.errors import ConfigurationError
from sync_assets.lib.retention.job import keep_days
from sync_assets.planning.settings import automation
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.declaration.base_url import normalized
from sync_assets.sources.rest.http.session import origin
from sync_assets.sources.rest.settings import SandboxSettings
from sync_assets.warehouse.machines import execution
from sync_assets_tests.support.world import APIS, SECRET_FIELDS, World

#: A base URL, and the words with which it is refused.
WRONG_URLS = {
    "https://api.example.com\n": "line break",
    "\nhttps://api.example.com": "line break",
    "https://api.example.com ": "white space",
    " https://api.example.com": "white space",
    "https://api.example.com/v 1": "white space",
    "https://api.exa\u200bmple.com": "invisible",
    "\ufeffhttps://api.example.com": "invisible",
    "https://api.example.com\u00a0": "white space",
    '"https://api.example.com"': "quotes",
    "<https://api.example.com>": "brackets",
    "https:\\\\api.example.com": "backslashes",
    "https://api.example.com?key=S3CRET": "query",
    "https://api.example.com/v1?": "query",
    "https://api.example.com/v1#top": "fragment",
    "https://api.example.com#": "fragment",
    "https://user:S3CRET@api.example.com": "user and password",
    "https://S3CRET@api.example.com": "user and password",
    "https://user:S3/CRET@api.example.com": "user and password|host",
    "ftp://api.example.com": "http:// or https://",
    "api.example.com": "http:// or https://",
    "https:/api.example.com": "http:// or https://",
    "Sandbox": "'sandbox'",
    "https://api.example.com:0": "65535",
    "https://api.example.com:65536": "65535",
    "https://api.example.com:S3CRET": "65535",
    "https://": "host",
    "https://.example.com": "host",
    "https://api..example.com": "host",
    "https://-api.example.com": "host",
    "https://exa%20mple.com": "host",
    "https://" + "a" * 64 + ".com": "host",
    "https://\u2488.com": "host",
}
#: A base URL that works, and how it is asked.
RIGHT_URLS = {
    "https://bücher.example": "https://xn--bcher-kva.example",
    "https://BÜCHER.example/v1/": "https://xn--bcher-kva.example/v1",
    "HTTPS://API.Example.com": "https://api.example.com",
    "https://api.example.com:443/": "https://api.example.com",
    "http://api.example.com:443": "http://api.example.com:443",
    "http://my_host:8080/a/b//": "http://my_host:8080/a/b",
    "http://[::1]:8080/v1": "http://[::1]:8080/v1",
    "https://api.example.com./v1": "https://api.example.com./v1",
    "https://api.example.com/V1/Ü": "https://api.example.com/V1/Ü",
}
WRONG_KEYS = {
    "a space before it": " S3CRETkey",
    "a space behind it": "S3CRETkey ",
    "a line break behind it": "S3CRETkey\n",
    "a carriage return behind it": "S3CRETkey\r\n",
    "a tab before it": "\tS3CRETkey",
    "double quotes around it": '"S3CRETkey"',
    "single quotes around it": "'S3CRETkey'",
    "a quote that was not closed": '"S3CRETkey',
    "typographic quotes around it": "“S3CRETkey”",
    "a byte order mark": "\ufeffS3CRETkey",
    "a zero-width space": "S3CRET\u200bkey",
    "a no-break space": "S3CRETkey\u00a0",
    "the word Bearer in front": "Bearer S3CRETkey",
    "a NUL": "S3CRET\x7fkey",
}
WRONG_SETTINGS = {
    "AUTOMATION__ENABLED": ["maybe", "2", "", "offf"],
    "AUTOMATION__PROMOTIONS__ENABLED": ["never"],
    "AUTOMATION__TIMEZONE": ["Berlin", "Europe/Atlantis", "../etc/passwd", "", "CEST+2", "Europe"],
    "AUTOMATION__TABLES_SCHEDULE": ["hourly", "* * *", "61 * * * *", "", "0 25 * * *"],
    "AUTOMATION__PARTITIONS_SCHEDULE": ["0 3 * *"],
    "AUTOMATION__TABLES_MAX_AGE": ["-1", "0", "nan", "inf", "two", "1e300"],
    "AUTOMATION__EVENTS__PARTITIONS_MAX_AGE": ["-26", "0"],
    "AUTOMATION__SENSOR_INTERVAL": ["0", "-5", "1.5", "soon"],
    "AUTOMATION__KEYS_PER_TICK": ["0", "-1"],
    "AUTOMATION__RUNS_PER_TICK": ["0", "x"],
    "AUTOMATION__OWNERS": ["data", "team:", "a@b", "team:data, me"],
    "AUTOMATION__RETRY_AFTER": ["0", "-2", "nan"],
    "AUTOMATION__RETRY_AT_MOST": ["0", "-inf"],
    "AUTOMATION__ROW_DROP": ["-0.1", "1.1", "50%"],
    "EXECUTION__EXECUTOR": ["docker", "", "In_Process"],
    "EXECUTION__MACHINES": ["2", "several"],
    "EXECUTION__PARTITIONS_PER_RUN": ["-1", "all", "2.5"],
    "RETENTION__KEEP_DAYS": ["-1", "a month", "1e3", "99999999999"],
    "SANDBOX__NOW": ["yesterday", "2026-13-01", "1700000000000"],
    "SANDBOX__PROMOTIONS": ["-1", "many"],
    "SANDBOX__EVENT_SERIES": ["-1", "0.5"],
    "SANDBOX__SEED": ["lucky"],
    "SOURCES__EVENTS__TIMEOUT": ["0", "inf", "1e300", "nan", "-1"],
    "SOURCES__EVENTS__MAX_WAIT": ["inf", "-1"],
    "SOURCES__EVENTS__BACKOFF_FACTOR": ["inf"],
    "SOURCES__EVENTS__MAX_CONCURRENCY": ["0", "true"],
}
SWITCHES = {
    "on": True, "off": False, "yes": True, "no": False, "true": True, "False": False,
    "1": True, "0": False, " ON ": True,
}  # fmt: skip
#: What a file of dlt's holds, and the words with which it is refused.
WRONG_FILES = {
    "a bracket that is not closed": (b'[sources.events\napi_key = "S3CRET"\n', "line 1, column"),
    "a text without quotes": (b"[sources.events]\napi_key = S3CRET\n", "line 2, column"),
    "a quote that is not closed": (b'[sources.events]\napi_key = "S3CRET\n', "line 2, column"),
    "a key that stands twice": (b'a = "S3CRET"\na = "S3CRET"\n', "line 2|already|not TOML"),
    "a section that stands twice": (b'[a]\nb = "S3CRET"\n[a]\nb = 1\n', "not TOML"),
    "a colon": (b'[sources.events]\napi_key: "S3CRET"\n', "line 2"),
    "a byte order mark": (b'\xef\xbb\xbf[sources.events]\napi_key = "S3CRET"\n', "byte order mark"),
    "Latin-1": (b'# caf\xe9\napi_key = "S3CRET"\n', "not UTF-8"),
    "UTF-16": ('api_key = "S3CRET"\n'.encode("utf-16"), "not UTF-8"),
    "JSON": (b'{"api_key": "S3CRET"}', "line 1"),
}
FAULTS = {
    **{
        f"base URL: `{url!r:.50}`": f"refused: {words.replace('|', ' or ')}"
        for url, words in WRONG_URLS.items()
    },
    **{
        f"base URL: `{url!r:.50}`": f"works, is requested as {asked}"
        for url, asked in RIGHT_URLS.items()
    },
    **{f"a credential with: {what}": "refused, not cleaned" for what in WRONG_KEYS},
    **{
        f"secrets.toml with: {what}": f"refused: {words.replace('|', ' or ')}"
        for what, (_, words) in WRONG_FILES.items()
    },
    **{f"`{name}`: {v!r}": "refused" for name, values in WRONG_SETTINGS.items() for v in values},
}


@pytest.mark.parametrize("url", WRONG_URLS)
def test_a_wrong_base_url_is_refused_and_not_quoted(world: World, url: str) -> None:
    world.configure("promotions", base_url=url)
    with pytest.raises(ConfigurationError, match=WRONG_URLS[url]) as caught:
        _ = Account(APIS["promotions"]).settings
    assert "SOURCES__PROMOTIONS__BASE_URL must be" in str(caught.value)
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("url", RIGHT_URLS)
def test_a_right_base_url_has_one_spelling(world: World, url: str) -> None:
    world.configure("promotions", base_url=url)
    asked = Account(APIS["promotions"]).settings.base_url
    assert asked == RIGHT_URLS[url]
    assert normalized(asked) == asked
    assert origin(asked)[1]


@pytest.mark.parametrize("source", APIS)
@pytest.mark.parametrize("what", WRONG_KEYS)
def test_a_key_with_something_around_it_is_refused(world: World, source: str, what: str) -> None:
    world.configure(source, **{SECRET_FIELDS[source]: WRONG_KEYS[what]})
    with pytest.raises(ConfigurationError) as caught:
        _ = Account(APIS[source]).settings
    assert f"SOURCES__{source.upper()}__{SECRET_FIELDS[source]} h" in str(caught.value)
    assert "S3CRET" not in str(caught.value)


def read_all_settings() -> None:
    """Read every settings class of the project."""
    for api in APIS.values():
        _ = Account(api).settings
        automation(api)
    execution()
    keep_days()
    resolve(SandboxSettings(), ["sandbox"], {})


@pytest.mark.parametrize(
    ("variable", "value"), [(name, v) for name, values in WRONG_SETTINGS.items() for v in values]
)
def test_a_wrong_setting_is_refused_by_its_variable(
    world: World, variable: str, value: str
) -> None:
    world.monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        read_all_settings()
    assert str(caught.value).startswith(f"{variable} must be ")
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(("word", "means"), SWITCHES.items())
def test_a_switch_takes_the_usual_words(world: World, word: str, means: bool) -> None:
    world.monkeypatch.setenv("AUTOMATION__ENABLED", word)
    assert automation(APIS["events"]).enabled is means


@pytest.mark.parametrize("what", WRONG_FILES)
@pytest.mark.parametrize("name", ["secrets.toml", "config.toml"])
def test_a_slip_in_a_file_is_told_with_file_and_line(tmp_path: Path, what: str, name: str) -> None:
    content, words = WRONG_FILES[what]
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / name).write_bytes(content)
    said = resolved_in(tmp_path)
    assert re.search(words, said)
    assert str(tmp_path / ".dlt" / name) in said
    assert "S3CRET" not in said


def resolved_in(folder: Path) -> str:
    """What is said where dlt reads its files in a folder."""
    container = Container()
    before, here = container[PluggableRunContext], Path.cwd()
    del container[PluggableRunContext]
    os.chdir(folder)
    try:
        with pytest.raises(ConfigurationError) as caught:
            _ = Account(APIS["events"]).settings
        return str(caught.value)
    finally:
        os.chdir(here)
        container[PluggableRunContext] = before
