"""Heads: what is new of a long list, by a request or two, where its order was seen to allow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sync_assets.base.times import parse_time
from sync_assets.cli import main
from sync_assets.lib.assets.results import materialization
from sync_assets.sources import events
from sync_assets.sources.rest.list_result import ListResult
from sync_assets_tests.support.world import World

PAGE = 3


class Orders:
    """The list of orders, newest first, and what syncs make of it."""

    def __init__(self, world: World) -> None:
        self.world, self.newest = world, 0
        self.path, self.source, self.resource = "/orders", "events", "orders"
        self.parents: dict[str, list[str]] | None = None
        world.api.lists[self.path] = []
        world.api.page_size = PAGE
        world.configure("events", HEADS_FROM_PAGES=3)
        world.configure("promotions", HEADS_FROM_PAGES=3)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What the API lists."""
        return self.world.api.lists[self.path]

    def sell(self, count: int = 1, at: int = 0) -> None:
        """More orders, in front or after so many."""
        for _ in range(count):
            self.newest += 1
            self.rows.insert(at, {"id": f"or_{self.newest}", "status": "completed"})

    def earn(self) -> None:
        """Let the list earn heads: a first sweep, and two that see new rows in front."""
        self.sell(4 * PAGE)
        for _ in range(2):
            self.sweep()
            self.sell()
        self.sweep()

    def sync(self, read: Any, **options: Any) -> ListResult:
        """One sync of the list alone."""
        self.world.api.seen.clear()
        found = self.world.sync(
            self.source, self.resource, parents=self.parents, read=read, **options
        )
        (listing,) = found.values()
        return listing

    def sweep(self, **options: Any) -> ListResult:
        """A sweep, after which the table is what the API lists."""
        listing = self.sync("sweep", **options)
        assert listing.error is None
        assert not listing.is_head
        assert self.held() == sorted(row["id"] for row in self.rows)
        return listing

    def head(self, **options: Any) -> ListResult:
        """A sync by heads."""
        return self.sync("heads", **options)

    def held(self) -> list[str]:
        """The ids in the table."""
        return sorted(self.world.ids(f"{self.source}.{self.resource}"))

    @property
    def requests(self) -> int:
        """How many the last sync took of the list."""
        return len(self.world.api.asked(self.path))

    def known(self) -> dict[str, Any]:
        """What `_syncs` says of the list."""
        (row,) = self.world.query(
            f"SELECT * FROM {self.source}._syncs WHERE resource = ?"  # noqa: S608 - our names
            " AND synced_at IS NOT NULL",
            self.resource,
        )
        return row


@pytest.fixture
def orders(world: World) -> Orders:
    """A list that has not been read yet."""
    return Orders(world)


def test_a_head_takes_one_request_where_nothing_is_new_and_two_for_a_few_rows(
    orders: Orders,
) -> None:
    orders.earn()
    nothing = orders.head()
    assert (orders.requests, nothing.is_head, nothing.rows_added) == (1, True, 0)
    orders.sell(2)
    few = orders.head()
    assert (orders.requests, few.is_head, few.rows_added, few.rows_changed) == (2, True, 2, 0)
    assert few.rows == len(orders.rows)
    assert orders.held() == sorted(row["id"] for row in orders.rows)
    told = materialization(events.API, few, alone=True).metadata
    assert told is not None
    assert (told["read"], told["rows"], told["rows_added"]) == ("head", len(orders.rows), 2)
    assert "missed_by_heads" not in told


@pytest.mark.long
def test_a_head_updates_what_it_reads_and_deletes_nothing(orders: Orders) -> None:
    orders.earn()
    gone = orders.rows.pop(1)["id"]
    orders.rows[0]["status"] = orders.rows[-1]["status"] = "cancelled"
    head = orders.head()
    assert (head.rows_added, head.rows_changed, head.rows_deleted) == (0, 1, 0)
    held = {row["id"]: row["status"] for row in orders.world.rows("events.orders")}
    assert held[orders.rows[0]["id"]] == "cancelled"
    assert held[orders.rows[-1]["id"]] == "completed"
    assert gone in held
    sweep = orders.sweep()
    assert (sweep.rows_added, sweep.rows_deleted) == (0, 1)


@pytest.mark.long
def test_a_head_moves_its_own_clock_alone(orders: Orders) -> None:
    orders.earn()
    before = orders.known()
    orders.sell()
    head = orders.head()
    after = orders.known()
    assert after["fresh_at"] == head.read_at.isoformat() > before["fresh_at"]
    assert str(head.proven_at) == str(parse_time(before["proven_at"]))
    unmoved = ("synced_at", "proven_at", "pages", "requests", "sweeps_in_order", "missing_fields")
    assert [after[name] for name in unmoved] == [before[name] for name in unmoved]
    assert (after["rows"], after["rows_added"], after["head_pages"]) == (len(orders.rows), 1, 2)


