"""The project as a newcomer has it: a copy of the checkout, commands in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FILES = [
    "sync_assets",
    ".dlt",
    "dagster.yaml",
    "workspace.yaml",
    "pyproject.toml",
    "README.md",
    "LICENSE",
]


OURS = (
    "SOURCES__",
    "DESTINATION__",
    "SANDBOX__",
    "AUTOMATION__",
    "ALERTS__",
    "EXECUTION__",
    "CELERY_",
    "DAGSTER_",
    "DLT_",
)


def copy_project(folder: Path) -> Path:
    """Copy what is committed to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "secrets.toml")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    return folder


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """A new user's environment: an empty home, nothing of ours set; the copy is imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {**kept, "HOME": str(home), "PYTHONPATH": str(folder), **variables}


def run(
    folder: Path, *command: str, variables: Mapping[str, str] | None = None, timeout: float = 100
) -> subprocess.CompletedProcess[str]:
    """Run `python -m <command>` in the copy."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment(folder, **(variables or {})),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def uv_environment() -> dict[str, str]:
    """Variables for a shell in which `uv run` uses what is installed here."""
    return {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1"}


def type_in(folder: Path, text: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Type lines into a shell that stops at the first which fails; gives its variables."""
    shell = subprocess.run(
        ["bash", "-euc", f"{text}\nenv -0"],
        cwd=folder,
        env=environment(folder, **variables),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(line.split("=", 1) for line in shell.stdout.split("\0") if line)
