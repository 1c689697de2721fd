"""An account of three promotions, of which the second ended long ago."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sync_assets.base import times
from sync_assets_tests.support.fake_api import FakeApi

CHILD_PATHS = ("stages", "users", "participations", "prizes", "ranking")


def promotion(identity: str, *, ends_in_days: float = 5) -> dict[str, Any]:
    """A promotion that began 20 days ago."""
    now = times.now()
    return {
        "id": identity,
        "start_date": (now - timedelta(days=20)).isoformat(),
        "end_date": (now + timedelta(days=ends_in_days)).isoformat(),
    }


def offer(api: FakeApi) -> None:
    """Three promotions, of which the second ended long ago, each with two rows a child."""
    api.lists = {
        "/promotions": [promotion("1"), promotion("2", ends_in_days=-10), promotion("3")],
        "/organizing_brands": [],
    }
    for one in "123":
        add_children(api, one)


def add_children(api: FakeApi, identity: str) -> None:
    """Two rows in each list below a promotion."""
    for child in CHILD_PATHS:
        api.lists[f"/{child}/{identity}"] = [{"id": f"{child}-a"}, {"id": f"{child}-b"}]
