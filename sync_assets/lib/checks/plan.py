"""The check `plan_fits`: whether the quota of an account allows what the schedules ask for."""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf

from sync_assets.lib.checks.findings import Evidence, Finding
from sync_assets.planning.best import advice
from sync_assets.planning.fit import Fit
from sync_assets.planning.forecast import Forecast
from sync_assets.sources.rest.api import Api

PLAN_FITS = "plan_fits"
MINUTE = 60.0


def plan_fits(evidence: Evidence) -> Finding:
    """The quota allows what the schedules ask for, so that no list exceeds its maximum age.

    The numbers are those of `sync-assets plan`. Lists that were never synced are not included.
    """
    plan = evidence.plan
    if plan is None:  # the evidence of another asset
        raise ValueError("no plan to check")
    best = None if plan.fits else plan.best
    return Finding(
        plan.fits,
        {
            **figures(plan),
            **({"unknown": ", ".join(plan.unknown)} if plan.unknown else {}),
            **({} if plan.fits else {"problems": "; ".join(plan.fit.problems)}),
            **({} if plan.fits else {"plan_that_fits": _written(plan, best)}),
            "assets": {
                line.resource: {
                    "lists": line.lists,
                    "rows": line.rows,
                    "pages": line.pages,
                    "rows_a_page": line.rows_a_page,
                    "requests": line.requests,
                    "requests_a_day": line.requests_a_day,
                    "quota_share": plan.share(line),
                    "minutes": None if line.seconds is None else line.seconds / MINUTE,
                }
                for line in plan.lines
            },
        },
    )


def _written(plan: Forecast, best: Fit | None) -> str:
    """The variables of a plan that fits, as `.env` has them."""
    if best is None:
        return "none that reads each list at least once a month"
    return " ".join(
        f'{name}="{value}"' for name, value in advice(plan.source, plan.fit, best).items()
    )


def figures(plan: Forecast) -> dict[str, float]:
    """Return the numbers of a plan that Dagster plots."""
    return {name: round(value, 3) for name, value in _figures(plan) if not isinf(value)}


def _figures(plan: Forecast) -> Iterator[tuple[str, float]]:
    yield "requests_a_day", plan.fit.requests
    yield "requests_allowed_a_day", plan.fit.allowed
    yield "quota_share", plan.fit.share
    yield "tables_minutes", plan.fit.tables_seconds / MINUTE
    yield "partitions_minutes", plan.fit.partitions_seconds / MINUTE
    yield "full_sync_minutes", plan.full_seconds / MINUTE


def carrier(api: Api) -> str:
    """Return the resource whose asset has the check: the first without a parent."""
    return next(endpoint.name for endpoint in api.endpoints.values() if endpoint.parent is None)
