"""The table of dlt's keys in the docs: `python -m sync_assets_tests.docs.key_table` prints it."""

from __future__ import annotations

import sys

from sync_assets.sources.rest.declaration.keys import markdown

if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
