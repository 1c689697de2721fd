"""Builds an asset for each report; it is materialized after each update of what it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import dagster as dg
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sync_assets.base.config import resolve
from sync_assets.lib.automation.conditions import on_each_update
from sync_assets.lib.reports.figures import Panel, table
from sync_assets.lib.reports.plot import as_markdown, plot
from sync_assets.lib.translator import asset_key
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.read import read

GROUP = "reports"


@configspec
class ReportSettings(BaseConfiguration):
    """Whether the reports exist."""

    enabled: bool | None = None
    """true: for all sources; false: for none; unset: for those in the sandbox."""


@dataclass(frozen=True)
class Report:
    """A report: by title of a panel, a list of queries that return `day`, `series` and `value`.

    `resources` are those of the API that the queries read. `period` is a day or a week.
    """

    name: str
    api: Api
    description: str
    resources: Sequence[str]
    period: str
    panels: Mapping[str, Sequence[str]]


def build_report_definitions(reports: Sequence[Report]) -> dg.Definitions:
    """Build the assets of the reports that are switched on."""
    enabled = resolve(ReportSettings(), ["reports"], {}).enabled
    chosen = [one for one in reports if (one.api.is_sandbox() if enabled is None else enabled)]
    when = condition([report.api for report in reports])
    return dg.Definitions(assets=[_asset(report, when) for report in chosen])


def condition(apis: Sequence[Api]) -> dg.AutomationCondition[Any]:
    """Return the condition: after each update, while nothing of any API is in progress.

    So the reports of several sources are one run, and none delays the first sync of another.
    """
    busy = [
        dg.AutomationCondition.asset_matches(
            asset_key(api, resource), dg.AutomationCondition.in_progress()
        )
        for api in apis
        for resource in api.endpoints
    ]
    return (on_each_update() & ~reduce(or_, busy)).with_label("on_each_update_while_idle")


def _asset(report: Report, when: dg.AutomationCondition[Any]) -> dg.AssetsDefinition:
    @dg.asset(
        key=[GROUP, report.name],
        deps=[asset_key(report.api, resource) for resource in report.resources],
        group_name=GROUP,
        description=report.description,
        automation_condition=when,
    )
    def build(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        rows = read(_query(report), say=context.log.info).to_pylist()
        panels = [
            Panel.of(title, (row for row in rows if row["panel"] == number))
            for number, title in enumerate(report.panels)
        ]
        text = f"{as_markdown(plot(panels))}\n\n{table(panels, report.period)}\n"
        return dg.MaterializeResult(metadata={"report": dg.MetadataValue.md(text)})

    return build


def _query(report: Report) -> str:
    """Return all queries of a report as one, so that all rows are of the same time."""
    parts = [
        f"SELECT {panel} AS panel, {place} AS place, CAST(day AS varchar) AS day, series, "  # noqa: S608
        f"CAST(value AS double precision) AS value FROM ({query}) AS figures"
        for panel, queries in enumerate(report.panels.values())
        for place, query in enumerate(queries)
    ]
    return f"{' UNION ALL '.join(parts)} ORDER BY 1, 2, 4, 3"
