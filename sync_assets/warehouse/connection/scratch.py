"""Scratch folders: one for each use of dlt, removed afterwards or, after a kill, by a later sync.

Each folder holds a file that marks it as ours and that its process keeps locked. The kernel frees
the lock when the process ends, so whoever gets the lock knows that the folder is no longer needed.
A folder without the mark belongs to somebody else, whatever its name.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "sync_assets-"
IN_USE = "in_use"
_OURS = re.compile(rf"{PREFIX}\w{{8}}")  # not `sync_assets-rate-<uid>`, which is for all


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder for the block and remove it afterwards; raises `OSError`."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        folder = Path(name)
        fresh = folder / f"{IN_USE}.new"
        with fresh.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(_mark(folder))
            file.flush()
            fresh.rename(folder / IN_USE)  # nobody sees the file before it is locked
            yield folder


def sweep() -> list[Path]:
    """Remove the folders of this user's dead processes; return those that were removed."""
    found = [path for path in Path(tempfile.gettempdir()).iterdir() if _OURS.fullmatch(path.name)]
    abandoned = [folder for folder in found if _is_abandoned(folder)]
    for folder in abandoned:
        shutil.rmtree(folder, ignore_errors=True)  # another sync may be sweeping as well
    return [folder for folder in abandoned if not folder.exists()]


def _mark(folder: Path) -> bytes:
    """Return the mark of a folder, which is not valid in a copy of the folder elsewhere."""
    return f"scratch folder of sync_assets, may be removed once unlocked: {folder.name}\n".encode()


def _is_abandoned(folder: Path) -> bool:
    try:
        if not all(_is_mine(path) for path in (folder, folder / IN_USE)):
            return False
        with (folder / IN_USE).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file.read(1000) == _mark(folder)
    except OSError:  # it is in use, is just being made or removed, or may not be read
        return False


def _is_mine(path: Path) -> bool:
    """Whether this user made a file or folder, and it is not a link or a device."""
    about = path.lstat()
    plain = stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)
    return plain and about.st_uid == os.getuid()
