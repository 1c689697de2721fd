"""The examples of docs/build-on-it.md in a `dagster dev`, as a newcomer would add them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sync_assets_tests.support.dev import Dev, dev, wait_for
from sync_assets_tests.support.documents import DOCS
from sync_assets_tests.support.graphql import backfill, ended, launch
from sync_assets_tests.support.project import copy_project

pytestmark = pytest.mark.long
SANDBOX = {
    "SANDBOX__NOW": "2026-03-01T12:00:00Z",
    "SANDBOX__PROMOTIONS": "6",
    "SANDBOX__EVENT_SERIES": "2",
}
RUNS = """{ runsOrError { ... on Runs { results {
  runId status jobName runConfigYaml assetSelection { path } tags { key value }
} } } }"""
EVENTS = """query($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) {
  ... on AssetNode {
    partitionKeysByDimension { partitionKeys }
    assetMaterializations { partition runId metadataEntries {
      label ... on MarkdownMetadataEntry { mdStr }
    } }
  }
} }"""


class Project:
    """A running project with the files of the page, and what Dagster knows of it."""

    def __init__(self, ui: Dev, folder: Path) -> None:
        self.ui, self.folder = ui, folder

    def materializations(self, asset: str) -> list[dict[str, Any]]:
        """All materializations of an asset, newest first."""
        node = self.ui.ask(EVENTS, path=asset.split("/"))["assetNodeOrError"]
        return list(node["assetMaterializations"])

    def partitions(self, asset: str) -> set[str]:
        """The partition keys of an asset."""
        node = self.ui.ask(EVENTS, path=asset.split("/"))["assetNodeOrError"]
        return {key for one in node["partitionKeysByDimension"] for key in one["partitionKeys"]}

    def runs(self, job: str | None = None) -> list[dict[str, Any]]:
        """All runs, or those of a job, newest first."""
        found = self.ui.ask(RUNS)["runsOrError"]["results"]
        return [run for run in found if job is None or run["jobName"] == job]

    def announced(self) -> set[str]:
        """The keys that `participations_updated` was told of in runs that succeeded."""
        runs = [run for run in self.runs("participations_updated") if run["status"] == "SUCCESS"]
        return {key for run in runs for key in re.findall(r"- '(\d+)'", run["runConfigYaml"])}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse, as soon as nothing loads."""

        def ask() -> list[tuple[Any, ...]] | None:
            try:
                with duckdb.connect(
                    str(self.folder / "warehouse.duckdb"), read_only=True
                ) as warehouse:
                    return warehouse.execute(sql).fetchall()
            except duckdb.IOException:
                return None

        return wait_for(ask, 30, every=0.2)

    def wait(self, seconds: float, holds: Callable[[], bool]) -> None:
        """Wait until something holds, and no run has failed."""

        def look() -> bool | None:
            failed = [run for run in self.runs() if run["status"] == "FAILURE"]
            assert not failed, failed
            return holds() or None

        wait_for(look, seconds, every=2)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project that filled itself while the files of the page were there."""
    folder = copy_project(tmp_path_factory.mktemp("built") / "project")
    files = re.findall(
        r"`(sync_assets/defs/\w+\.py)`:\n\n```python\n(.*?)```", DOCS["build-on-it"], re.S
    )
    assert len(files) == 4
    for path, text in files:
        assert not (folder / path).exists()
        (folder / path).write_text(text)
    with dev(folder, SANDBOX) as ui:
        ui.wait_for_everything(300)
        yield Project(ui, folder)


def test_each_promotion_is_computed_once_its_participations_are_there(project: Project) -> None:
    keys = project.partitions("promotions/participations")
    asset = "analytics/participations_by_day"

    def done() -> bool:
        return {one["partition"] for one in project.materializations(asset)} == keys

    project.wait(180, done)
    for key in keys:
        lines = (project.folder / f"analytics/participations/{key}.csv").read_text().splitlines()
        counted = sum(int(row["participations"]) for row in csv.DictReader(lines))
        sql = f"SELECT count(*) FROM promotions_sandbox.participations WHERE promotion_id = '{key}'"  # noqa: S608
        assert project.query(sql) == [(counted,)]


def test_the_table_of_several_sources_and_the_report_are_there(project: Project) -> None:
    project.wait(180, lambda: bool(project.materializations("analytics/weekly")))
    project.wait(180, lambda: bool(project.materializations("analytics/top_promotions")))
    lines = (project.folder / "analytics/weekly.csv").read_text().splitlines()
    rows = list(csv.DictReader(lines))
    orders = sum(int(row["number"]) for row in rows if row["what"] == "orders")
    assert project.query("SELECT count(*) FROM events_sandbox.orders") == [(orders,)]
    newest = project.materializations("analytics/top_promotions")[0]
    assert "| promotion | participations |" in str(newest["metadataEntries"])


def test_jobs_start_after_updates_and_each_partition_is_told(project: Project) -> None:
    keys = project.partitions("promotions/participations")
    project.wait(180, lambda: project.announced() == keys)
    project.wait(60, lambda: any(r["status"] == "SUCCESS" for r in project.runs("orders_updated")))


def test_a_backfill_is_followed_partition_by_partition(project: Project) -> None:
    keys = sorted(project.partitions("promotions/participations"))
    some = [keys[0], keys[1], keys[4]]
    asset = "analytics/participations_by_day"
    before = {one["runId"] for one in project.materializations(asset)}
    weekly = len(project.materializations("analytics/weekly"))
    jobs = len(project.runs("participations_updated"))
    identity = backfill(project.ui, ["promotions/participations"], some)
    assert wait_for(lambda: ended(project.ui, identity), 120) == "COMPLETED_SUCCESS"

    def followed() -> bool:
        new = [one for one in project.materializations(asset) if one["runId"] not in before]
        return (
            sorted(one["partition"] for one in new) == some
            and len(project.materializations("analytics/weekly")) > weekly
            and len(project.runs("participations_updated")) > jobs
        )

    project.wait(180, followed)


def test_a_table_that_is_synced_again_is_followed_once(project: Project) -> None:
    weekly = len(project.materializations("analytics/weekly"))
    jobs = len(project.runs("orders_updated"))
    launch(project.ui, ["events/orders"])
    project.wait(
        180,
        lambda: (
            len(project.materializations("analytics/weekly")) == weekly + 1
            and len(project.runs("orders_updated")) == jobs + 1
        ),
    )
