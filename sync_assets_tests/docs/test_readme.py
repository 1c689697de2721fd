"""What the documents claim: tables, commands, variables, layout, links, the new API."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from dlt.common.configuration.specs import BaseConfiguration

from sync_assets.lib.checks.catalog import CHECKS, CHILD_CHECKS, SOURCE_CHECKS
from sync_assets.sources.rest.records.columns import TColumns
from sync_assets.sources.rest.settings import LifeSettings, QuotaSettings
from sync_assets.warehouse.state.list_history import COLUMNS as SYNCS
from sync_assets.warehouse.state.quarantine import COLUMNS as QUARANTINE
from sync_assets_tests.docs import column_table, configuration_table, fault_table
from sync_assets_tests.support.dagster_world import LOADED
from sync_assets_tests.support.documents import DOCS, EVERYTHING, README
from sync_assets_tests.support.project import ROOT
from sync_assets_tests.support.readme_cluster import SECTION, SET_UP
from sync_assets_tests.support.world import APIS
from sync_assets_tests.warehouse.test_capabilities import ACCEPTED, REFUSED

CONFIGURATION = DOCS["configuration"]
PYPROJECT = (ROOT / "pyproject.toml").read_text()
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def test_the_table_names_every_asset_its_endpoint_and_its_parent() -> None:
    lines = re.findall(r"^\| `\w+/\w+` \|.*\|$", README, re.M)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    stated = {asset.strip("`"): tuple(others) for asset, *others in cells}
    true = {}
    for name, api in APIS.items():
        names = {parent.resource: parent.partitions for parent in api.parents}
        for endpoint in api.endpoints.values():
            true[f"{name}/{endpoint.name}"] = (
                f"`{endpoint.path}`",
                f"`{endpoint.parent}`" if endpoint.parent else "",
                f"`{names[str(endpoint.parent)]}`" if endpoint.partitioned else "",
                "each half hour while live" if endpoint.partitioned else "each half hour",
            )
    assert stated == true


def test_the_first_commands_are_the_two_that_set_everything_up() -> None:
    commands = re.findall(r"^(pip install uv && .*?)\s+#", README, re.M)
    assert commands == [
        "pip install uv && uv run dagster dev",
        "pip install uv && uv run pytest",
    ]


@pytest.mark.parametrize("section", configuration_table.SECTIONS)
def test_the_settings_are_told_as_they_are_declared(section: str) -> None:
    assert configuration_table.tables()[section] in CONFIGURATION


#: What is asked for without a secret; `ApiSettings` tells it.
PARTS = (LifeSettings, QuotaSettings)


def test_every_class_of_settings_is_told() -> None:
    specs: list[type] = [*configuration_table.SECTIONS.values(), *PARTS]
    told = {spec.__name__ for spec in specs}
    made = {
        spec.__name__
        for spec in BaseConfiguration.__subclasses__()
        if spec.__module__.startswith("sync_assets.") and spec.__name__.endswith("Settings")
    }
    assert made == told


def test_each_variable_stands_once() -> None:
    names = re.findall(r"^\| `([A-Z_<>]+__\w+)` \|", CONFIGURATION, re.M)
    assert len(names) == len(set(names))


def test_the_secrets_are_told() -> None:
    for api in APIS.values():
        name = f"SOURCES__{api.name}__{api.settings.secret_field}".upper()
        assert f"`{name}`" in CONFIGURATION
        assert f"{name}=" in README


def test_each_variable_of_the_cluster_is_told() -> None:
    for name in re.findall(r"^export (\w+)=", SET_UP, re.M):
        assert f"`{name}`" in SECTION or name.startswith("DESTINATION__"), name


def test_the_changelog_knows_this_version() -> None:
    (version,) = re.findall(r'^version = "(.+)"$', PYPROJECT, re.M)
    changelog = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.+)$", changelog, re.M)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d", headings[1])
    kinds = re.findall(r"^### (.+)$", changelog, re.M)
    assert set(kinds) <= {"Upgrading from 0.1.0", "Added", "Changed", "Fixed", "Removed"}
    assert list((ROOT / "sync_assets_tests" / "fixtures" / "warehouses").glob(f"{version}.*.sql"))


def test_the_warehouses_are_told_as_they_are_treated() -> None:
    table, refused = DOCS["warehouses"].split("\n## ")[0].split("These destinations are refused")
    for kind in ACCEPTED:
        assert re.search(rf"\b{kind}\b", table), kind
    for kind in REFUSED:
        assert re.search(rf"^\| .*\b{kind}\b.* \| ", refused, re.M), kind


def test_the_checks_are_told_in_their_order() -> None:
    told = re.findall(r"^\| `(\w+)` \| .+ \|$", DOCS["operations"].split("| must hold |")[1], re.M)
    checks = [*CHECKS, *CHILD_CHECKS, *SOURCE_CHECKS]
    assert sorted(told[: len(checks)]) == sorted(checks)


def test_the_messages_of_the_runbook_are_those_of_the_code() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "sync_assets").rglob("*.py"))
    said = re.sub(r'"\s*\n\s*f?"', "", sources)  # one message over two lines
    table = DOCS["operations"].split("| message, check or event |")[1].split("\n\n")[0]
    quoted = re.findall(r'"(.+?)"', table)
    assert len(quoted) > 10
    for part in (part for one in quoted for part in re.split(r"\d+(?:xx)?|\bN\b|\.\.\.", one)):
        assert part.strip(" ,:") in said, part


def test_the_sensors_schedules_and_jobs_are_told() -> None:
    repository = LOADED.get_repository_def()
    sensors = {sensor.name for sensor in repository.sensor_defs}
    schedules = {schedule.name for schedule in repository.schedule_defs}
    names = sensors | schedules | {n for n in repository.job_names if "__" not in n}
    patterns = re.findall(r"^\| (?:schedule|sensor|job) `(.+?)` \|", DOCS["operations"], re.M)
    shapes = [re.sub(r"<\w+>", r"\\w+", pattern) for pattern in patterns]
    assert {n for n in names if not any(re.fullmatch(s, n) for s in shapes)} == {"alerts"}


def test_the_readme_is_read_in_a_minute() -> None:
    assert len(README.splitlines()) <= 130
    assert len(README.encode()) < 8_000


def test_pictures_are_there_and_small() -> None:
    pictures = list((ROOT / "docs" / "images").iterdir())
    assert all(f"images/{picture.name}" in EVERYTHING for picture in pictures)
    assert all(picture.stat().st_size < 250_000 for picture in pictures)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(), re.M)
            assert anchor in [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings]


def test_every_page_is_in_the_index() -> None:
    assert set(re.findall(r"\(docs/(.+?)\.md\)", README)) == set(DOCS)


def test_the_table_of_faults_is_what_the_tests_make_happen() -> None:
    assert fault_table.page() == DOCS["faults"]


@pytest.mark.parametrize(("table", "columns"), [("_syncs", SYNCS), ("_quarantine", QUARANTINE)])
def test_the_columns_of_our_own_tables_are_told(table: str, columns: TColumns) -> None:
    (section,) = re.findall(rf"^## `{table}`\n(.*?)(?=^## |\Z)", DOCS["tables"], re.M | re.S)
    told = [re.findall(r"`(\w+)`", names) for names in re.findall(r"^\| (`.+?) \|", section, re.M)]
    assert sorted(name for names in told for name in names) == sorted(columns)


def test_the_columns_of_all_tables_are_told_as_they_are_declared() -> None:
    assert DOCS["tables"].endswith(column_table.section())


#: What a line of our diagrams may be. Mermaid 11.17 accepted all of these, and drew them.
OF_DIAGRAMS = re.compile(
    r"erDiagram|    [a-z_]+ \{|        [a-z]+ [a-z_]+ (PK|FK|PK, FK)|    \}"
    r"|    [a-z_]+ \|[|o]--o\{ [a-z_]+ : [a-z_]+"
)


def test_the_diagrams_name_each_table_and_each_parent() -> None:
    for api in APIS.values():
        drawn = column_table.diagram(api)
        assert [line for line in drawn.splitlines() if not OF_DIAGRAMS.fullmatch(line)] == []
        for endpoint in api.endpoints.values():
            assert f"    {endpoint.name} {{\n" in drawn
            if endpoint.parent:
                line = f"{endpoint.parent} ||--o{{ {endpoint.name} : {endpoint.parent_param}\n"
                assert line in f"{drawn}\n"


def test_the_layout_is_there() -> None:
    tree = DOCS["architecture"].split("## Layout")[1].split("```")[1]
    drawn = {name for name in re.findall(r"(\w+)/ ", tree + " ") if name != "sync_assets"}
    drawn |= {name.rstrip("/") for name in re.findall(r"\w+/(?=\n)", tree)} - {"sync_assets"}
    package = ROOT / "sync_assets"
    rooms = {path.parent.relative_to(package) for path in package.rglob("__init__.py")}
    of_the_sandbox = {"affiliates", "events", "promotions"}
    assert drawn == {room.name for room in rooms if room.name} - of_the_sandbox
    for name in re.findall(r"(\w+\.py)", tree):
        assert (package / name).exists(), name


def test_every_uv_command_names_something_that_exists() -> None:
    for command in re.findall(r"uv run ([^\n`#]+)", EVERYTHING):
        words = shlex.split(command)
        known = {"dagster", "pytest", "sync-assets", "python", "ruff", "mypy"}
        known |= {"dagster-daemon", "dagster-webserver", "celery"}
        assert words[0] in known, command
        if words[0] == "python":
            assert words[1] == "-m"
            module = ROOT / words[2].replace(".", "/")
            assert (module / "__main__.py").exists() or module.with_suffix(".py").exists()
    assert 'sync-assets = "sync_assets.__main__:run"' in PYPROJECT
