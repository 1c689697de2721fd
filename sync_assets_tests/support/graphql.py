"""What a user clicks in the UI, as the UI asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sync_assets.lib.instance.run_process import RunProcess
from sync_assets_tests.support.dev import Dev, is_synced

PLACE = {"repositoryLocationName": "sync_assets", "repositoryName": "__repository__"}
ADD = """mutation($place: RepositorySelector!, $name: String!, $key: String!) {
  addDynamicPartition(repositorySelector: $place, partitionsDefName: $name, partitionKey: $key) {
    __typename
  }
}"""
BACKFILL = """mutation($keys: [String!]!, $assets: [AssetKeyInput!]!) {
  launchPartitionBackfill(backfillParams: {partitionNames: $keys, assetSelection: $assets}) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
ENDED = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status }
} }"""
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
} }"""
RUN = """query($id: ID!) { runOrError(runId: $id) { ... on Run {
  status startTime tags { key value }
} } }"""
TERMINATE = """mutation($id: String!) { terminateRun(runId: $id) {
  __typename ... on TerminateRunFailure { message } ... on PythonError { message }
} }"""
SENSOR = """mutation($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) {
  __typename ... on PythonError { message }
} }"""


def loaded(ui: Dev) -> bool:
    """Whether the code location is there."""
    return len([node for node in ui.state()["assetNodes"] if is_synced(node)]) == 20


def add_partitions(ui: Dev, name: str, keys: Sequence[str]) -> None:
    """Add keys to a partitions definition."""
    for key in keys:
        ui.ask(ADD, place=PLACE, name=name, key=key)


def backfill(ui: Dev, assets: Sequence[str], keys: Sequence[str]) -> str:
    """Launch a backfill of assets given as `source/resource`; gives its id."""
    answer = ui.ask(BACKFILL, keys=list(keys), assets=_paths(assets))["launchPartitionBackfill"]
    assert "backfillId" in answer, answer
    return str(answer["backfillId"])


def ended(ui: Dev, identity: str) -> str | None:
    """The status of a backfill that is over."""
    try:
        found = ui.ask(ENDED, id=identity)["partitionBackfillOrError"]["status"]
    except (OSError, TypeError, KeyError):  # its database may be away for a moment
        return None
    return str(found) if found.startswith(("COMPLETED", "FAILED", "CANCELED")) else None


def launch(ui: Dev, assets: Sequence[str]) -> str:
    """Materialize unpartitioned assets; gives the run's id."""
    selector: dict[str, Any] = {**PLACE, "pipelineName": "__ASSET_JOB"}
    selector["assetSelection"] = _paths(assets)
    params = {"selector": selector, "runConfigData": {}, "mode": "default"}
    answer = ui.ask(LAUNCH, params=params)["launchRun"]
    assert "run" in answer, answer
    return str(answer["run"]["runId"])


def run(ui: Dev, identity: str) -> dict[str, Any]:
    """The `status` of a run, its tags as a mapping, and `startTime` in unix seconds."""
    found: dict[str, Any] = ui.ask(RUN, id=identity)["runOrError"]
    return {**found, "tags": {tag["key"]: tag["value"] for tag in found["tags"]}}


def process_of(ui: Dev, identity: str) -> RunProcess | None:
    """The process that executes a run, once the run has noted it."""
    return RunProcess.of_run(identity, run(ui, identity)["tags"])


def terminate(ui: Dev, identity: str) -> None:
    """Terminate a run."""
    answer = ui.ask(TERMINATE, id=identity)["terminateRun"]
    assert answer["__typename"] == "TerminateRunSuccess", answer


def start_sensor(ui: Dev, name: str) -> None:
    """Switch a sensor on."""
    answer = ui.ask(SENSOR, sensor={**PLACE, "sensorName": name})["startSensor"]
    assert answer["__typename"] == "Sensor", answer


def _paths(assets: Sequence[str]) -> list[dict[str, list[str]]]:
    return [{"path": asset.split("/")} for asset in assets]
