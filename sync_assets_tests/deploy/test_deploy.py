"""What `deploy/` holds, checked as far as it can be without containers."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import process_config, resolve_to_config_type
from dagster._core.instance.config import dagster_instance_config
from dagster._core.instance.ref import InstanceRef
from dagster._core.workspace.config_schema import process_workspace_config

from sync_assets.lib.instance.celery_launcher import CeleryRunLauncher
from sync_assets_tests.support.project import ROOT
from sync_assets_tests.support.readme_cluster import COMMANDS

DEPLOY = ROOT / "deploy"
INSTANCE = DEPLOY / "dagster.yaml"
WORKSPACE = DEPLOY / "workspace.yaml"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
#: Users that each Debian image has: useradd would refuse them.
OF_DEBIAN = {"backup", "daemon", "games", "irc", "list", "mail", "news", "nobody", "proxy", "sync"}
INSTRUCTIONS = {"FROM", "ARG", "ENV", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "CMD"}


def load(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / name).read_text()))


COMPOSE, VALUES, DAGSTER = load("compose.yaml"), load("values.yaml"), load("dagster.yaml")
OURS = [name for name, service in COMPOSE["services"].items() if "build" in service]


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment that compose gives to each of our containers."""
    given = {name: str(value) for name, value in COMPOSE["x-sync-assets"]["environment"].items()}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def asked_for(value: Any) -> Iterator[str]:
    """The variables that a file takes from the environment."""
    for key, below in value.items() if isinstance(value, dict) else ():
        if key == "env" and isinstance(below, str):
            yield below
        yield from asked_for(below)
    for below in value if isinstance(value, list) else ():
        yield from asked_for(below)


@pytest.mark.usefixtures("variables")
def test_dagster_accepts_the_instance(tmp_path: Path) -> None:
    shutil.copy(INSTANCE, tmp_path)
    dagster_instance_config(str(tmp_path))
    ref = InstanceRef.from_dir(str(tmp_path))
    assert isinstance(ref.run_launcher, CeleryRunLauncher)
    assert ref.run_coordinator.get_run_queue_config().max_concurrent_runs == 2  # type: ignore[union-attr]
    assert type(ref.compute_log_manager).__name__ == "NoOpComputeLogManager"


@pytest.mark.usefixtures("variables")
def test_dagster_accepts_the_storage() -> None:
    from sync_assets.lib.instance import postgres_storage

    named = DAGSTER["storage"]["custom"]
    assert named["module"] == postgres_storage.__name__
    chosen = getattr(postgres_storage, named["class"])
    checked = process_config(resolve_to_config_type(chosen.config_type()), named["config"])
    assert checked.success, checked.errors


@pytest.mark.usefixtures("variables")
def test_dagster_accepts_the_workspace() -> None:
    checked = process_workspace_config(load("workspace.yaml"))
    assert checked.success, checked.errors


def test_each_container_gets_what_the_files_ask_for(variables: dict[str, str]) -> None:
    assert OURS == ["code", "webserver", "daemon", "worker"]
    assert {*asked_for(DAGSTER), *asked_for(load("workspace.yaml"))} <= set(variables)
    for name in OURS:
        assert COMPOSE["services"][name]["environment"] == COMPOSE["x-sync-assets"]["environment"]


def test_the_containers_run_what_the_test_of_the_cluster_runs() -> None:
    worker = shlex.split(COMPOSE["services"]["worker"]["command"])
    tested = shlex.split(COMMANDS["worker"].replace("-n one@%h", ""))
    assert sorted(["uv", "run", *worker]) == sorted(tested)
    code = json.loads(DOCKERFILE.split("CMD ")[1])
    tested = COMMANDS["code"].replace("127.0.0.1", "0.0.0.0")  # noqa: S104
    assert ["uv", "run", *code] == tested.split()
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]
    assert code[-4:] == deployment["codeServerArgs"]
    for name in OURS:
        command = COMPOSE["services"][name].get("command", "dagster")
        assert shutil.which(command.split()[0], path=Path(sys.executable).parent)


def test_the_containers_share_the_scratch_in_which_they_tell_each_other_of_the_rate() -> None:
    ours = COMPOSE["x-sync-assets"]
    assert ours["volumes"] == [f"scratch:{ours['environment']['TMPDIR']}"]
    assert "scratch" in COMPOSE["volumes"]
    assert "mkdir scratch && chown -R dagster /app/home /app/scratch" in DOCKERFILE


