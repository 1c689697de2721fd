"""`sync-assets dbt`: write the tables as sources of a dbt project."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from sync_assets.base.env_file import read_env_file
from sync_assets.base.errors import SyncError
from sync_assets.dbt_sources import MARK, sources_yml
from sync_assets.sources.rest.api import Api


def dbt(console: Console, argv: Sequence[str], known: Mapping[str, Api]) -> int:
    """Write the file; gives 1 where the configuration or the place does not allow it, else 0."""
    parser = argparse.ArgumentParser("sync-assets dbt", description=__doc__)
    parser.add_argument(
        "file", nargs="?", type=Path, default=Path("sources.yml"), help="sources.yml by default"
    )
    file: Path = parser.parse_args(argv).file
    read_env_file(Path.cwd())
    try:
        text = sources_yml(known.values())
        if file.exists() and not file.read_text().startswith(MARK):
            why = "was not written by `sync-assets dbt`, so it stays as it is. Name another file"
            raise SyncError(f"{file} {why}.")
        file.write_text(text)
    except (SyncError, OSError) as error:
        console.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    console.print(f"Wrote {file}: {len(known)} sources.", markup=False, soft_wrap=True)
    return 0
