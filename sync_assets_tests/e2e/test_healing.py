"""In `dagster dev`: one list fails, and only it turns red; it heals, and turns green by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync_assets.sandbox import Account, Sandbox, Scale
from sync_assets_tests.support import dagster_world
from sync_assets_tests.support.dev import Dev, dev, wait_for
from sync_assets_tests.support.project import copy_project

USERS = {"path": ["promotions", "users"]}
LAUNCH = """mutation($keys: [String!]!, $assets: [AssetKeyInput!]!) {
  launchPartitionBackfill(backfillParams: {partitionNames: $keys, assetSelection: $assets}) {
    __typename
  }
}"""
PARTITIONS = """query($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode {
    partitionKeys
    assetPartitionStatuses { ... on DefaultPartitionStatuses {
      materializedPartitions failedPartitions
    } }
    assetChecksOrError { ... on AssetChecks { checks {
      name executionForLatestMaterialization { evaluation { success metadataEntries {
        label ... on JsonMetadataEntry { jsonString } } } }
    } } }
  } }
}"""
EAGER = {
    "AUTOMATION__SENSOR_INTERVAL": "5",
    "AUTOMATION__RETRY_AFTER": "0.2",
    "AUTOMATION__RETRY_AT_MOST": "0.2",
    "SOURCES__PROMOTIONS__MAX_RETRIES": "0",
}


def seen(running: Dev) -> dict[str, Any]:
    return dict(running.ask(PARTITIONS, key=USERS)["assetNodeOrError"])


def failed(running: Dev) -> list[str]:
    return list(seen(running)["assetPartitionStatuses"]["failedPartitions"])


def named_by_the_check(running: Dev) -> list[str]:
    checks = {check["name"]: check for check in seen(running)["assetChecksOrError"]["checks"]}
    evaluation = (checks["fresh"]["executionForLatestMaterialization"] or {}).get("evaluation")
    entries = {entry["label"]: entry for entry in (evaluation or {}).get("metadataEntries", [])}
    return list(json.loads(entries.get("failing_keys", {}).get("jsonString", "[]")))


@pytest.mark.long
def test_a_promotion_that_fails_is_red_alone_and_heals_without_a_hand(tmp_path: Path) -> None:
    folder = copy_project(tmp_path)
    account = Account(seed=5, scale=Scale(promotions=6, event_series=2))
    with Sandbox(account) as server:
        variables = dagster_world.environment(server, folder / "warehouse.duckdb") | EAGER
        with dev(folder, variables) as running:
            running.wait_for_everything(150)
            keys = seen(running)["partitionKeys"]
            bad = keys[2]
            server.fail(f"/users/{bad}")
            running.ask(LAUNCH, keys=keys, assets=[USERS])
            wait_for(lambda: failed(running) or None, 90)
            assert failed(running) == [bad]
            wait_for(lambda: named_by_the_check(running) == [bad] or None, 60)
            assert failed(running) == [bad]
            assert set(seen(running)["assetPartitionStatuses"]["materializedPartitions"]) == (
                set(keys) - {bad}
            )
            server.fail()
            wait_for(lambda: (not failed(running)) or None, 90)
            wait_for(lambda: (not named_by_the_check(running)) or None, 60)
