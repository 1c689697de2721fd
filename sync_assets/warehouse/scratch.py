"""Scratch folders: one for each use of dlt, gone afterwards; who is killed leaves his behind.

A folder holds a file that its process keeps locked. The kernel frees the lock with the process,
so whoever can take it knows that nobody needs the folder any more.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "sync_assets-"
IN_USE = "in_use"
A_DAY = 24 * 3600.0
_OURS = re.compile(rf"{PREFIX}\w{{8}}")  # not `sync_assets-rate-<uid>`, which is for all


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that no sweep touches as long as the block lasts; raises `OSError`."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        folder = Path(name)
        fresh = folder / f"{IN_USE}.new"
        with fresh.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            fresh.rename(folder / IN_USE)  # nobody sees the file before it is locked
            yield folder


def sweep() -> list[Path]:
    """Remove the folders of this user's dead processes; gives those that are gone."""
    found = [path for path in Path(tempfile.gettempdir()).iterdir() if _OURS.fullmatch(path.name)]
    abandoned = [folder for folder in found if _is_abandoned(folder)]
    for folder in abandoned:
        shutil.rmtree(folder, ignore_errors=True)  # another sync may be sweeping as well
    return [folder for folder in abandoned if not folder.exists()]


def _is_abandoned(folder: Path) -> bool:
    try:
        about = folder.lstat()
        if about.st_uid != os.getuid() or not folder.is_dir() or folder.is_symlink():
            return False
        with (folder / IN_USE).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except BlockingIOError:
        return False
    except FileNotFoundError:  # just being made or removed, or left by a version without the lock
        return folder.exists() and time.time() - folder.lstat().st_mtime > A_DAY
