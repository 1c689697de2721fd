"""Keeps the pages of an incomplete list on disk, so that the next sync can resume it.

Each list has a file that only this user may read and only one process uses at a time.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO

from sync_assets.base import times
from sync_assets.base.errors import brief
from sync_assets.base.folders import own_folder, place_of
from sync_assets.sources.rest.extract.page_file import (
    Header,
    Kept,
    page_record,
    read_header,
    read_index,
    read_page,
    seam_record,
)

#: Pages: a shorter list is read again.
AFTER = 20
#: Bytes that all lists of this user keep at most, and after how many more one looks again.
MOST, LOOK_EVERY = 2 * 1024**3, 16 * 1024**2


def _silent(message: str) -> None:
    """Discard a message."""


class Unfinished:
    """The pages of one list from its first page on, which was requested at `read_at`.

    `pages` are those that an earlier process left. Without a file, nothing is kept.
    """

    def __init__(
        self,
        file: Path | None = None,
        hours: float = 0.0,
        say: Callable[[str], None] = _silent,
    ) -> None:
        self.pages: list[Kept] = []
        self.read_at = times.now()
        self._file, self._hours, self._say = file, timedelta(hours=hours), say
        self._handle: IO[bytes] | None = None
        self._waiting: list[bytes] = []
        self._looked_at = 0
        if file is not None and file.exists() and (handle := self._open(file, os.O_RDWR)):
            self._load(handle)

    @property
    def until(self) -> datetime | None:
        """Until when a later sync may resume the list; None if nothing is on disk."""
        return self.read_at + self._hours if self._handle is not None else None

    def append(self, url: str, body: bytes, seam: int | None = None) -> None:
        """Keep one more page; at a seam, only the rows of `seam` pages before it count."""
        if self._file is None:
            return
        self._waiting.append(b"" if seam is None else seam_record(seam))
        self._waiting[-1] += page_record(url, body)
        if self._handle is None and len(self._waiting) < AFTER:
            return
        try:
            self._write(self._file)
        except OSError as error:
            self._give_up(brief(error))

    def page(self, kept: Kept) -> tuple[bytes, bytes]:
        """Return the digest of a page's URL, and its body; raises `ValueError` if it is damaged."""
        if self._handle is None:
            raise ValueError("the pages on disk are gone")
        try:
            return read_page(self._handle, kept)
        except (OSError, zlib.error) as error:
            raise ValueError(f"a page on disk cannot be read: {error}") from None

    def begin_anew(self) -> None:
        """Forget all pages, because the list is read again from its first page."""
        self.pages, self._waiting, self.read_at = [], [], times.now()
        self._looked_at = 0
        if self._handle is None:
            return
        try:
            self._handle.seek(0)
            self._handle.truncate()
            self._handle.write(self._header())
        except OSError as error:
            self._give_up(brief(error))

    def close(self) -> Path | None:
        """Leave the pages for the next sync; return their file, if there is one."""
        file = self._file if self._handle is not None else None
        if self._handle is not None:
            self._handle.close()
        self._handle = self._file = None
        return file

    def remove(self) -> None:
        """Remove the pages, because nobody needs them any more."""
        if file := self.close():
            file.unlink(missing_ok=True)

    def _open(self, file: Path, flags: int) -> IO[bytes] | None:
        """Lock the file for this process; if that fails, keep nothing."""
        try:
            number = os.open(file, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            self._handle = os.fdopen(number, "r+b")
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(number).st_ino == file.stat().st_ino:
                return self._handle
        except OSError:  # another process reads this list, or it is no file of ours
            pass
        self.close()
        return None

    def _load(self, handle: IO[bytes]) -> None:
        header = read_header(handle)
        now = times.now()
        if header is None or not now - self._hours <= header.read_at <= now:
            self.begin_anew()
            return
        self.read_at = header.read_at
        self.pages, end = read_index(handle)
        handle.truncate(end)

    def _write(self, file: Path) -> None:
        handle = self._handle
        if handle is None:
            handle = self._open(file, os.O_RDWR | os.O_CREAT)
            if handle is None:
                return
            handle.truncate(0)
            handle.write(self._header())
        handle.seek(0, os.SEEK_END)
        handle.write(b"".join(self._waiting))
        handle.flush()
        self._waiting = []
        if not self._looked_at or handle.tell() > self._looked_at + LOOK_EVERY:
            self._looked_at = handle.tell()
            if _size(file.parent) > MOST:
                self._give_up(f"lists that are not complete hold {MOST / 1024**3:.0f} GiB already")

    def _header(self) -> bytes:
        return Header(self.read_at, self.read_at + self._hours).written()

    def _give_up(self, why: str) -> None:
        self._say(f"if this read is cut off, the list is read from its start again: {why}")
        self.remove()


def _size(place: Path) -> int:
    """Return the bytes of all files in a folder; files may appear and vanish meanwhile."""
    size = 0
    for file in place.iterdir():
        with suppress(OSError):
            size += file.stat().st_size
    return size


def folder() -> Path:
    """Return the folder of unfinished lists; raises `ConfigurationError` if it is not ours."""
    return own_folder("unfinished")


def waiting(of: tuple[str | None, ...]) -> Path:
    """Return the file for the pages of a list; its name is a digest of the list's identity."""
    return folder() / sha256(repr(of).encode()).hexdigest()[:32]


def sweep() -> list[Path]:
    """Remove files that have expired and are not in use; return them."""
    gone: list[Path] = []
    for file in folder().iterdir() if place_of("unfinished").exists() else ():
        try:
            with file.open("rb") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                header = read_header(handle)
                if header is not None and header.until < times.now():
                    file.unlink()
                    gone.append(file)
        except OSError:  # it is in use, gone, or no file
            continue
    return gone
