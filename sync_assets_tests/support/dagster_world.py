"""A real Dagster instance over a sandbox whose clock the test moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from sync_assets.base import times
from sync_assets.definitions import defs
from sync_assets.sandbox import SECRETS, Account, Sandbox
from sync_assets.sources import apis
from sync_assets_tests.support.instances import keep_cursor
from sync_assets_tests.support.run_tags import range_tags

SECRET_FIELDS = {"promotions": "BEARER_TOKEN", "affiliates": "API_KEY", "events": "API_KEY"}
LOADED = defs()
PARTITIONED = {
    "promotions": ("promotions", ["stages", "users", "participations", "prizes", "rankings"]),
    "event_series": ("events", ["events", "waitlists"]),
}

PARTITION_SENSOR = "promotions_promotions_partitions"


def environment(sandbox: Sandbox, warehouse: Path) -> dict[str, str]:
    """The variables that point the project at a running sandbox as if it were a live account."""
    values = {
        "DESTINATION__WAREHOUSE__DESTINATION_TYPE": "duckdb",
        "DESTINATION__WAREHOUSE__CREDENTIALS": str(warehouse),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    for source, secret in SECRETS.items():
        values[f"SOURCES__{source}__BASE_URL".upper()] = sandbox.base_url(source)
        values[f"SOURCES__{source}__{SECRET_FIELDS[source]}".upper()] = secret
        values[f"SOURCES__{source}__REQUESTS_PER_MINUTE".upper()] = "0"
    return values


@dataclass
class DagsterRuns:
    """A real Dagster instance, and what its daemon and its users do."""

    instance: dg.DagsterInstance
    definitions: dg.Definitions = field(default=LOADED, kw_only=True)

    def run(
        self,
        *assets: str,
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Run assets given as `source/resource`; failures are in the result."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            asset_selection=[dg.AssetKey(asset.split("/")) for asset in assets],
            instance=self.instance,
            partition_key=partition,
            tags=dict(tags or {}),
            run_config=dict(config or {}),
            raise_on_error=False,
        )

    def run_tables(self, source: str) -> dg.ExecuteInProcessResult:
        """Run the unpartitioned assets of a source."""
        graph = self.definitions.resolve_asset_graph()
        return self.run(
            *(
                key.to_user_string()
                for key in graph.get_all_asset_keys()
                if key.path[0] == source and graph.get(key).partitions_def is None
            )
        )

    def first_sync(self) -> None:
        """Sync the promotions, let the sensor make the partitions, and do what it requests."""
        assert self.run("promotions/promotions", "promotions/organizing_brands").success
        result = self.tick(PARTITION_SENSOR)
        assert isinstance(result, dg.SensorResult)
        (request,) = result.run_requests or []
        assert self.run_request(request).success

    def run_range(
        self, partitions: str, *assets: str, tags: Mapping[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run all partitions of a definition in one run."""
        keys = self.instance.get_dynamic_partitions(partitions)
        return self.run(*assets, tags={**range_tags(keys), **(tags or {})})

    def tick(self, sensor: str, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
        """Evaluate a sensor, apply the partitions it asks for, and keep its cursor for others.

        The next tick has the cursor that its caller gives it.
        """
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            repository_def=self.definitions.get_repository_def(),
        )
        result: Any = self.definitions.resolve_sensor_def(sensor)(context)
        for change in getattr(result, "dynamic_partitions_requests", None) or []:
            if isinstance(change, dg.AddDynamicPartitionsRequest):
                self.instance.add_dynamic_partitions(
                    change.partitions_def_name, list(change.partition_keys)
                )
                continue
            for key in change.partition_keys:
                self.instance.delete_dynamic_partition(change.partitions_def_name, key)
        for event in getattr(result, "asset_events", None) or []:
            self.instance.report_runless_asset_event(event)
        if getattr(result, "cursor", None):
            keep_cursor(self.instance, sensor, result.cursor)
        found: dg.SensorResult | dg.SkipReason = result
        return found

    def schedule(self, name: str) -> list[dg.RunRequest]:
        """What a schedule requests now."""
        context = dg.build_schedule_context(
            instance=self.instance, scheduled_execution_time=times.now()
        )
        data = self.definitions.resolve_schedule_def(name).evaluate_tick(context)
        return list(data.run_requests or [])

    def check(self, asset: str, check: str) -> dg.AssetCheckEvaluation:
        """The newest evaluation of a check."""
        key = dg.AssetCheckKey(dg.AssetKey(asset.split("/")), check)
        log = self.instance.event_log_storage
        record = log.get_latest_asset_check_execution_by_key([key])[key]
        assert record.event is not None
        assert record.event.dagster_event is not None
        return record.event.dagster_event.asset_check_evaluation_data

    def run_request(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """Run what a sensor or schedule requested."""
        job = self.definitions.resolve_job_def(str(request.job_name))
        return job.execute_in_process(
            asset_selection=list(request.asset_selection) if request.asset_selection else None,
            instance=self.instance,
            tags={k: v for k, v in request.tags.items() if not k.startswith("dagster/")},
            run_config=request.run_config,
            raise_on_error=False,
        )

    def begin(
        self, assets: frozenset[dg.AssetKey], tags: dict[str, str], status: dg.DagsterRunStatus
    ) -> None:
        """A run that is under way elsewhere."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        self.instance.create_run_for_job(job, asset_selection=assets, tags=tags, status=status)

    def materialized(self, asset: str) -> set[str]:
        """The partitions an asset was ever materialized for."""
        return self.instance.get_materialized_partitions(dg.AssetKey(asset.split("/")))

    def metadata(self, asset: str, partition: str | None = None) -> dict[str, Any]:
        """The metadata of an asset's newest materialization."""
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(
                dg.AssetKey(asset.split("/")), asset_partitions=[partition] if partition else None
            ),
            limit=1,
        ).records
        found = records[0].asset_materialization
        assert found is not None
        return {key: value.value for key, value in found.metadata.items()}

    def failure(self, run: dg.ExecuteInProcessResult) -> str:
        """What a failed run tells its reader first."""
        failed = [event for event in run.all_events if event.is_step_failure]
        assert failed, "the run did not fail"
        data = failed[0].step_failure_data
        return str(data.user_failure_data.description if data.user_failure_data else data.error)