@pytest.mark.long
def test_two_sweeps_that_see_new_rows_in_front_alone_earn_heads(orders: Orders) -> None:
    orders.sell(4 * PAGE)
    assert not orders.head().is_head
    assert not orders.head().is_head, "nothing new was seen"
    for _ in range(2):
        orders.sell()
        assert not orders.head().is_head
    assert orders.head().is_head


@pytest.mark.long
def test_rows_behind_the_reach_of_a_head_are_counted_and_end_heads(orders: Orders) -> None:
    orders.earn()
    orders.sell(at=8)
    orders.sell(at=len(orders.rows))
    head = orders.head()
    assert head.is_head
    assert orders.held() != sorted(row["id"] for row in orders.rows)
    sweep = orders.sweep()
    assert (sweep.missed_by_heads, sweep.rows_added) == (2, 2)
    for _ in range(2):
        orders.sell()
        assert not orders.head().is_head
    assert orders.head().is_head


@pytest.mark.long
def test_one_row_of_many_that_comes_elsewhere_does_not_end_heads(orders: Orders) -> None:
    orders.earn()
    for _ in range(2):
        orders.sell(3 * PAGE + 1)
        assert orders.head().is_head
    orders.sell(at=len(orders.rows))
    assert orders.sweep().missed_by_heads == 1
    assert orders.head().is_head
    orders.sell(at=len(orders.rows))
    assert orders.sweep().missed_by_heads == 1
    assert not orders.head().is_head


@pytest.mark.long
def test_a_list_whose_new_rows_come_last_is_always_swept(orders: Orders) -> None:
    orders.sell(4 * PAGE)
    orders.sweep()
    for _ in range(4):
        orders.sell(at=len(orders.rows))
        listing = orders.head()
        assert (listing.is_head, listing.missed_by_heads) == (False, 1)


@pytest.mark.long
def test_a_short_list_is_always_swept(orders: Orders) -> None:
    orders.world.configure("events", HEADS_FROM_PAGES=6)
    orders.earn()
    orders.sell()
    assert not orders.head().is_head


