"""What the environment holds for all programs: proxies and certificates count, .netrc does not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from sync_assets.sources.rest.http.proxies import environment, is_loopback
from sync_assets_tests.support.fake_api import AUTHORIZATION, FakeApi
from sync_assets_tests.support.world import World

DEAD = "http://127.0.0.1:9"
PROXIES: dict[str, dict[str, str]] = {
    "http_proxy": {"http_proxy": DEAD},
    "HTTP_PROXY": {"HTTP_PROXY": DEAD},
    "all_proxy": {"all_proxy": DEAD},
    "ALL_PROXY": {"ALL_PROXY": DEAD},
    "a no_proxy for others": {"http_proxy": DEAD, "no_proxy": "example.com"},
    "a SOCKS proxy": {"all_proxy": "socks5h://127.0.0.1:9"},
    "a proxy that is none": {"http_proxy": "http://user:p@ss@[::1"},
}
NETRCS: dict[str, str] = {
    "a default entry": "default login robot password netrc-secret\n",
    "the host": "machine 127.0.0.1 login robot password netrc-secret\n",
    "no file of this kind": "machine machine machine\n\0",
}


@pytest.fixture
def bare(world: World) -> World:
    """A world whose environment names no proxy and no certificates."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        world.monkeypatch.delenv(name, raising=False)
        world.monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        world.monkeypatch.delenv(name, raising=False)
    world.api.lists["/promotions"] = [{"id": str(n)} for n in range(5)]
    return world


@pytest.fixture
def proxy() -> Iterator[FakeApi]:
    """A proxy that plays the API of whatever host it is asked for."""
    with FakeApi().running() as playing:
        playing.lists["/promotions"] = [{"id": "7"}]
        yield playing


@pytest.mark.parametrize(
    "name",
    [
        name if name == "ALL_PROXY" else pytest.param(name, marks=pytest.mark.long)
        for name in PROXIES
    ],
)
def test_what_is_on_this_machine_is_reached_directly(bare: World, name: str) -> None:
    for variable, value in PROXIES[name].items():
        bare.monkeypatch.setenv(variable, value)
    found = bare.sync("promotions", "promotions")["promotions"]
    assert (found.error, found.rows) == (None, 5)


@pytest.mark.long
def test_the_sandbox_is_reached_directly(bare: World) -> None:
    bare.monkeypatch.setenv("http_proxy", DEAD)
    bare.configure("affiliates", base_url="sandbox")
    found = bare.sync("affiliates", "affiliates")["affiliates"]
    assert found.error is None
    assert found.rows > 0


@pytest.mark.parametrize(
    "variable",
    ["http_proxy", *(pytest.param(n, marks=pytest.mark.long) for n in ("all_proxy", "HTTP_PROXY"))],
)
def test_what_is_elsewhere_is_asked_through_the_proxy(
    bare: World, proxy: FakeApi, variable: str
) -> None:
    if variable == "HTTP_PROXY":
        bare.monkeypatch.delenv("REQUEST_METHOD", raising=False)
    bare.monkeypatch.setenv(variable, proxy.address)
    bare.configure("promotions", base_url="http://api.example.test/promo/v2")
    found = bare.sync("promotions", "promotions")["promotions"]
    assert (found.error, found.rows) == (None, 1)
    assert proxy.seen[0].headers["host"] == "api.example.test"
    assert bare.api.seen == []


def test_no_proxy_names_hosts_that_are_asked_directly(bare: World, proxy: FakeApi) -> None:
    bare.monkeypatch.setenv("http_proxy", proxy.address)
    bare.monkeypatch.setenv("no_proxy", ".example.test")
    bare.configure("promotions", base_url="http://api.example.test/promo/v2", max_retries=0)
    found = bare.sync("promotions", "promotions")["promotions"]
    assert found.error is not None
    assert proxy.seen == []


def test_proxies_and_certificates_of_the_environment_are_taken(bare: World) -> None:
    bare.monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    bare.monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ours.pem")
    found = environment("https://api.example.com/v1")
    assert found["proxies"]["https"] == "http://proxy.example.com:3128"
    assert found["verify"] == "/etc/ours.pem"
    assert environment("https://localhost:1/v1")["verify"] == "/etc/ours.pem"
    assert environment("https://localhost:1/v1")["proxies"] == {}


def test_loopback_is_what_no_packet_leaves() -> None:
    here = ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "localhost", "a.localhost"]
    there = ["10.0.0.1", "::2", "localhost.example.com", "127.0.0.1.example.com", "", "192.168.0.1"]
    assert [is_loopback(host) for host in here + there] == [True] * 6 + [False] * 6


@pytest.mark.parametrize(
    ("name", "is_named", "code"),
    [
        case
        if case in (("a default entry", False, 302), ("the host", True, None))
        else pytest.param(*case, marks=pytest.mark.long)
        for case in product(NETRCS, (True, False), (None, 301, 302, 303, 307, 308))
    ],
)
def test_netrc_changes_nothing_that_is_sent(
    bare: World, tmp_path: Path, name: str, is_named: bool, code: int | None
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    netrc = home / (".netrc" if not is_named else "other")
    netrc.write_text(NETRCS[name])
    netrc.chmod(0o600)
    bare.monkeypatch.setenv("HOME", str(home))
    if is_named:
        bare.monkeypatch.setenv("NETRC", str(netrc))
    if code is not None:
        place = {"Location": f"{bare.api.base_url('promotions')}/promotions?next_cursor=1"}
        bare.api.fail("/promotions", page=1, times=1, status=code, headers=place)
    found = bare.sync("promotions", "promotions")["promotions"]
    assert (found.error, found.rows) == (None, 5)
    sent = {seen.headers.get("authorization") for seen in bare.api.seen}
    assert sent == {AUTHORIZATION["promotions"]}
    assert len(bare.api.seen) == (2 if code is None else 3)


FAULTS: dict[str, str] = {
    **{f"proxies in the environment: {name}": "loopback is reached directly" for name in PROXIES},
    **{f".netrc, also after a redirect: {name}": "our credential is sent" for name in NETRCS},
}
