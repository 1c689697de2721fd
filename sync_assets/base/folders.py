"""Folders of this user's own among the machine's temporary files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sync_assets.base.errors import ConfigurationError


def place_of(purpose: str) -> Path:
    """Where such a folder is, if it was ever made."""
    return Path(tempfile.gettempdir()) / f"sync_assets-{purpose}-{os.getuid()}"


def own_folder(purpose: str) -> Path:
    """A folder that no other user may read or may have made; `ConfigurationError` without one."""
    folder = place_of(purpose)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.lstat()
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be made: {error.strerror}. Set TMPDIR."
        ) from None
    if owner.st_uid != os.getuid() or folder.is_symlink():
        raise ConfigurationError(f"{folder} belongs to somebody else. Remove it, or set TMPDIR.")
    return folder
