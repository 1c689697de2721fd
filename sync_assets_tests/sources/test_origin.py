"""A page that is said to be elsewhere is an error, and no credential leaves the API's origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from sync_assets.sources.rest.list_result import ListResult
from sync_assets_tests.support.fake_api import FakeApi
from sync_assets_tests.support.world import World

#: Where page 2 is said to be: in the next link of page 1, or in the redirect that page 2 answers.
#: `here` and `there` stand for this server's port and for another's.
ODD_LINKS = {
    "another host": ("http://127.0.0.1:{there}{path}?page=2", "another origin"),
    "another name of this host": ("http://localhost:{here}{path}?page=2", "another origin"),
    "another scheme": ("https://127.0.0.1:{here}{path}?page=2", "another origin"),
    "no scheme": ("//127.0.0.1:{there}{path}?page=2", "another origin"),
    "a user in front": ("http://127.0.0.1:{here}@127.0.0.1:{there}{path}", "another origin"),
    "a backslash": ("http://127.0.0.1:{there}\\@127.0.0.1:{here}{path}", "another origin|repeats"),
    "ftp": ("ftp://127.0.0.1{path}", "another origin|InvalidSchema"),
    "no address": ("http://[::1", "Invalid"),
    "no port": ("http://127.0.0.1:99999{path}", "InvalidURL|Port"),
    "no number": ("http://127.0.0.1:port{path}", "InvalidURL|Port"),
    "no host": ("http:///aff{path}", "another origin|InvalidURL|40[34]"),
    "no path": ("/nowhere", "404"),
    "no address at all": ("javascript:alert(1)", "another origin|404"),
    "too long": ("?page=2&x=" + "x" * 70_000, "414|LineTooLong"),
}
WHOLE_TABLES = ("affiliates", "coupons", "referrals")
Fate = tuple[ListResult, list[Any]]


@pytest.fixture(scope="module")
def stranger() -> Iterator[FakeApi]:
    """Another host with plausible pages, which must never be asked."""
    with FakeApi().running() as other:
        for table in WHOLE_TABLES:
            other.lists[f"/v1/{table}"] = [{"id": 1_000 + n, "created_at": 1} for n in range(9)]
        other.lists.update({f"/users/{name}": [{"id": "1000"}] for name in ODD_LINKS})
        yield other


def odd_link(name: str, path: str, here: FakeApi, there: FakeApi) -> str:
    """A link by its name."""
    ports = {"here": here.address.rpartition(":")[2], "there": there.address.rpartition(":")[2]}
    return ODD_LINKS[name][0].format(path=path, **ports)


@pytest.fixture(scope="module")
def strayed(shared: World, stranger: FakeApi) -> dict[str, Fate]:
    """The fate of a whole table, and the ids in it, for each odd next link; three in one sync."""
    api, result = shared.api, {}
    for table in WHOLE_TABLES:
        api.lists[f"/v1/{table}"] = [{"id": n, "created_at": 1} for n in range(5)]
    shared.sync("affiliates", *WHOLE_TABLES)
    names = list(ODD_LINKS)
    for i in range(0, len(names), 3):
        api.heal()
        cases = dict(zip(WHOLE_TABLES, names[i : i + 3], strict=False))
        for table, name in cases.items():
            link = odd_link(name, f"/aff/v1/{table}", api, stranger)
            api.lists[f"/v1/{table}"] = [{"id": 9 + n, "created_at": 1} for n in range(5)]
            api.fail(f"/v1/{table}", page=1, edit=lambda body, link=link: with_link(body, link))
        found = shared.sync("affiliates", *cases)
        result.update({n: (found[t], shared.ids(f"affiliates.{t}")) for t, n in cases.items()})
    api.heal()
    return result


def with_link(body: dict[str, Any], link: str) -> dict[str, Any]:
    """A page whose next page is at a link."""
    return {**body, "links": {"next": link}}


@pytest.fixture(scope="module")
def redirected(shared: World, stranger: FakeApi) -> dict[str, Fate]:
    """The fate of a partition, and the ids in it, for each odd redirect; all in one sync."""
    api = shared.api
    for generation in (0, 1):
        for name in ODD_LINKS:
            path = f"/users/{name}"
            api.lists[path] = [{"id": str(n)} for n in range(5 + generation)]
            place = {"Location": odd_link(name, f"/promo/v2/users/{name}", api, stranger)}
            if generation:
                api.fail(path, page=2, status=302, headers=place)
        found = shared.sync("promotions", "users", parents={"promotions": list(ODD_LINKS)})
    api.heal()
    ids: dict[str, list[Any]] = {name: [] for name in ODD_LINKS}
    for row in shared.rows("promotions.users"):
        ids.get(row["promotion_id"], []).append(int(row["id"]))
    return {name: (found[f"users of {name}"], ids[name]) for name in ODD_LINKS}


@pytest.mark.parametrize("name", ODD_LINKS)
@pytest.mark.parametrize("how", ["strayed", "redirected"])
@pytest.mark.usefixtures("shared")  # before the test begins: it sets the environment
def test_a_page_that_is_elsewhere_is_an_error_and_keeps_the_rows(
    request: pytest.FixtureRequest, how: str, name: str
) -> None:
    listing, ids = request.getfixturevalue(how)[name]
    assert re.match(rf"{listing.name}, page [12] of http://127", listing.error or ""), listing
    assert re.search(ODD_LINKS[name][1], (listing.error or "").partition(": ")[2]), listing.error
    assert ids == [0, 1, 2, 3, 4]
    assert listing.requests <= 3


def test_another_host_is_never_asked(
    strayed: dict[str, Fate], redirected: dict[str, Fate], stranger: FakeApi
) -> None:
    assert len(strayed) == len(redirected) == len(ODD_LINKS)
    assert stranger.seen == []


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_takes_a_credential_away(world: World, elsewhere: FakeApi, code: int) -> None:
    world.api.lists["/promotions"] = elsewhere.lists["/promotions"] = [{"id": "1"}] * 5
    place = f"{elsewhere.base_url('promotions')}/promotions"
    world.api.fail("/promotions", page=1, status=code, headers={"Location": place})
    with pytest.raises(Exception, match="another origin"):
        world.read("promotions", "promotions")
    assert elsewhere.seen == []


def test_a_redirect_within_the_origin_is_followed(world: World) -> None:
    world.api.lists["/promotions"] = [{"id": str(n)} for n in range(5)]
    place = f"{world.api.base_url('promotions')}/promotions?next_cursor=2"
    world.api.fail("/promotions", page=1, times=1, status=302, headers={"Location": place})
    assert [row["id"] for row in world.read("promotions", "promotions")] == ["3", "4"]


def test_a_redirect_in_a_circle_ends(world: World) -> None:
    world.api.lists["/promotions"] = [{"id": str(n)} for n in range(5)]
    world.api.fail("/promotions", status=302, headers={"Location": "/promo/v2/promotions"})
    with pytest.raises(Exception, match="TooManyRedirects"):
        world.read("promotions", "promotions")
    assert len(world.api.seen) <= 31


def test_a_redirect_that_leads_to_a_failure_is_tried_as_often_as_any_request(world: World) -> None:
    world.api.lists["/promotions"] = [{"id": "1"}]
    world.api.fail("/promotions", status=302, headers={"Location": "/promo/v2/stages/1"})
    world.api.fail("/stages/1", status=500)
    with pytest.raises(Exception, match=r"promotions, page 1 .* 500"):
        world.read("promotions", "promotions")
    assert [seen.path for seen in world.api.seen] == ["/promotions", "/stages/1"] * 2
