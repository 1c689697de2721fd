"""The page of faults: `python -m sync_assets_tests.docs.fault_table > docs/faults.md` writes it.

It holds what the tests make happen: BROKEN, ENDLESS, ODD_LINKS and PAUSES, and the `FAULTS` of
each test module that has them, which maps an input to its outcome. Inputs of one kind are written
"kind: input", and stand in one row if their outcome is the same.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from itertools import chain
from types import ModuleType

from sync_assets_tests.sources.test_faults import BROKEN, ENDLESS, PASSING
from sync_assets_tests.sources.test_origin import ODD_LINKS
from sync_assets_tests.sources.test_retries import PAUSES
from sync_assets_tests.support.project import ROOT

COMPLETE = "asked again, complete"
INTRODUCTION = """\
# Faults

What may go wrong, and what comes of it. Each input is a test. The page is generated from the tests:
`uv run python -m sync_assets_tests.docs.fault_table > docs/faults.md`.

A list that fails keeps its old rows, and all other lists are loaded. The run ends red and names it.
"Refused" means that nothing is read and nothing is changed; what follows the colon is from the
message.

## What the API does

"Once" means that the fault happens one time, "for ever" that it never stops.
"""
HEADER = (
    "| what the API does | once | for ever: the list fails, and its error says |\n|---|---|---|"
)
SHORT_HEADER = "| what | outcome |\n|---|---|"
#: By subject, the test modules; those that nobody names here come last.
SUBJECTS = {
    "What the API does": ("whole", "torn_reads", "overlap", "parts", "refusals", "unreachable"),
    "Waits": ("patience", "stop"),
    "Lists that are cut off": ("resume",),
    "Values and columns": ("numbers", "names", "times", "quarantine", "conflicts"),
    "What is ours and what is not": ("ours", "partitions", "scratch", "own_files"),
    "The warehouse": (
        "warehouse_refused",
        "rights",
        "postgres_locks",
        "postgres_readers",
        "patient_warehouse",
        "refusing_tables",
    ),
    "Settings and secrets": ("refused_early", "surroundings", "secrets", "discretion"),
    "Declarations": ("declarations",),
}
OTHERS = "Runs"


def page() -> str:
    """The whole page."""
    told = _told()
    sections = [f"{INTRODUCTION}\n{table()}\n"]
    for subject in [*SUBJECTS, OTHERS]:
        modules = [told.pop(name) for name in SUBJECTS.get(subject, sorted(told)) if name in told]
        title = [f"## {subject}\n"] if modules and subject not in INTRODUCTION else []
        sections += [*title, *map(_section, modules)]
    return "\n".join(sections)


def _told() -> dict[str, ModuleType]:
    """The test modules that have FAULTS, by their names without `test_`."""
    told = {}
    for path in sorted((ROOT / "sync_assets_tests").rglob("test_*.py"), key=lambda path: path.stem):
        if re.search(r"^FAULTS\b", path.read_text(), re.M):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            told[path.stem.removeprefix("test_")] = importlib.import_module(name)
    return told


def _section(module: ModuleType) -> str:
    (title, *_) = str(module.__doc__).splitlines()
    return "\n".join([title, "", SHORT_HEADER, *_merged(module.FAULTS), ""])


def _merged(faults: Mapping[str, str]) -> list[str]:
    """A row for each kind of input and outcome."""
    rows: dict[tuple[str, str], list[str]] = {}
    for what, outcome in faults.items():
        kind, colon, one = what.partition(": ")
        rows.setdefault((kind if colon else "", outcome), []).append(one if colon else what)
    return list(
        chain.from_iterable(
            [_row(f"{kind}: {'; '.join(ones)}", outcome)]
            if kind
            else [_row(one, outcome) for one in ones]
            for (kind, outcome), ones in rows.items()
        )
    )


def table() -> str:
    """A row for each fault of a page or an answer; causes are what the tests look for."""
    rows = [
        (name, COMPLETE if name in PASSING else "-", _plain(cause) or f"the API answered {name}")
        for name, (_, _, cause) in BROKEN.items()
    ]
    rows += [(name, "-", _plain(cause)) for name, (_, _, _, cause) in ENDLESS.items()]
    rows += [
        (f"a next link or redirect: {name}", "-", _plain(cause))
        for name, (_, cause) in ODD_LINKS.items()
    ]
    rows += [(f"Retry-After: {name}", "waits, complete", "the API answered 429") for name in PAUSES]
    return "\n".join([HEADER, *(_row(*row) for row in rows)])


def _row(*cells: str) -> str:
    return " | ".join(["", *(cell.replace("|", r"\|") for cell in cells), ""]).strip()


def _plain(cause: str) -> str:
    """A pattern as words: the alternatives of one cause, without the pattern's own signs."""
    text = re.sub(r"\.\*", "", cause).replace("\\", "").strip()
    text = re.sub(r"(\d)\[(\d+)\]", r"\1x", text)
    return " or ".join(part.strip() for part in text.split("|"))


if __name__ == "__main__":
    sys.stdout.write(page())
