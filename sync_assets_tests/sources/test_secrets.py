"""No message holds a credential or a part of one."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_assets.base import secrets
from sync_assets.base.errors import ConfigurationError, SyncError, TransientError, brief
from sync_assets.base.secrets import STARS, conceal, conceal_url, redacted
from sync_assets.sources.rest.account import Account
from sync_assets.warehouse.connection.credentials import given_credentials
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.world import APIS, SECRET_FIELDS, World

CANARY = "S3CRET-canary"
CREDENTIALS = "DESTINATION__WAREHOUSE__CREDENTIALS"
SECRET = st.text(
    st.sampled_from("@/:%?#&=+ '\"\\;$é€") | st.characters(codec="utf-8", exclude_characters="\0"),
    min_size=secrets.SHORTEST,
    max_size=20,
).filter(lambda text: text == text.strip() and len(text.splitlines()) == 1 and len(set(text)) > 2)
#: How a driver or a parser may quote a URL, a DSN, a header or a document that holds a secret.
QUOTED = {
    "a URL": f"cannot parse postgresql://etl:{CANARY}@db/wh",
    "a URL whose password has an @": f"bad host in postgresql://etl:p@{CANARY}@db/wh",
    "a URL whose password has a slash": f"bad port in postgresql://etl:p/{CANARY}@db/wh",
    "a URL without a password": f"bad token in https://{CANARY}@api.example.com/v1",
    "a URL in SQLAlchemy's form": f"mssql+pyodbc://sa:{CANARY}@db?driver=x",
    "a query": f"GET /v1/orders?limit=1&access_token={CANARY}&page=2",
    "an API key in a query": f"Max retries exceeded with url: /x?api_key={CANARY}",
    "a MotherDuck URL": f"md:db?motherduck_token={CANARY}",
    "a DSN": f"could not connect: host=db password={CANARY} user=etl",
    "a DSN with quotes": f"could not connect: host=db password='{CANARY} x' user=etl",
    "JSON": json.dumps({"client_email": "a@b", "private_key": f"{CANARY} with spaces"}),
    "Python": repr({"password": CANARY}),
    "a proxy": f"cannot reach proxy http://me:{CANARY}@proxy:3128",
}
#: Credentials of dlt's destinations, which hold the canary.
CONFIGURED = {
    "postgres": f"postgresql://etl:{CANARY}@db/wh",
    "redshift": f"redshift://etl:{CANARY}@db/wh",
    "snowflake": f"snowflake://etl:{CANARY}@account/wh?private_key_passphrase={CANARY}",
    "motherduck": f"md:db?motherduck_token={CANARY}",
    "bigquery cut off": f'{{"client_email": "a@b", "private_key": "{CANARY}",',
    "bigquery": json.dumps({"private_key": f"-----BEGIN-----\n{CANARY}\n-----END-----"}),
}
FAULTS = {
    **{f"a foreign message quotes a secret in: {form}": "shown as `***`" for form in QUOTED},
    **{
        f"a message quotes or encodes the credentials of: {kind}": "shown as `***`"
        for kind in CONFIGURED
    },
}


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", set())


@pytest.mark.parametrize("form", QUOTED)
def test_what_looks_like_a_secret_is_starred_though_nobody_knows_it(form: str) -> None:
    assert "S3CRET" not in redacted(QUOTED[form])
    assert STARS in redacted(QUOTED[form])


def test_what_is_none_stays() -> None:
    for text in (
        "https://api.example.com/v1/orders?page=2",
        "the credential is missing, wrong or expired",
        "SOURCES__EVENTS__API_KEY is not set. Set it in the environment or in .dlt/secrets.toml",
        "such as postgresql://user:password@host:5432/database",
        'database "warehouse" does not exist',
        "a@b.example wrote 3 rows at 12:30",
        "the list under 'data' is missing; keys: ['next_page_token', 'secrets']",
    ):
        assert redacted(text) == text


@settings(max_examples=300, deadline=None)
@given(secret=SECRET)
def test_a_known_secret_is_starred_in_each_form(secret: str) -> None:
    secrets._known.clear()
    conceal(secret)
    forms = {
        secret, quote(secret), quote(secret, safe=""), quote_plus(secret), quote(secret).lower(),
        json.dumps(secret)[1:-1], repr(secret)[1:-1],
        base64.b64encode(f"{secret}:".encode()).decode(),
    }  # fmt: skip
    for form in forms:
        said = redacted(f"<{form}>")
        assert form not in said or form in f"<{STARS}>", form


@settings(max_examples=200, deadline=None)
@given(password=SECRET, encoded=st.booleans())
def test_the_password_of_a_known_url_is_starred_alone_and_in_its_url(
    password: str, encoded: bool
) -> None:
    secrets._known.clear()
    written = quote(password, safe="") if encoded else password
    url = f"postgresql://etl:{written}@db.example/wh"
    conceal_url(url)
    for said in (redacted(f"no {url} there"), redacted(f"<{written}>"), redacted(f"<{password}>")):
        assert written not in said or written in STARS
        assert password not in said or password in STARS


@pytest.mark.parametrize("kind", CONFIGURED)
def test_configured_credentials_are_starred(world: World, kind: str) -> None:
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", kind.split()[0])
    world.monkeypatch.setenv(CREDENTIALS, CONFIGURED[kind])
    given_credentials(kind)
    assert "S3CRET" not in redacted(f"the driver says <{CANARY}> and {CONFIGURED[kind]}")


def test_credentials_in_parts_are_starred(world: World) -> None:
    world.monkeypatch.delenv(CREDENTIALS)
    world.monkeypatch.setenv(f"{CREDENTIALS}__PASSWORD", CANARY)
    given_credentials("postgres")
    assert "S3CRET" not in redacted(f"<{CANARY}>")


def test_a_common_word_as_a_secret_does_not_tear_our_own_messages() -> None:
    conceal("wrong")
    assert str(SyncError("the credential is wrong")) == "the credential is wrong"
    assert brief(ValueError("wrong")) == f"ValueError: {STARS}"


def test_errors_behind_ours_are_cleaned_too() -> None:
    conceal(CANARY)
    inner = requests.ConnectionError(ValueError(f"url: /x?q={CANARY}"))
    outer = RuntimeError(f"while asking {CANARY}")
    outer.__cause__ = inner
    outer.url = f"https://u:{CANARY}@x"  # type: ignore[attr-defined]
    assert "S3CRET" not in brief(outer)
    assert "S3CRET" not in f"{outer} {inner} {inner.args} {vars(outer)}"


def test_an_answer_that_echoes_the_key_is_starred(world: World) -> None:
    for source, api in APIS.items():
        world.configure(source, **{SECRET_FIELDS[source]: CANARY})
        _ = Account(api).settings
        error = TransientError(f"the API answered 500 no such key: {CANARY}")
        assert "S3CRET" not in str(error)


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://me:{CANARY}@127.0.0.1:9", f"http://me:{CANARY}@127.0.0.1:port",
        f"http://me:p@{CANARY}@127.0.0.1:9", f"http://me:p/{CANARY}@127.0.0.1:9",
        f"socks5://me:{CANARY}@127.0.0.1:9", f"me:{CANARY}@127.0.0.1:9", f"ftp://{CANARY}@x",
    ],
)  # fmt: skip
def test_a_proxys_password_is_in_no_message(
    world: World, caplog: pytest.LogCaptureFixture, proxy: str
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        world.monkeypatch.delenv(name, raising=False)
    world.monkeypatch.setenv("http_proxy", proxy)
    world.configure("affiliates", base_url="http://api.example.invalid", max_retries=1)
    said: list[str] = []
    try:
        (listing,) = world.sync("affiliates", "coupons", say=said.append).values()
        message = str(listing.error)
        assert "proxy" in message.lower()
    except ConfigurationError as error:
        message = str(error)
        assert "HTTP_PROXY" in message
    assert "S3CRET" not in message + "".join(said) + caplog.text


@pytest.mark.long
def test_dagster_records_no_secret_with_the_errors_behind_ours(world: World) -> None:
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", "postgres")
    world.monkeypatch.setattr("sync_assets.lib.assets.materialize.PAUSE_SECONDS", 0)
    with local_instance(world.folder) as instance:
        runs = DagsterRuns(instance)
        for url in (
            f"postgresql+psycopg2://etl:{CANARY}@no-such-host.invalid/wh",
            f"postgresql://etl:{CANARY}@x@127.0.0.1/wh",
            f"postgresql://etl:{CANARY}@127.0.0.1:9/wh",
        ):
            world.monkeypatch.setenv(CREDENTIALS, url)
            assert not runs.run("affiliates/coupons").success
        told = [str(e) for run in instance.get_runs() for e in instance.all_logs(run.run_id)]
    assert len(told) > 20
    assert "S3CRET" not in "".join(told)