INCONCLUSIVE: dict[str, tuple[Callable[[Orders], object], str]] = {
    "no page without news": (lambda orders: orders.sell(6 * PAGE), "no page without news"),
    "a value of another type": (
        lambda orders: orders.rows[0].update(total="much"),
        "cannot be loaded as declared",
    ),
    "a record without its key": (
        lambda orders: [row.pop("id") for row in orders.rows[:1]],
        "cannot be loaded as declared",
    ),
    "a list that became short": (
        lambda orders: orders.rows.__setitem__(slice(1, None), [{"id": "or_x"}]),
        "the list ends",
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("what", INCONCLUSIVE)
def test_a_head_that_proves_nothing_is_followed_by_a_sweep(orders: Orders, what: str) -> None:
    orders.earn()
    change, said = INCONCLUSIVE[what]
    change(orders)
    told: list[str] = []
    listing = orders.head(say=told.append)
    assert not listing.is_head
    assert listing.error is None
    assert any(said in one and "due for a sweep" in one for one in told), told
    ids = sorted(row["id"] for row in orders.rows if "id" in row)
    assert orders.held() == ids


@pytest.mark.long
def test_an_emptied_list_is_decided_by_its_sweep(orders: Orders) -> None:
    orders.earn()
    held = orders.held()
    orders.rows.clear()
    assert "allow_empty" in str(orders.head().error)
    assert orders.held() == held
    assert orders.head(allow_empty=True).error is None
    assert orders.held() == []


@pytest.mark.long
def test_a_head_that_fails_leaves_all_as_it_was(orders: Orders) -> None:
    orders.earn()
    before, held = orders.known(), orders.held()
    orders.sell(PAGE)
    orders.world.api.fail("/orders", page=2, status=500)
    failed = orders.head()
    assert "page 2" in str(failed.error)
    assert orders.held() == held
    after = orders.known()
    assert after["failures"] == 1
    assert after["fresh_at"] == before["fresh_at"]
    orders.world.api.heal()
    assert orders.head().is_head
    assert (orders.known()["failures"], orders.known()["error"]) == (0, None)


@pytest.mark.long
def test_a_new_field_gets_its_column_and_is_told(orders: Orders) -> None:
    orders.earn()
    orders.sell()
    orders.rows[0]["colour"] = "red"
    assert orders.head().is_head
    (row,) = (row for row in orders.world.rows("events.orders") if "colour" in row)
    assert (row["id"], row["colour"]) == (orders.rows[0]["id"], "red")
    assert "colour" in orders.known()["new_fields"]


class Users(Orders):
    """The users of one promotion; those of another have the same ids."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.path, self.source, self.resource = "/users/1", "promotions", "users"
        self.parents = {"promotions": ["1"]}
        world.api.lists[self.path] = []

    def held(self) -> list[str]:
        """The ids below this promotion."""
        return sorted(
            row["id"] for row in self.world.rows("promotions.users") if row["promotion_id"] == "1"
        )


@pytest.mark.long
def test_heads_below_one_parent_leave_rows_of_another_alone(world: World) -> None:
    users = Users(world)
    world.api.lists["/users/2"] = [{"id": f"or_{n}", "first_name": "other"} for n in range(9)]
    world.sync("promotions", "users", parents={"promotions": ["2"]})
    users.earn()
    users.sell(2)
    assert users.head().rows_added == 2
    assert users.held() == sorted(row["id"] for row in users.rows)
    other = [row for row in world.rows("promotions.users") if row["promotion_id"] == "2"]
    assert [row["first_name"] for row in other] == ["other"] * 9


@pytest.mark.long
def test_heads_and_sweeps_of_one_sync_go_to_one_table(world: World) -> None:
    users = Users(world)
    users.earn()
    users.sell()
    world.api.lists["/users/2"] = [{"id": "u"}]
    parents = {"promotions": ["1", "2"]}
    found = world.sync("promotions", "users", parents=parents, read="heads")
    assert {name: one.is_head for name, one in found.items()} == {
        "users of 1": True,
        "users of 2": False,
    }
    assert users.held() == sorted(row["id"] for row in users.rows)
    assert [row["id"] for row in world.rows("promotions.users") if row["promotion_id"] == "2"] == [
        "u"
    ]


@pytest.mark.long
def test_a_list_that_others_are_below_is_always_swept(world: World) -> None:
    orders = Orders(world)
    orders.path, orders.resource = "/vouchers", "vouchers"
    world.api.lists["/vouchers"] = []
    orders.earn()
    orders.sell()
    assert not orders.head().is_head


@pytest.mark.long
def test_a_head_that_was_loaded_during_a_sweep_does_not_fall_back(orders: Orders) -> None:
    orders.earn()
    edited = orders.rows[1]

    def meanwhile(body: Any) -> Any:
        orders.sell(PAGE)
        edited["status"] = "refunded"
        assert orders.head().rows_added == PAGE
        orders.sell(2)
        return body

    orders.world.api.fail("/orders", page=3, times=1, edit=meanwhile)
    told: list[str] = []
    sweep = orders.sweep(say=told.append)
    assert any("a head was loaded while it was read" in one for one in told)
    assert sweep.rows_added == 2
    assert sweep.rows_deleted == sweep.missed_by_heads == 0
    held = {row["id"]: row["status"] for row in orders.world.rows("events.orders")}
    assert held[edited["id"]] == "refunded"
    known = orders.known()
    assert known["fresh_at"] > known["synced_at"] == known["proven_at"]
    assert known["head_pages"] == sweep.renewed_pages == 5


@pytest.mark.long
@pytest.mark.parametrize("fault", [{"status": 500}, {"edit": lambda body: {**body, "data": None}}])
def test_a_sweep_that_cannot_catch_up_with_a_head_fails_and_the_head_stays(
    orders: Orders, fault: dict[str, Any]
) -> None:
    orders.earn()

    def meanwhile(body: Any) -> Any:
        orders.sell()
        assert orders.head().rows_added == 1
        orders.world.api.fail("/orders", page=1, **fault)
        return body

    orders.world.api.fail("/orders", page=3, times=1, edit=meanwhile)
    assert "orders, page 1" in str(orders.sync("sweep").error)
    assert orders.held() == sorted(row["id"] for row in orders.rows)
    orders.world.api.heal()
    orders.sweep()


@pytest.mark.long
def test_a_head_is_not_loaded_after_a_sweep_that_was_loaded_meanwhile(orders: Orders) -> None:
    orders.earn()
    orders.sell(PAGE)

    def meanwhile(body: Any) -> Any:
        orders.rows[0]["status"] = "refunded"
        orders.sweep()
        return body

    orders.world.api.fail("/orders", page=2, times=1, edit=meanwhile)
    told: list[str] = []
    orders.world.sync("events", "orders", read="heads", say=told.append)
    assert any("another sync was loaded meanwhile" in one for one in told), told
    held = {row["id"]: row["status"] for row in orders.world.rows("events.orders")}
    assert held[orders.rows[0]["id"]] == "refunded"


class Coupons(Orders):
    """The list of coupons, whose ids are numbers."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.path, self.source, self.resource = "/v1/coupons", "affiliates", "coupons"
        world.configure("affiliates", HEADS_FROM_PAGES=3)
        world.api.lists.update({self.path: [], "/v1/affiliates": [], "/v1/referrals": []})

    def sell(self, count: int = 1, at: int = 0) -> None:
        """More coupons, in front or after so many."""
        for _ in range(count):
            self.newest += 1
            self.rows.insert(at, {"id": self.newest})


@pytest.mark.long
def test_the_command_line_reads_heads_where_it_is_told_to(world: World) -> None:
    coupons = Coupons(world)
    coupons.earn()
    coupons.sell()
    for arguments, requests in ((["affiliates", "--heads"], 2), (["affiliates"], 5)):
        world.api.seen.clear()
        assert main(arguments) == 0
        assert coupons.requests == requests
        assert len(coupons.held()) == coupons.newest
