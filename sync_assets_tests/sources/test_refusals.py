"""A credential that is refused costs a few requests, and a refused record only itself."""

from __future__ import annotations

import pytest

from sync_assets_tests.support.fake_api import Fault
from sync_assets_tests.support.world import World

CHILDREN = ("stages", "users", "participations", "prizes")


def offer(world: World, number: int) -> list[str]:
    """So many promotions, each with a row in some of its lists."""
    parents = [str(n) for n in range(number)]
    world.api.lists["/promotions"] = [{"id": parent} for parent in parents]
    for child in CHILDREN:
        world.api.lists.update({f"/{child}/{parent}": [{"id": "a"}] for parent in parents})
    return parents


@pytest.mark.parametrize("children", [CHILDREN[:1], pytest.param(CHILDREN, marks=pytest.mark.long)])
def test_a_refused_credential_stops_the_source_and_says_so_once(
    world: World, children: tuple[str, ...]
) -> None:
    parents = offer(world, 1_000 // len(children))
    world.api.authorization["promotions"] = "Bearer another"
    said: list[str] = []
    found = world.sync("promotions", *children, parents={"promotions": parents}, say=said.append)
    assert len(found) == 1_000
    assert len(world.api.seen) <= 3 * len(children) + 2 * 8
    errors = [str(listing.error) for listing in found.values()]
    assert all("403" in error and "credential is wrong" in error for error in errors)
    assert len([error for error in errors if "not asked for" in error]) >= 980
    assert len([message for message in said if "nothing more is asked for" in message]) == 1


@pytest.mark.long
def test_a_credential_that_expires_in_mid_sync_stops_it(world: World) -> None:
    parents = offer(world, 200)
    expires = lambda *_: Fault(status=401 if len(world.api.seen) > 20 else 200)  # noqa: E731
    world.monkeypatch.setattr(world.api, "fault", expires)
    world.configure("promotions", max_concurrency=1)
    found = world.sync("promotions", "users", parents={"promotions": parents})
    assert len(world.api.seen) <= 20 + 3
    assert len([1 for listing in found.values() if listing.error is None]) >= 16


@pytest.mark.parametrize(
    ("forbidden", "most"),
    [(5, 1), *(pytest.param(*case, marks=pytest.mark.long) for case in ((1, 1), (1, 8), (5, 8)))],
)
def test_promotions_that_may_not_be_read_stop_no_other(
    world: World, forbidden: int, most: int
) -> None:
    parents = offer(world, 12)
    for parent in parents[:forbidden]:
        for child in CHILDREN:
            world.api.fail(f"/{child}/{parent}", status=403)
    world.configure("promotions", max_concurrency=most)
    found = world.sync("promotions", *CHILDREN, parents={"promotions": parents})
    failed = {listing.parent for listing in found.values() if listing.error}
    assert failed == set(parents[:forbidden])


def test_an_endpoint_that_is_not_allowed_stops_no_other(world: World) -> None:
    parents = offer(world, 12)
    for parent in parents:
        world.api.fail(f"/stages/{parent}", status=403)
    world.configure("promotions", max_concurrency=1)
    found = world.sync("promotions", *CHILDREN, parents={"promotions": parents})
    assert {listing.resource for listing in found.values() if listing.error} == {"stages"}


def test_single_401s_among_answers_stop_nothing(world: World) -> None:
    parents = offer(world, 30)
    for parent in parents[::10]:
        world.api.fail(f"/users/{parent}", status=401)
    world.configure("promotions", max_concurrency=1)
    found = world.sync("promotions", "users", parents={"promotions": parents})
    assert len([1 for listing in found.values() if listing.error]) == 3


FAULTS: dict[str, str] = {
    "401 for each list": "after 3 in a row nothing more is asked for; the others say why",
    "403 for each list": "after 3 parents and the parents' own list nothing more is asked for",
    "403 for some promotions or for one endpoint": "these lists fail, all others are loaded",
}
