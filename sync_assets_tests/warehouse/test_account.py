"""What is configured for an account is resolved once for a sync, and handed down."""

from __future__ import annotations

from typing import Any

import pytest

from sync_assets.cli import main
from sync_assets.sources.rest import account
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.world import APIS, World


@pytest.fixture
def resolved(world: World) -> list[str]:
    """The sources whose settings were resolved, one entry each time."""
    sources: list[str] = []
    resolve = account.resolve_api  # type: ignore[attr-defined]

    def counted(spec: Any, source: str, explicit: Any) -> Any:
        sources.append(source)
        return resolve(spec, source, explicit)

    world.monkeypatch.setattr(account, "resolve_api", counted)
    return sources


def test_a_sync_resolves_its_account_once(world: World, resolved: list[str]) -> None:
    world.api.lists["/vouchers"] = [{"id": "v"}]
    world.api.lists["/vouchers/v/codes"] = [{"id": "c"}]
    assert not sync(Request(APIS["events"], ["vouchers", "vouchers_codes"])).failed()
    assert world.ids("events.vouchers_codes") == ["c"]
    assert resolved == ["events"]


def test_the_command_line_resolves_each_account_once(
    world: World, resolved: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    world.api.lists["/event_series"] = [{"id": "es"}]
    world.api.lists["/event_series/es/events"] = [{"id": "ev"}]
    world.api.lists["/event_series/es/waitlist_signups"] = []
    assert main(["events", "--partition", "es"]) == 0, capsys.readouterr().out
    assert resolved == ["events"]
    assert main(["events", "--partition", "no"]) == 1
    assert "events_series has no no: the API lists 1, es" in capsys.readouterr().out
