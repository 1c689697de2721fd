"""The page on adding an API, done as it stands in a fresh copy."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import duckdb
import pytest

from sync_assets_tests.support.documents import DOCS
from sync_assets_tests.support.fake_api import SECRETS
from sync_assets_tests.support.project import ROOT, copy_project, type_in, uv_environment
from sync_assets_tests.support.services import unavailable
from sync_assets_tests.support.world import World

pytestmark = pytest.mark.long

PAGE = DOCS["adding-an-api"].split("## Add a field")[0]
FILES = re.findall(r"`(sync_assets/\w+/forms\.py)` [^\n]*:\n\n```python\n(.*?)```", PAGE, re.S)
SETTINGS, PROOF = re.findall(r"```bash\n(.*?)```", PAGE, re.S)
#: What counts the APIs that are there.
COUNTS = ["sync_assets_tests/dagster/test_definitions.py", "sync_assets_tests/e2e/test_cli.py"]


def test_a_fourth_api_is_two_new_files_and_no_edits(world: World, tmp_path: Path) -> None:
    if shutil.which("uv") is None:
        unavailable("no uv, with which the documented commands begin")
    folder = copy_project(tmp_path / "copy")
    for name in ("sync_assets_tests", "deploy", "docs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    assert len(FILES) == 2
    for path, text in FILES:
        assert not (folder / path).exists()
        (folder / path).write_text(text)
    world.api.lists = {
        "/forms": [{"id": "f1", "title": "One"}, {"id": "f2", "title": "Two"}],
        "/forms/f1/answers": [{"id": "a", "score": 1}],
        "/forms/f2/answers": [{"id": "a", "score": 2}, {"id": "b", "score": 3}],
    }
    settings = SETTINGS.replace("https://api.example.com/v1", world.api.base_url("affiliates"))
    settings = settings.replace("your-key", SECRETS["affiliates"])
    assert settings.count("127.0.0.1") == 1
    counts = f"{sys.executable} -m pytest -q -n 0 -p no:cacheprovider {' '.join(COUNTS)}"
    type_in(
        folder, f"{settings}\n{PROOF}\nunset ${{!SOURCES__FORMS__*}}\n{counts}", uv_environment()
    )
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute("FROM forms.answers ORDER BY ALL").fetchall()
    assert rows == [("f1", "a", 1), ("f2", "a", 2), ("f2", "b", 3)]
