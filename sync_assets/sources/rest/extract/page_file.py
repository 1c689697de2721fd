"""A file of pages as they came: compressed, each with a check sum, cut off anywhere by a kill.

header   a line that says what it is, a line of JSON
record   kind, length and check sum of what follows: the digest of an address and a body for a page;
         for a seam, how many pages before the next one count by their rows alone
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
    """Where a page is in the file.

    At a `seam` the list had moved; `aside` are pages before it of which only the rows count.
    """

    at: int
    size: int
    check: int
    seam: bool = False
    aside: tuple[Kept, ...] = ()


def digest(url: str) -> bytes:
    """What is kept of an address, which may hold a secret."""
    return sha256(url.encode()).digest()


def page_record(url: str, body: bytes) -> bytes:
    """A page as the file holds it."""
    return _record(PAGE, zlib.compress(digest(url) + body, 1))


def seam_record(back: int) -> bytes:
    """A seam: the next page joins, and of so many before it only the rows count."""
    return _record(SEAM, str(back).encode())


@dataclass(frozen=True)
class Header:
    """When the first page was asked for, and until when somebody may go on with the list."""

    read_at: datetime
    until: datetime

    def written(self) -> bytes:
        """The beginning of a file."""
        told = {"read_at": self.read_at.isoformat(), "until": self.until.isoformat()}
        return MAGIC + json.dumps(told).encode() + b"\n"


def read_header(file: IO[bytes]) -> Header | None:
    """What the file says of itself; None where it is none of ours, or cut off."""
    try:
        if file.readline(len(MAGIC)) != MAGIC:
            return None
        told = json.loads(file.readline(1_000))
        times = [datetime.fromisoformat(told[name]) for name in ("read_at", "until")]
    except (ValueError, KeyError, TypeError):
        return None
    return Header(*times) if all(time.tzinfo is not None for time in times) else None


def read_page(file: IO[bytes], kept: Kept) -> tuple[bytes, bytes]:
    """The digest of a page's address, and its body; `ValueError` where it is damaged."""
    file.seek(kept.at)
    content = file.read(kept.size)
    if zlib.crc32(content) != kept.check:
        raise ValueError("a page on disk is damaged")
    content = zlib.decompress(content)
    return content[:DIGEST], content[DIGEST:]


def read_index(file: IO[bytes]) -> tuple[list[Kept], int]:
    """The pages behind the header, and where the last whole one ends."""
    pages: list[Kept] = []
    end, back = file.tell(), None
    for kind, page in _records(file):
        if kind == SEAM:
            file.seek(page.at)
            if zlib.crc32(told := file.read(page.size)) != page.check:
                break
            back = int(told)
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
    """The page behind a seam, and those before it that still count as pages."""
    first = len(pages) - back
    aside = tuple(one for old in pages[first:] for one in (*old.aside, old))
    return Kept(page.at, page.size, page.check, seam=True, aside=aside), pages[:first]


def _record(kind: bytes, content: bytes) -> bytes:
    return HEAD.pack(kind, len(content), zlib.crc32(content)) + content
