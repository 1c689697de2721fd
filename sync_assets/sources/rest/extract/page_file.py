"""A file of pages as they came: compressed, with check sums, readable after a kill at any point.

header   a line with the format, then a line of JSON
record   kind, length and CRC-32 of the content, then the content: for a page, the digest of its URL
         and its body; for a seam, how many pages before the next one count only by their rows
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import IO

MAGIC = b"sync_assets, pages of an unfinished list, 1\n"
PAGE, SEAM = b"p", b"s"
HEAD = struct.Struct(">cII")
DIGEST = 32


@dataclass(frozen=True)
class Kept:
    """The position of a page in the file, in bytes.

    At a `seam` the list had moved. Of the pages in `aside` before it, only the rows count.
    """

    at: int
    size: int
    check: int
    seam: bool = False
    aside: tuple[Kept, ...] = ()


def digest(url: str) -> bytes:
    """Return the SHA-256 of a URL; the URL itself may hold a secret, so it is not stored."""
    return sha256(url.encode()).digest()


def page_record(url: str, body: bytes) -> bytes:
    """Return a page as the file stores it."""
    return _record(PAGE, zlib.compress(digest(url) + body, 1))


def seam_record(back: int) -> bytes:
    """Return a seam as the file stores it; of `back` pages before it, only the rows count."""
    return _record(SEAM, str(back).encode())


@dataclass(frozen=True)
class Header:
    """When the first page was requested, and until when a sync may resume the list."""

    read_at: datetime
    until: datetime

    def written(self) -> bytes:
        """Return the first bytes of a file."""
        fields = {"read_at": self.read_at.isoformat(), "until": self.until.isoformat()}
        return MAGIC + json.dumps(fields).encode() + b"\n"


def read_header(file: IO[bytes]) -> Header | None:
    """Return the header of a file; None if the file is not ours or is cut off."""
    try:
        if file.readline(len(MAGIC)) != MAGIC:
            return None
        fields = json.loads(file.readline(1_000))
        times = [datetime.fromisoformat(fields[name]) for name in ("read_at", "until")]
    except (ValueError, KeyError, TypeError):
        return None
    return Header(*times) if all(time.tzinfo is not None for time in times) else None


def read_page(file: IO[bytes], kept: Kept) -> tuple[bytes, bytes]:
    """Return the digest of a page's URL, and its body; raises `ValueError` if it is damaged."""
    file.seek(kept.at)
    content = file.read(kept.size)
    if zlib.crc32(content) != kept.check:
        raise ValueError("a page on disk is damaged")
    content = zlib.decompress(content)
    return content[:DIGEST], content[DIGEST:]


def read_index(file: IO[bytes]) -> tuple[list[Kept], int]:
    """Return the pages behind the header, and the offset at which the last whole page ends."""
    pages: list[Kept] = []
    end, back = file.tell(), None
    for kind, page in _records(file):
        if kind == SEAM:
            file.seek(page.at)
            if zlib.crc32(content := file.read(page.size)) != page.check:
                break
            back = int(content)
            continue
        if back is not None:
            page, pages = _with_seam(pages, page, back)
        pages.append(page)
        end, back = page.at + page.size, None
    return pages, end


def _records(file: IO[bytes]) -> Iterator[tuple[bytes, Kept]]:
    at, size = file.tell(), os.fstat(file.fileno()).st_size
    while at + HEAD.size <= size:
        file.seek(at)
        kind, length, check = HEAD.unpack(file.read(HEAD.size))
        at += HEAD.size
        if kind not in (PAGE, SEAM) or at + length > size:
            return
        yield kind, Kept(at, length, check)
        at += length


def _with_seam(pages: list[Kept], page: Kept, back: int) -> tuple[Kept, list[Kept]]:
    """Return the page behind a seam, and the earlier pages that still count as pages."""
    first = len(pages) - back
    aside = tuple(one for old in pages[first:] for one in (*old.aside, old))
    return Kept(page.at, page.size, page.check, seam=True, aside=aside), pages[:first]


def _record(kind: bytes, content: bytes) -> bytes:
    return HEAD.pack(kind, len(content), zlib.crc32(content)) + content
