"""What `deploy/` holds, judged by the tools of each format: schema, lint, Dagster's own classes."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import process_config, resolve_to_config_type

from sync_assets_tests.support.project import ROOT
from sync_assets_tests.support.services import unavailable

pytestmark = pytest.mark.long

DEPLOY = ROOT / "deploy"
ECS = re.findall(r"```yaml\n(.+?)```", (DEPLOY / "ecs.md").read_text(), re.S)
VALUES = yaml.safe_load((DEPLOY / "values.yaml").read_text())
SCHEMA = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
LINT = [str(Path(sys.executable).parent / "hadolint")]


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    """The packages of the group `deploy` are there, or these tests are skipped."""
    for name in ("check_jsonschema", "dagster_k8s", "dagster_aws"):
        if find_spec(name) is None:
            unavailable(f"no {name}: uv run --isolated --group deploy pytest -m long brings it")


def verdict(command: list[str], path: Path) -> tuple[int, str]:
    """What a tool says of a file."""
    done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_compose_file_is_one_by_the_specification(tmp_path: Path) -> None:
    code, said = verdict(SCHEMA, DEPLOY / "compose.yaml")
    assert code == 0, said
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((DEPLOY / "compose.yaml").read_text().replace("retries:", "retry:"))
    assert verdict(SCHEMA, wrong)[0] != 0


def test_the_dockerfile_is_without_lint(tmp_path: Path) -> None:
    assert verdict(LINT, DEPLOY / "Dockerfile") == (0, "")
    wrong = tmp_path / "Dockerfile"
    wrong.write_text((DEPLOY / "Dockerfile").read_text().replace("USER 10001", "USER root"))
    assert "DL3002" in verdict(LINT, wrong)[1]


def accepted(module: str, name: str, config: dict[str, Any]) -> Any:
    """Whether a class that a `dagster.yaml` names takes a configuration; with its errors."""
    schema = resolve_to_config_type(getattr(import_module(module), name).config_type())
    return process_config(schema, config)


def test_dagster_accepts_what_is_told_of_ecs() -> None:
    (told,) = map(yaml.safe_load, ECS)
    assert list(told) == ["run_launcher", "compute_logs"]
    for part in told.values():
        checked = accepted(part["module"], part["class"], part["config"])
        assert checked.success, checked.errors
    assert not accepted("dagster_aws.ecs", "EcsRunLauncher", {"run_resource": {}}).success


def job(spec: dict[str, Any]) -> Any:
    """The Kubernetes job that a run would get, made by Dagster's launcher; raises on odd keys."""
    from dagster_k8s import job

    return job.construct_dagster_k8s_job(
        job.DagsterK8sJobConfig(job_image="sync-assets", dagster_home="/opt/dagster"),
        args=["dagster"],
        job_name="run",
        user_defined_k8s_config=job.UserDefinedDagsterK8sConfig(job_spec_config=spec),
    )


def test_dagster_makes_a_job_of_what_the_chart_is_told() -> None:
    (launcher,) = VALUES["runLauncher"]["config"].values()
    told = launcher["runK8sConfig"]["jobSpecConfig"]
    made = job(told).spec
    assert (made.backoff_limit, made.ttl_seconds_after_finished) == (0, 600)
    with pytest.raises(Exception, match="Unexpected keys"):
        job({"backoffLimits": 0})