def lists_of(request: dg.RunRequest) -> list[dict[str, list[str]]]:
    """The resources and keys that the config of a request names, group by group."""
    return [
        one
        for op in request.run_config.get("ops", {}).values()
        for one in op["config"].get("lists", [])
    ]


def keys_of(request: dg.RunRequest) -> list[str]:
    """The partitions that a request is for."""
    return [key for one in lists_of(request) for key in one["keys"]]


def resources_of(request: dg.RunRequest) -> set[str]:
    """The resources that a request is for."""
    below = {name for one in lists_of(request) for name in one["resources"]}
    return below | {asset.path[-1] for asset in request.asset_selection or []}


@dataclass
class DagsterWorld(DagsterRuns):
    """An instance, the account it syncs, and the warehouse it fills."""

    account: Account
    sandbox: Sandbox
    warehouse: Path

    def sync_everything(self) -> None:
        """Parents, then sensors, then what they request: the story of the first minutes."""
        for source in SECRETS:
            assert self.run_tables(source).success
        for partitions, (source, _) in PARTITIONED.items():
            result = self.tick(f"{source}_{partitions}_partitions")
            assert isinstance(result, dg.SensorResult)
            for request in result.run_requests or []:
                assert self.run_request(request).success

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of `dataset.table`."""
        with duckdb.connect(str(self.warehouse)) as connection:
            found = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - our names
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def assert_equal_to_the_account(
    account: Account, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    """Each of the twenty tables, row for row; `rows` gives those of `dataset.table`."""
    tables = 0
    for name, api in apis().items():
        for endpoint in api.endpoints.values():
            if endpoint.parent is None:
                truth = [expected(record) for record in account.rows(name, endpoint.name)]
            else:
                truth = [
                    expected(record, **{str(endpoint.parent_param): parent})
                    for parent in account.parents(name, endpoint.name)
                    for record in account.rows(name, endpoint.name, parent=parent)
                ]
            found = comparable(rows(f"{name}.{endpoint.name}"))
            assert found == comparable(truth), f"{name}.{endpoint.name}"
            tables += 1
    assert tables == 20


def comparable(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Rows of the warehouse as the API sent them: nested fields parsed, nulls left out, sorted."""
    return sorted(json.dumps(_plain(row), sort_keys=True) for row in rows)


def expected(record: Mapping[str, Any], **parent: str) -> dict[str, Any]:
    """A record as its row must be: known flat objects spread over columns, the parent added."""
    row: dict[str, Any] = {**record, **parent}
    for flat in ("organizing_brand", "affiliate"):
        for name, value in (row.pop(flat, None) or {}).items():
            row[f"{flat}__{name}"] = value
    if "position" in row:  # a ranking, which has no id of its own
        row.setdefault("id", row["user_id"])
    return row


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = {}
    for name, value in row.items():
        if value is None:
            continue
        nested = isinstance(value, str) and value.startswith(("[", "{"))
        plain[name] = json.loads(value) if nested else value
    return plain
