"""Assets built on the synced ones: each update counts, however the parent was materialized."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData

from sync_assets.lib.automation.conditions import on_each_update
from sync_assets_tests.support.run_tags import range_tags

PARTITIONS = dg.DynamicPartitionsDefinition(name="promotions")
ORDERS, LISTS = dg.AssetKey("orders"), dg.AssetKey("participations")


class SyncConfig(dg.Config):
    """Which partitions a run is over, and which of them fail."""

    keys: list[str] = []
    failing: list[str] = []


@dg.asset(key=ORDERS)
def orders() -> None:
    pass


@dg.multi_asset(
    specs=[dg.AssetSpec(LISTS, skippable=True)], partitions_def=PARTITIONS, can_subset=True
)
def participations(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Materialized as ours are: list by list, and the run is red in the end if one failed."""
    report(context, context.partition_keys, config.failing)
    yield from ()


@dg.op
def sync(context: dg.OpExecutionContext, config: SyncConfig) -> None:
    for key in config.keys:
        plan(context.instance, context.run, LISTS, key)
    report(context, config.keys, config.failing)


@dg.job
def refresh() -> None:
    """A named job, whose keys stand in the run config and not in tags."""
    sync()


def report(context: Any, keys: Sequence[str], failing: Sequence[str]) -> None:
    for key in keys:
        if key not in failing:
            context.log_event(dg.AssetMaterialization(LISTS, partition=key))
    if failing:
        raise dg.Failure("a list failed")


def plan(
    instance: dg.DagsterInstance, run: dg.DagsterRun, asset: dg.AssetKey, key: str | None = None
) -> None:
    """Say that a run is going to materialize something."""
    event = dg.DagsterEvent.build_asset_materialization_planned_event(
        job_name=run.job_name,
        step_key="any",
        asset_materialization_planned_data=AssetMaterializationPlannedData(asset, partition=key),
    )
    instance.report_dagster_event(event, run_id=run.run_id)


def built_on(name: str, condition: Any, below: Sequence[dg.AssetKey], **options: Any) -> Any:
    @dg.asset(name=name, deps=list(below), automation_condition=condition, **options)  # type: ignore[untyped-decorator]
    def built() -> None:
        pass

    return built


def definitions(condition: Any) -> dg.Definitions:
    """Three assets of a user, with the same condition."""
    built = [
        built_on("by_promotion", condition, [LISTS], partitions_def=PARTITIONS),
        built_on("of_all_promotions", condition, [LISTS]),
        built_on("of_orders", condition, [ORDERS]),
    ]
    return dg.Definitions(assets=[orders, participations, *built], jobs=[refresh])


