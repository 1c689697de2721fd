"""The table of dlt's keys in the docs: `python -m sync_assets_tests.docs.key_table` prints it."""

from __future__ import annotations

import sys

from sync_assets.sources.rest.declaration.keys import SECTIONS


def markdown() -> str:
    """Return the table for the documentation; keys with the same answer share a row."""
    rows = [
        "| part | key | honoured | or refused: reason and remedy |",
        "|---|---|---|---|",
    ]
    for where, section in SECTIONS.items():
        for column, keys in enumerate((section.honoured, section.refused)):
            by_text: dict[str, list[str]] = {}
            for key, text in keys.items():
                by_text.setdefault(text, []).append(f"`{key}`")
            for text, names in by_text.items():
                cells = [text, ""] if column == 0 else ["", text]
                rows.append(f"| {where} | {', '.join(names)} | {' | '.join(cells)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
