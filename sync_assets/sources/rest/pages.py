"""Pages that came with an ETag, kept so that an API need not send again what did not change.

GET /users/42                         200, ETag: "v1", the page        kept
GET /users/42, If-None-Match: "v1"    304, nothing                     the kept page is the answer

A page is trusted for some days only: an API that forgets to change an ETag freezes no table.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from requests import PreparedRequest, Response

from sync_assets.sources.rest import times
from sync_assets.sources.rest.errors import ConfigurationError
from sync_assets.sources.rest.folders import own_folder, own_path

PURPOSE = "pages"
DAY = 86_400.0
ABANDONED = 7 * DAY
LARGEST_PAGE = 8 * 2**20
LARGEST_FOLDER = 512 * 2**20
ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{1,250}"')


@dataclass(frozen=True)
class Page:
    """A page as it once arrived; `name` is that of its file."""

    name: str
    etag: str
    content_type: str
    body: bytes

    def asked_for(self, request: PreparedRequest) -> PreparedRequest:
        """The same request on the condition that the page has changed."""
        asked = request.copy()  # a redirect copies the headers of the original
        asked.headers["If-None-Match"] = self.etag
        return asked

    def answer(self, response: Response) -> None:
        """Turn a 304 into the answer that it stands for."""
        response.status_code, response.reason = 200, "OK"
        response.headers["Content-Type"] = self.content_type
        response._content = self.body

    def is_meant_by(self, response: Response) -> bool:
        """Whether a 304 is about this page: it may name what has not changed."""
        named = response.headers.get("ETag", self.etag)
        return named.removeprefix("W/") == self.etag.removeprefix("W/")

    def to_bytes(self) -> bytes:
        """The content of its file: what a torn or foreign one cannot be."""
        head = json.dumps([self.name, self.etag, self.content_type]).encode()
        told = head + b"\n" + self.body
        return hashlib.sha256(told).hexdigest().encode() + b"\n" + told

    @classmethod
    def from_bytes(cls, name: str, content: bytes) -> Page | None:
        """Read a file; None where it is not what was written under that name."""
        checksum, _, told = content.partition(b"\n")
        if checksum != hashlib.sha256(told).hexdigest().encode():
            return None
        head, _, body = told.partition(b"\n")
        own_name, etag, content_type = json.loads(head)
        return cls(name, etag, content_type, body) if own_name == name else None


class Pages:
    """The kept pages of one account, each for so many `days`; none if that is 0.

    They are a help, never a need: where they cannot be kept, the API sends them again.
    """

    def __init__(self, account: str, days: float) -> None:
        self._account, self._age = _hash(account), days * DAY
        self._folder: Path | None = None
        self._trouble: str | None = None
        self._off = not days
        self._room = 0
        self._lock = threading.Lock()
        if own_path(PURPOSE).exists():
            self._open()

    def find(self, request: PreparedRequest) -> Page | None:
        """The kept page of a request, unless it is too old or not what was kept."""
        if self._folder is None or self._off:
            return None
        file = self._folder / self._name(request)
        try:
            if self._is_old(file.stat().st_mtime, self._age):
                return None
            return Page.from_bytes(file.name, file.read_bytes())
        except (OSError, ValueError):  # mostly because there is none
            return None

    def keep(self, response: Response) -> str | None:
        """Keep a page that has proved to be one; tells once if that is impossible."""
        if not self._off and _worth_keeping(response):
            name, headers = self._name(response.request), response.headers
            kind = headers.get("Content-Type", "")
            page = Page(name, headers["ETag"], kind, response.content)
            try:
                self._write(name, page.to_bytes())
            except OSError as error:
                self._give_up(error)
        with self._lock:
            trouble, self._trouble = self._trouble, None
        return trouble

    def forget(self, *names: str) -> None:
        """Have pages sent again that did not make up a list."""
        if self._folder is None:
            return
        try:
            for name in names:
                (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            self._give_up(error)

    def _open(self) -> None:
        """Make the folder, if it is not there, and tidy it up."""
        try:
            folder = own_folder(PURPOSE)
            self._room = LARGEST_FOLDER - self._sweep(folder)
            self._folder = folder
        except (ConfigurationError, OSError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._off = True
        self._trouble = f"pages cannot be kept, so the API sends all of them: {error}"

    def _write(self, name: str, content: bytes) -> None:
        with self._lock:
            if self._folder is None:
                self._open()
            if self._folder is None or self._room < len(content):
                return
            self._room -= len(content)
        file = self._folder / name
        fresh = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            fresh.write_bytes(content)
            os.utime(fresh, (times.now().timestamp(),) * 2)
            fresh.replace(file)
        finally:
            fresh.unlink(missing_ok=True)

    def _sweep(self, folder: Path) -> int:
        """Remove what is too old, also of accounts that are gone; gives the bytes that stay."""
        size = 0
        with os.scandir(folder) as files:
            for file in files:
                try:
                    found = file.stat()
                except FileNotFoundError:  # another process sweeps too
                    continue
                age = self._age if file.name.startswith(self._account) else ABANDONED
                if self._is_old(found.st_mtime, age):
                    Path(file.path).unlink(missing_ok=True)
                else:
                    size += found.st_size
        return size

    def _name(self, request: PreparedRequest) -> str:
        return f"{self._account}-{_hash(request.path_url)}"

    def _is_old(self, written: float, age: float) -> bool:
        return not 0 <= times.now().timestamp() - written < age


def _worth_keeping(response: Response) -> bool:
    """Whether a page may be kept and is new; its ETag is a header of ours next time."""
    return (
        response.raw.status == 200
        and ETAG.fullmatch(response.headers.get("ETag", "")) is not None
        and "no-store" not in response.headers.get("Cache-Control", "").lower()
        and len(response.content) <= LARGEST_PAGE
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