@dataclass
class Automation:
    """An instance, the assets, and what the sensor remembers."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    cursor: Any = None

    def tick(self) -> dict[str, Any]:
        """Evaluate all conditions; gives what is requested: partition keys, or True."""
        result = dg.evaluate_automation_conditions(
            defs=self.definitions,
            instance=self.instance,
            asset_selection=dg.AssetSelection.all(),
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        requested = {}
        for one in result.results:
            subset = one.true_subset
            if not subset.is_empty:
                keys = subset.expensively_compute_partition_keys() if subset.is_partitioned else ()
                requested[one.key.to_user_string()] = sorted(keys) or True
        return requested

    def handle(self, requested: dict[str, Any]) -> None:
        """Run what was requested."""
        for name, keys in requested.items():
            for key in [None] if keys is True else keys:
                self.update(dg.AssetKey(name), key)

    def settle(self) -> None:
        """Run what is requested until nothing is."""
        while requested := self.tick():
            self.handle(requested)

    def update(self, asset: dg.AssetKey, key: str | None = None) -> None:
        """Materialize an asset, in no matter which run."""
        self.instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))

    def run_range(self, *keys: str, failing: Sequence[str] = ()) -> None:
        """As a backfill or a person's selection does: range tags."""
        self.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=[LISTS],
            tags=range_tags(keys),
            run_config={"ops": {"participations": {"config": {"failing": list(failing)}}}},
            raise_on_error=False,
        )

    def run_job(self, *keys: str, failing: Sequence[str] = ()) -> None:
        """As a named job does: keys in the run config, no tags."""
        config = {"keys": list(keys), "failing": list(failing)}
        self.definitions.resolve_job_def("refresh").execute_in_process(
            instance=self.instance,
            run_config={"ops": {"sync": {"config": config}}},
            raise_on_error=False,
        )

    def begin(self, asset: dg.AssetKey) -> dg.DagsterRun:
        """A run that is under way."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        run = self.instance.create_run_for_job(
            job, asset_selection=frozenset({asset}), status=dg.DagsterRunStatus.STARTED
        )
        plan(self.instance, run, asset)
        return run


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance that has never run anything."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def filled(condition: Any, instance: dg.DagsterInstance) -> Automation:
    """Everything was materialized: a, b and c, and what is built on them."""
    made = Automation(definitions(condition), instance)
    made.instance.add_dynamic_partitions("promotions", list("abc"))
    for asset in (ORDERS, dg.AssetKey("of_orders"), dg.AssetKey("of_all_promotions")):
        made.update(asset)
    for key in "abc":
        made.update(LISTS, key)
        made.update(dg.AssetKey("by_promotion"), key)
    made.settle()
    return made


@pytest.fixture
def ours(instance: dg.DagsterInstance) -> Automation:
    return filled(on_each_update(), instance)


def test_what_was_there_before_is_requested_once(instance: dg.DagsterInstance) -> None:
    fresh = Automation(definitions(on_each_update()), instance)
    fresh.instance.add_dynamic_partitions("promotions", list("abcd"))
    assert fresh.tick() == {}
    fresh.run_range("a", "b")
    fresh.cursor = None  # as if the sensor were switched on now
    requested = fresh.tick()
    assert requested == {"by_promotion": ["a", "b"], "of_all_promotions": True}
    fresh.handle(requested)
    assert fresh.tick() == {}


@pytest.mark.parametrize("way", [Automation.run_range, Automation.run_job])
def test_a_run_counts_for_the_lists_that_it_loaded(
    ours: Automation, way: Callable[..., None]
) -> None:
    way(ours, "a", "b", failing=["b"])
    requested = ours.tick()
    assert requested == {"by_promotion": ["a"], "of_all_promotions": True}
    ours.handle(requested)
    assert ours.tick() == {}
    way(ours, "b")  # a retry
    assert ours.tick() == {"by_promotion": ["b"], "of_all_promotions": True}


@pytest.mark.parametrize("way", [Automation.run_range, Automation.run_job])
def test_a_new_partition_is_requested_once_its_list_is_there(
    ours: Automation, way: Callable[..., None]
) -> None:
    ours.instance.add_dynamic_partitions("promotions", ["d", "never"])
    assert ours.tick() == {}
    way(ours, "d")
    assert ours.tick() == {"by_promotion": ["d"], "of_all_promotions": True}


def test_a_run_in_progress_is_waited_for(ours: Automation) -> None:
    job = ours.definitions.resolve_job_def("refresh")
    run = ours.instance.create_run_for_job(
        job, run_config={"ops": {"sync": {}}}, status=dg.DagsterRunStatus.STARTED
    )
    plan(ours.instance, run, LISTS, "a")
    ours.run_range("b")
    assert ours.tick() == {"by_promotion": ["b"]}
    ours.handle({"by_promotion": ["b"]})
    ours.instance.report_run_canceled(run)
    assert ours.tick() == {"of_all_promotions": True}


def update_before_the_next_tick(one: Automation) -> dict[str, Any]:
    one.update(ORDERS)
    requested = one.tick()
    one.update(ORDERS)
    one.handle(requested)
    return one.tick()


def update_while_the_asset_is_in_progress(one: Automation) -> dict[str, Any]:
    one.update(ORDERS)
    assert one.tick() == {"of_orders": True}
    run = one.begin(dg.AssetKey("of_orders"))
    one.tick()
    one.update(ORDERS)
    assert one.tick() == {}
    one.instance.report_runless_asset_event(dg.AssetMaterialization("of_orders"))
    one.instance.report_run_canceled(run)
    return one.tick()


def update_in_the_tick_in_which_the_asset_is_done(one: Automation) -> dict[str, Any]:
    one.update(dg.AssetKey("of_orders"))
    one.update(ORDERS)
    return one.tick()


STORIES = [
    update_before_the_next_tick,
    update_while_the_asset_is_in_progress,
    update_in_the_tick_in_which_the_asset_is_done,
]


@pytest.mark.parametrize("story", STORIES)
def test_no_update_is_lost(ours: Automation, story: Callable[[Automation], Any]) -> None:
    requested = story(ours)
    assert requested == {"of_orders": True}
    ours.handle(requested)
    assert ours.tick() == {}


@pytest.mark.long
def test_dagsters_own_condition_loses_updates(instance: dg.DagsterInstance) -> None:
    theirs = filled(dg.AutomationCondition.eager(), instance)
    assert [story(theirs) for story in STORIES] == [{}, {}, {}]
    theirs.instance.add_dynamic_partitions("promotions", ["never"])
    theirs.run_range("a")
    assert theirs.tick() == {"by_promotion": ["a"]}  # not `of_all_promotions`
