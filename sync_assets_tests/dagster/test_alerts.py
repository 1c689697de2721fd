"""Alerts over real receivers: once for each incident, once more when it is over, else silence."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster_shared.error import SerializableErrorInfo

from sync_assets.base.errors import ConfigurationError
from sync_assets.lib.alerts.sensor import DeliveryError, build_alert_sensor
from sync_assets_tests.support.dagster_world import LOADED
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.receivers import Webhook, mailbox, webhook
from sync_assets_tests.support.run_tags import range_tags
from sync_assets_tests.support.world import World

# apprise looks for imghdr as long as there is one
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

CHILDREN = ("stages", "users")
CANARY = "canary-token"
SENSOR = "follows"
SECRET = "SOURCES__AFFILIATES__API_KEY"
COUPONS = dg.AssetKey(["affiliates", "coupons"])
CHECK = "check plausible of affiliates/coupons"
VERDICT = {"passed": True}


@dg.asset_check(asset=COUPONS, description="A check of the test's.")
def plausible() -> dg.AssetCheckResult:
    """Passes as the test says, and breaks where it says nothing."""
    return dg.AssetCheckResult(
        passed=VERDICT["passed"],
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"implausible": 3, "absurd": 0, "keys": ["1", "2"]},
    )


@dg.asset_check(asset=COUPONS)
def row_count() -> dg.AssetCheckResult:
    """A check of the name of one that tells once."""
    return dg.AssetCheckResult(passed=True)


@dg.sensor(name=SENSOR)
def follows() -> dg.SkipReason:
    """A sensor of the test's."""
    return dg.SkipReason("never")


LOCATION = dg.Definitions(
    assets=LOADED.assets,
    asset_checks=[plausible, row_count],
    sensors=[follows, build_alert_sensor()],
)


