"""Private folders of this user in the machine's temporary directory."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sync_assets.base.errors import ConfigurationError


def place_of(purpose: str) -> Path:
    """Return the path of such a folder, whether or not it exists."""
    return Path(tempfile.gettempdir()) / f"sync_assets-{purpose}-{os.getuid()}"


def own_folder(purpose: str) -> Path:
    """Create a folder that only this user can read and return it.

    Raises `ConfigurationError` if it cannot be made, or if another user made it.
    """
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
