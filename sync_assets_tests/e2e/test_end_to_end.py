"""From nothing to twenty tables that equal the account row for row, by runs and sensors alone."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets.sources import apis
from sync_assets_tests.support.dagster_world import (
    PARTITIONED,
    DagsterWorld,
    assert_equal_to_the_account,
    comparable,
    environment,
    expected,
)
from sync_assets_tests.support.instances import local_instance

pytestmark = pytest.mark.long

NOON = 1_795_262_400.0
SMALL = Scale(
    promotions=6, event_series=3, affiliates=30, coupons=30, referrals=60, orders=160, vouchers=4
)
DAY = 86_400.0


class Clock:
    """The account's clock, which stands still until it is moved."""

    now = NOON

    def __call__(self) -> float:
        """The time it shows."""
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    """A clock that the tests move."""
    return Clock()


@pytest.fixture(scope="module")
def synced(clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterWorld]:
    """A whole account, synced once."""
    folder = tmp_path_factory.mktemp("synced")
    account = Account(seed=3, scale=SMALL, clock=clock)
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        Sandbox(account) as sandbox,
        local_instance(folder) as instance,
    ):
        for name, value in environment(sandbox, folder / "warehouse.duckdb").items():
            monkeypatch.setenv(name, value)
        world = DagsterWorld(instance, account, sandbox, folder / "warehouse.duckdb")
        world.sync_everything()
        yield world


def test_a_partition_alone_leaves_the_others_untouched(synced: DagsterWorld, clock: Clock) -> None:
    before = synced.rows("promotions.users")
    clock.now += DAY / 4
    live, *others = synced.account.parents("promotions", "users")
    requests = synced.sandbox.requests
    assert synced.run("promotions/users", partition=live).success
    after = synced.rows("promotions.users")
    assert comparable(r for r in after if r["promotion_id"] in others) == comparable(
        r for r in before if r["promotion_id"] in others
    )
    truth = synced.account.rows("promotions", "users", parent=live)
    assert comparable(r for r in after if r["promotion_id"] == live) == comparable(
        expected(record, promotion_id=live) for record in truth
    )
    assert synced.sandbox.requests - requests == synced.metadata("promotions/users", live)["pages"]


def test_each_materialization_tells_its_figures(synced: DagsterWorld) -> None:
    live = synced.account.parents("promotions", "users")[0]
    users = synced.metadata("promotions/users", live)
    truth = len(synced.account.rows("promotions", "users", parent=live))
    assert users["rows"] == users["dagster/partition_row_count"] == truth
    assert users["pages"] == users["requests"] == -(-truth // 100) or truth == 0
    orders = synced.metadata("events/orders")
    assert orders["rows"] == orders["dagster/row_count"] == 160
    assert orders["requests"] == orders["pages"] == 2
    assert orders["bytes"] > 0
    assert orders["retries"] == orders["quarantined"] == orders["duplicates"] == 0


def test_a_second_sync_of_the_same_moment_changes_nothing(synced: DagsterWorld) -> None:
    assert synced.run("events/orders", "affiliates/coupons").success
    before = {table: synced.rows(table) for table in ("events.orders", "affiliates.coupons")}
    assert synced.run("events/orders", "affiliates/coupons").success
    for table, rows in before.items():
        assert comparable(synced.rows(table)) == comparable(rows)


def test_a_code_list_is_read_below_the_vouchers_of_the_same_sync(synced: DagsterWorld) -> None:
    before = synced.sandbox.requests_by_path()["/events/v1/vouchers"]
    assert synced.run("events/vouchers", "events/vouchers_codes").success
    assert synced.sandbox.requests_by_path()["/events/v1/vouchers"] == before + 1


def test_parent_and_children_run_together(synced: DagsterWorld) -> None:
    key = synced.account.parents("promotions", "users")[0]
    run = synced.run("promotions/promotions", "promotions/stages", partition=key)
    assert run.success
    made = run.get_asset_materialization_events()
    done = {str(event.asset_key and event.asset_key.to_user_string()) for event in made}
    assert done == {"promotions/promotions", "promotions/stages"}


def test_every_table_equals_the_account(synced: DagsterWorld, clock: Clock) -> None:
    clock.now = NOON
    everything = [
        f"{name}/{table}" for name, api in apis().items() for table in api.unpartitioned()
    ]
    assert synced.run(*everything).success
    for partitions, (source, resources) in PARTITIONED.items():
        assert synced.run_range(partitions, *(f"{source}/{name}" for name in resources)).success
    assert_equal_to_the_account(synced.account, synced.rows)


def test_two_days_later_new_partitions_have_come_and_old_ones_are_retired(
    synced: DagsterWorld, clock: Clock
) -> None:
    before = set(synced.account.parents("promotions", "users"))
    clock.now = NOON + 2 * DAY
    listed = set(synced.account.parents("promotions", "users"))
    assert before - listed
    assert listed - before
    assert synced.run_tables("promotions").success
    result = synced.tick("promotions_promotions_partitions")
    assert isinstance(result, dg.SensorResult)
    assert set(synced.instance.get_dynamic_partitions("promotions")) == listed | before
    assert synced.run_tables("promotions").success
    synced.tick("promotions_promotions_partitions", result.cursor)
    assert set(synced.instance.get_dynamic_partitions("promotions")) == listed
    (request,) = result.run_requests or []
    assert synced.run_request(request).success
    assert synced.materialized("promotions/users") == listed | before
    users = {row["promotion_id"] for row in synced.rows("promotions.users")}
    assert users >= before - listed