@dataclass
class Watched:
    """An instance, whoever is told, and the alert sensor with its cursor."""

    instance: dg.DagsterInstance
    world: World
    hook: Webhook
    cursor: str | None = None
    skips: list[str] = field(default_factory=list)

    def to(self, *urls: str) -> None:
        """Set `ALERTS__URLS`."""
        self.world.monkeypatch.setenv("ALERTS__URLS", " ".join(urls))

    def url(self) -> str:
        """The webhook's URL."""
        return f"json://user:{CANARY}-password@127.0.0.1:{self.hook.port}/{CANARY}/path"

    def run(
        self, *assets: str, partitions: str | None = None, tags: Mapping[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run assets given as `source/resource`, with all partitions in a range."""
        return LOCATION.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey(asset.split("/")) for asset in assets],
            instance=self.instance,
            tags={**(range_tags(partitions) if partitions else {}), **(tags or {})},
            raise_on_error=False,
        )

    def fail(self, **tags: str) -> str:
        """A run of the coupons that cannot even start, which takes no time; its id."""
        with self.world.monkeypatch.context() as without:
            without.delenv(SECRET)
            run = self.run("affiliates/coupons", tags=tags)
        assert not run.success
        return run.run_id

    def recover(self) -> None:
        """A materialization of the coupons."""
        self.instance.report_runless_asset_event(dg.AssetMaterialization(COUPONS))

    def tick(self) -> list[str]:
        """Evaluate the sensor as the daemon does, which keeps no cursor of a tick that fails."""
        context = dg.build_sensor_context(
            self.instance, cursor=self.cursor, repository_def=LOCATION.get_repository_def()
        )
        result: Any = LOCATION.resolve_sensor_def("alerts")(context)
        if isinstance(result, dg.SkipReason):
            self.skips.append(str(result.skip_message))
        else:
            assert not result.run_requests
            self.skips.append(str(result.skip_reason.skip_message))
            self.cursor = result.cursor
        assert CANARY not in str(self.cursor) + str(self.skips)
        return self.news()

    def news(self) -> list[str]:
        """What the webhook was told since the last look."""
        return self.hook.news()

    def recorded(self, sensor: str, status: TickStatus, error: str | None = None) -> None:
        """Record a tick of a sensor as the daemon does."""
        instance = self.instance
        state = instigator(sensor)
        if instance.get_instigator_state(state.instigator_origin_id, state.selector_id) is None:
            instance.add_instigator_state(state)
        tick = instance.create_tick(
            TickData(
                instigator_origin_id=state.instigator_origin_id,
                instigator_name=sensor,
                instigator_type=InstigatorType.SENSOR,
                status=TickStatus.STARTED,
                timestamp=time.time(),
                selector_id=state.selector_id,
            )
        )
        if status != TickStatus.STARTED:
            cause = SerializableErrorInfo(f"{error}\n", [], "ValueError")
            outer = SerializableErrorInfo("SensorExecutionError: see below", [], None, cause)
            instance.update_tick(tick.with_status(status, error=outer if error else None))


def instigator(sensor: str) -> InstigatorState:
    """The state that the daemon keeps of a sensor."""
    target = LoadableTargetOrigin(module_name="sync_assets.definitions")
    origin = RemoteRepositoryOrigin(
        ManagedGrpcPythonEnvCodeLocationOrigin(target, "sync_assets"), "__repository__"
    )
    return InstigatorState(
        RemoteInstigatorOrigin(origin, sensor), InstigatorType.SENSOR, InstigatorStatus.RUNNING
    )


@pytest.fixture
def watched(world: World) -> Iterator[Watched]:
    """An instance that has run nothing, and a webhook that is told of it."""
    world.api.lists = {"/promotions": [{"id": key} for key in "123"], "/organizing_brands": []}
    for key in "123":
        world.api.lists |= {f"/{child}/{key}": [{"id": f"{child}-a"}] for child in CHILDREN}
    with local_instance(world.folder) as instance, webhook() as hook:
        instance.add_dynamic_partitions("promotions", list("123"))
        found = Watched(instance, world, hook)
        found.to(found.url())
        yield found


def test_nobody_is_told_by_default(watched: Watched) -> None:
    watched.world.monkeypatch.delenv("ALERTS__URLS")
    watched.world.monkeypatch.setenv("URLS", watched.url())
    watched.fail()
    assert watched.tick() == []
    assert watched.skips == ["ALERTS__URLS is not set: no alerts are sent"]
    assert watched.cursor is None


@pytest.mark.long
def test_the_code_location_loads_without_apprise() -> None:
    code = (
        "import sys; from sync_assets.definitions import defs; defs().get_repository_def()\n"
        "assert 'apprise' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.long
def test_a_failing_promotion_is_told_once_and_so_is_its_recovery(watched: Watched) -> None:
    api = watched.world.api
    assert watched.tick() == []
    api.fail("/users/2", status=500)
    assert not watched.run("promotions/users", "promotions/stages", partitions="123").success
    (message,) = watched.tick()
    assert message.splitlines()[0] == "failed: promotions/users (2)"
    assert "1 of 6 lists failed, the others are loaded" in message
    assert "users of 2, page 1" in message
    assert "Materialize these partitions again: 2" in message
    assert " UTC, run " in message
    for _ in range(2):
        assert not watched.run("promotions/users", partitions="123").success
        assert watched.tick() == []
    api.heal()
    assert watched.run("promotions/users", partitions="3").success
    assert watched.tick() == []
    assert watched.run("promotions/users", partitions="2").success
    assert watched.tick() == ["recovered: promotions/users (2)"]
    assert watched.tick() == []


@pytest.mark.long
def test_one_run_is_one_message_and_only_what_is_new_is_in_it(watched: Watched) -> None:
    api = watched.world.api
    api.fail("/users/2", status=500)
    assert not watched.run("promotions/users", partitions="123").success
    assert len(watched.tick()) == 1
    for path in ("/users/1", "/stages/1", "/stages/3"):
        api.fail(path, status=500)
    assert not watched.run("promotions/users", "promotions/stages", partitions="123").success
    (message,) = watched.tick()
    assert message.splitlines()[0] == "failed: promotions/stages (1, 3), promotions/users (1)"
    api.heal()
    assert watched.run("promotions/users", partitions="123").success
    assert watched.tick() == ["recovered: promotions/users (1, 2)"]


@pytest.mark.long
def test_what_recovered_before_anybody_looked_is_not_told(watched: Watched) -> None:
    watched.fail()
    watched.recover()
    assert watched.tick() == []


@pytest.mark.long
def test_a_run_that_cannot_even_start_is_told_by_its_assets(watched: Watched) -> None:
    with watched.world.monkeypatch.context() as without:
        without.delenv(SECRET)
        assert not watched.run("affiliates/coupons", "affiliates/referrals").success
    (message,) = watched.tick()
    first, why = message.splitlines()
    assert first == "failed: affiliates/coupons, affiliates/referrals"
    assert f"{SECRET} is not set. Set it in the environment" in why
    watched.fail()
    assert watched.tick() == []
    watched.recover()
    assert watched.tick() == ["recovered: affiliates/coupons"]
    watched.world.api.lists["/v1/referrals"] = [{"id": 1}]
    assert watched.run("affiliates/referrals").success
    assert watched.tick() == ["recovered: affiliates/referrals"]


@pytest.mark.long
def test_a_killed_run_is_told_by_all_it_was_to_do(watched: Watched) -> None:
    instance = watched.instance
    run = instance.create_run_for_job(
        LOCATION.resolve_implicit_global_asset_job_def(),
        asset_selection=frozenset([dg.AssetKey(["promotions", "users"])]),
        tags={"dagster/partition": "2"},
    )
    instance.report_run_failed(run, "the machine went down")
    (message,) = watched.tick()
    assert message.startswith("failed: promotions/users (2)\n  the machine went down (")


@pytest.mark.long
def test_a_run_that_dagster_tries_again_is_not_told(watched: Watched) -> None:
    instance = watched.instance
    first = watched.fail(**{"dagster/will_retry": "true"})
    assert watched.tick() == []
    instance.add_run_tags(first, {"dagster/auto_retry_run_id": "another"})
    assert watched.tick() == []
    watched.world.monkeypatch.setattr("sync_assets.lib.alerts.failed_runs.CRASH_NOTICE_SECONDS", 0)
    assert watched.tick() == []
    assert json.loads(str(watched.cursor))["waiting"] == []


@pytest.mark.long
def test_a_run_that_dagster_gives_up_is_told(watched: Watched) -> None:
    run = watched.fail(**{"dagster/will_retry": "true"})
    assert watched.tick() == []
    watched.instance.add_run_tags(run, {"dagster/will_retry": "false"})
    assert [news.splitlines()[0] for news in watched.tick()] == ["failed: affiliates/coupons"]


@pytest.mark.long
def test_a_retired_promotion_is_not_open_for_ever(watched: Watched) -> None:
    watched.world.api.fail("/users/2", status=404)
    assert not watched.run("promotions/users", partitions="123").success
    assert len(watched.tick()) == 1
    watched.instance.delete_dynamic_partition("promotions", "2")
    assert watched.tick() == ["no longer exists: promotions/users (2)"]
    assert watched.tick() == []


@pytest.mark.long
def test_a_failed_check_is_told_once_and_so_is_its_recovery(watched: Watched) -> None:
    api, patch = watched.world.api, watched.world.monkeypatch
    api.lists["/v1/coupons"] = [{"id": 1}]
    patch.setitem(VERDICT, "passed", False)
    assert watched.run("affiliates/coupons").success
    (message,) = watched.tick()
    assert message.startswith(f"failed: {CHECK}\n  did not pass: implausible 3, keys 1, 2 (")
    assert watched.run("affiliates/coupons").success
    assert watched.tick() == []
    api.fail("/v1/coupons", status=500)
    assert not watched.run("affiliates/coupons").success  # and the check is left out
    assert [news.splitlines()[0] for news in watched.tick()] == ["failed: affiliates/coupons"]
    api.heal()
    patch.setitem(VERDICT, "passed", True)
    assert watched.run("affiliates/coupons").success
    assert watched.tick() == [f"recovered: affiliates/coupons, {CHECK}"]


def test_what_a_check_tells_once_is_told_whatever_follows(watched: Watched) -> None:
    key = dg.AssetCheckKey(COUPONS, "row_count")

    def evaluate(passed: bool) -> None:
        watched.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=COUPONS, check_name=key.name, passed=passed)
        )

    assert watched.tick() == []
    for passed in (True, False, True):
        evaluate(passed)
    watched.tick()
    for passed in (False, True):
        evaluate(passed)
    (message,) = watched.tick()
    first, _, last = message.splitlines()
    name = "check row_count of affiliates/coupons"
    assert (first, last) == (f"failed: {name}", f"recovered: {name}")
    assert watched.tick() == []


@pytest.mark.long
def test_a_check_that_cannot_be_evaluated_is_told(watched: Watched) -> None:
    watched.world.api.lists["/v1/coupons"] = [{"id": 1}]
    with watched.world.monkeypatch.context() as broken:
        broken.delitem(VERDICT, "passed")
        assert not watched.run("affiliates/coupons").success
    (message,) = watched.tick()
    assert message.splitlines()[0] == f"failed: {CHECK}"
    assert "could not be evaluated: KeyError: 'passed'" in message
    assert watched.run("affiliates/coupons").success
    assert watched.tick() == [f"recovered: {CHECK}"]


@pytest.mark.long
@pytest.mark.parametrize("good", [TickStatus.SUCCESS, TickStatus.SKIPPED])
def test_a_failed_tick_is_told_once_and_so_is_its_recovery(
    watched: Watched, good: TickStatus
) -> None:
    watched.recorded(SENSOR, good)
    assert watched.tick() == []
    for _ in range(2):
        watched.recorded(SENSOR, TickStatus.FAILURE, "ValueError: no warehouse")
    watched.recorded(SENSOR, TickStatus.STARTED)
    (message,) = watched.tick()
    assert message.startswith(f"failed: sensor {SENSOR}\n  ValueError: no warehouse (")
    watched.recorded(SENSOR, TickStatus.FAILURE, "ValueError: no warehouse")
    assert watched.tick() == []
    watched.recorded(SENSOR, good)
    assert watched.tick() == [f"recovered: sensor {SENSOR}"]
    assert watched.tick() == []


@pytest.mark.long
def test_ticks_of_what_is_gone_and_of_the_alerts_are_passed_over(watched: Watched) -> None:
    for sensor in ("a_sensor_of_last_year", "alerts"):
        watched.recorded(sensor, TickStatus.FAILURE, "ValueError: no")
    assert watched.tick() == []


@pytest.mark.parametrize("status", [500, 0])
def test_an_alert_that_nobody_takes_is_told_later_and_once(
    watched: Watched, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if status:
        watched.hook.status = status
    else:
        watched.to(watched.url().replace(str(watched.hook.port), str(closed_port())))
    watched.fail()
    for _ in range(2):
        with pytest.raises(DeliveryError) as error:
            watched.tick()
        reason = "answered 500" if status else "could not be reached"
        assert str(error.value).startswith(f"URL 1 in ALERTS__URLS (json) {reason}. ")
        assert CANARY not in str(error.getrepr(chain=True)) + caplog.text
        assert watched.cursor is None
    watched.hook.status = 200
    watched.to(watched.url())
    assert [news.splitlines()[0] for news in watched.tick()] == ["failed: affiliates/coupons"]
    assert watched.tick() == []
    assert CANARY not in caplog.text


def test_who_cannot_be_reached_is_owed_what_others_were_told(watched: Watched) -> None:
    with webhook() as other:
        watched.to(watched.url(), f"json://127.0.0.1:{other.port}/{CANARY}")
        other.status = 500
        watched.fail()
        assert len(watched.tick()) == 1
        assert "URL 2 in ALERTS__URLS (json) answered 500" in watched.skips[-1]
        with pytest.raises(DeliveryError, match=r"^URL 2 in"):
            watched.tick()
        watched.recover()
        assert watched.tick() == ["recovered: affiliates/coupons"]
        other.status = 200
        assert watched.tick() == []
        (message,) = other.news()
        first, _, last = message.splitlines()
        assert (first, last) == ("failed: affiliates/coupons", "recovered: affiliates/coupons")
        assert watched.tick() == []
        assert other.news() == []


def closed_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_mail_and_webhook_are_told_the_same(watched: Watched) -> None:
    with mailbox() as (port, mails):
        mail = f"mailto://robot:{CANARY}@127.0.0.1:{port}?from=robot@a.org&to=ops@a.org,me@a.org"
        watched.to(mail, watched.url())
        watched.fail()
        (message,) = watched.tick()
        assert len(mails) == 2
        assert "Subject: sync_assets failed: affiliates/coupons\r\n" in mails[0]
        assert f"{SECRET} is not set" in mails[0]
        assert message.splitlines()[0] in mails[1]
        assert CANARY not in "".join(mails)


def test_slack_is_told_in_its_own_form(watched: Watched) -> None:
    from apprise.plugins.slack import NotifySlack

    local = f"http://127.0.0.1:{watched.hook.port}/services"
    watched.world.monkeypatch.setattr(NotifySlack, "webhook_url", local)
    watched.to("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops")
    watched.fail()
    payload: dict[str, Any] = {}
    watched.world.monkeypatch.setattr(watched, "news", lambda: payload.update(watched.hook.got[0]))
    watched.tick()
    assert payload["channel"] == "#ops"
    (attachment,) = payload["attachments"]
    assert attachment["title"] == "sync_assets failed: affiliates/coupons"
    assert f"{SECRET} is not set" in attachment["text"]
    assert "github" not in json.dumps(payload)


@pytest.mark.parametrize(
    "url", [f"nonsense-{CANARY}", f"pigeon://{CANARY}", "json://", "slack://x"]
)
def test_a_url_that_is_none_is_named_by_its_position(
    watched: Watched, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    watched.to(watched.url(), url)
    with pytest.raises(ConfigurationError) as error:
        watched.tick()
    assert "URL 2 in ALERTS__URLS is not one that apprise understands" in str(error.value)
    assert CANARY not in str(error.getrepr(chain=True)) + caplog.text