def test_settings_and_secrets_come_from_a_file_that_git_ignores() -> None:
    for name in OURS:
        assert COMPOSE["services"][name]["env_file"] == [{"path": ".env", "required": False}]
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_as_many_runs_as_workers(variables: dict[str, str]) -> None:
    replicas = COMPOSE["services"]["worker"]["deploy"]["replicas"]
    assert int(variables["EXECUTION__MAX_CONCURRENT_RUNS"]) == replicas


def snake(values: dict[str, Any]) -> dict[str, Any]:
    """Values of the chart, named as Dagster names them."""
    return {
        re.sub("[A-Z]", lambda letter: f"_{letter.group().lower()}", name): value
        for name, value in values.items()
    }


def test_the_chart_is_told_what_the_instance_is_told() -> None:
    daemon = VALUES["dagsterDaemon"]
    assert snake(daemon["runMonitoring"]) == DAGSTER["run_monitoring"]
    assert snake(daemon["runRetries"]) == DAGSTER["run_retries"]
    assert snake(daemon["backfills"]) == DAGSTER["backfills"]
    assert snake(daemon["sensors"]) == DAGSTER["sensors"]
    assert VALUES["additionalInstanceConfig"] == {"nux": DAGSTER["nux"]}
    for kind in ("schedule", "sensor"):
        assert snake(VALUES["retention"][kind]) == DAGSTER["retention"][kind]
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]
    common = COMPOSE["x-sync-assets"]["environment"]
    for name, value in deployment["env"].items():
        assert re.sub(r"\$\{\w+:-(.+)\}", r"\1", common[name]) == value


def test_the_chart_starts_what_the_images_user_may_start() -> None:
    webserver = VALUES["dagsterWebserver"]
    assert webserver["service"]["port"] >= 1024
    assert webserver["readinessProbe"]["httpGet"] == webserver["service"]


def test_the_chart_takes_the_password_and_the_resources_that_are_meant() -> None:
    assert VALUES["generatePostgresqlPasswordSecret"] is False
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]
    assert deployment["includeConfigInLaunchedRuns"]["enabled"]
    assert deployment["resources"]["limits"]
    assert (
        "containerConfig" not in VALUES["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    )
    for reader in (deployment, VALUES["dagsterWebserver"]):
        assert reader["envSecrets"] == [{"name": "sync-assets"}]


def test_the_chart_and_the_image_are_of_one_version() -> None:
    text = (DEPLOY / "values.yaml").read_text()
    pinned = re.findall(r'"dagster==([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert set(re.findall(r"1\.\d+\.\d+", text)) == set(pinned)
    version = re.findall(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert VALUES["dagsterDaemon"]["image"]["tag"] == version[0]


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile and their arguments."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.M).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line]  # type: ignore[misc]


def test_the_image_is_bounded_and_nobody_is_root() -> None:
    made = instructions()
    assert {name for name, _ in made} == INSTRUCTIONS
    (base,) = [value for name, value in made if name == "FROM"]
    assert re.fullmatch(r"python:3\.1[0-3]-slim", base)
    assert [name for name, _ in made if name in ("USER", "CMD", "RUN")][-2:] == ["USER", "CMD"]
    uid = dict(made)["USER"]
    assert int(uid) > 0
    (name,) = re.findall(rf"useradd --create-home --uid {uid} (\w+)", DOCKERFILE)
    assert name not in OF_DEBIAN


def test_what_the_image_installs_is_bounded() -> None:
    lists = re.findall(
        r"^(?:dependencies|cluster|kubernetes) = \[\n(.*?)^\]",
        (ROOT / "pyproject.toml").read_text(),
        re.M | re.S,
    )
    wanted = re.findall(r'"(.+)"', "".join(lists))
    assert len(lists) == 3
    assert not [one for one in wanted if "<" not in one]


def test_what_the_image_copies_is_there_and_no_secret_is() -> None:
    copied = [value.split() for name, value in instructions() if name == "COPY"]
    sources = [source for *found, _ in copied for source in found]
    assert all((ROOT / source).exists() for source in sources)
    assert not [source for source in sources if "secrets" in source or source in (".", ".dlt")]


def test_no_file_names_a_registry_or_holds_a_secret() -> None:
    for path in DEPLOY.iterdir():
        text = path.read_text()
        assert not re.findall(r"https?://", text), path
        assert not re.findall(r"(?i)(?:password|token|key): *['\"]?\w{4,}", text), path
