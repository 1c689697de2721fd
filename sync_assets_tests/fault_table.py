"""The table of faults in docs/faults.md: `python -m sync_assets_tests.fault_table` prints it."""

from __future__ import annotations

import re
import sys

from sync_assets_tests.test_faults import BROKEN, ENDLESS, PASSING
from sync_assets_tests.test_origin import ODD_LINKS
from sync_assets_tests.test_retries import PAUSES

COMPLETE = "asked again, complete"
HEADER = (
    "| what the API does | once | for ever: red, old rows kept, all others loaded |\n|---|---|---|"
)


def table() -> str:
    """A row for each fault that the tests make happen; causes are what the tests look for."""
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
    return "\n".join([HEADER, *(f"| {' | '.join(row)} |" for row in rows)])


def _plain(cause: str) -> str:
    """A pattern as words: the alternatives of one cause, without the pattern's own signs."""
    text = re.sub(r"\.\*", "", cause).replace("\\", "").strip()
    text = re.sub(r"(\d)\[(\d+)\]", r"\1x", text)
    return " or ".join(part.strip() for part in text.split("|"))


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
