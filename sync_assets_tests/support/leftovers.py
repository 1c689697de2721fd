"""What syncs leave behind in a folder for temporary files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def left_behind(paths: Iterable[Path]) -> list[str]:
    """The names of paths, but for the folder in which processes tell of their rate: it stays."""
    return [path.name for path in paths if not path.name.startswith("sync_assets-rate-")]
