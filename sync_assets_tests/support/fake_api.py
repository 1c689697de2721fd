"""A server with the shapes of the three APIs that serves plain dicts and misbehaves on command.

It shares no code with the project's sandbox: a mistake would have to be made twice to stay unseen.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

PREFIXES = {"promotions": "/promo/v2", "affiliates": "/aff", "events": "/tickets/v1"}
SECRETS = {"promotions": "canary-bearer", "affiliates": "canary-affkey", "events": "canary-evkey"}
AUTHORIZATION = {
    "promotions": f"Bearer {SECRETS['promotions']}",
    "affiliates": f"Bearer {SECRETS['affiliates']}",
    "events": "Basic " + b64encode(f"{SECRETS['events']}:".encode()).decode(),
}


@dataclass
class Fault:
    """What becomes of the right answer; `page` None means any page, `times` None for ever.

    `edit` changes the right body, `body` replaces it. `cut` sends only so many bytes of it,
    `reset` nothing at all, `drip` waits so long between two bytes. `after` runs once it is sent.
    """

    page: int | None = None
    times: int | None = None
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    edit: Callable[[Any], Any] | None = None
    delay: float = 0.0
    drip: float = 0.0
    cut: int | None = None
    reset: bool = False
    after: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Seen:
    """One request as the server saw it; `path` is without the API's prefix and unquoted."""

    source: str
    path: str
    raw_path: str
    raw_query: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float


@dataclass(frozen=True)
class Page:
    """One page of a list: where it stands, how long it may be, how long the list is."""

    number: int
    rows: list[Any]
    start: int
    size: int
    total: int

    @property
    def more(self) -> bool:
        """Whether another page follows."""
        return self.start + self.size < self.total


class FakeApi:
    """Three APIs on one free port: `lists["/users/42"]` is what that path lists.

    With `totals` affiliates tell the size of their lists. `takes` says how many rows a page has for
    a limit; 0 is refused with the status `refusal`, as is a page that does not exist. The cursors
    of promotions are page numbers, unless `cursor` makes another one of a page and `position` finds
    it.
    """

    def __init__(self) -> None:
        self.lists: dict[str, list[Any]] = {}
        self.page_size = 3
        self.latency = 0.0
        self.patience = 3_000
        self.authorization = dict(AUTHORIZATION)
        self.seen: list[Seen] = []
        self.in_flight = self.most_in_flight = 0
        self.next_link: Callable[[str, int], Any] = lambda url, page: f"{url}?page={page}"
        self.last_links: dict[str, Any] | None = {"next": None}
        self.last_paging: dict[str, Any] = {"next_cursor": None}
        self.totals = False
        self.takes: Callable[[int], int] = lambda limit: limit
        self.refusal = 404
        self.position: Callable[[dict[str, str]], int] | None = None
        self.cursor: Callable[[Page], int] | None = None
        self.faults: dict[str, list[Fault]] = {}
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def base_url(self, source: str) -> str:
        """What comes before the paths of an API."""
        return self.address + PREFIXES[source]

    def count_from(self, first: int) -> None:
        """Let the cursors of promotions be offsets, counted from this number."""
        self.cursor = lambda page: page.start + page.size + first
        self.position = lambda query: int(query.get("next_cursor", first)) - first

    def fail(self, path: str, **fault: Any) -> None:
        """Misbehave at a path; earlier commands go first, while they last."""
        self.faults.setdefault(path, []).append(Fault(**fault))

    def heal(self) -> None:
        """Behave from now on, and forget what was seen."""
        self.faults.clear()
        self.seen.clear()

    def asked(self, path: str) -> list[Seen]:
        """The requests that came for a path."""
        return [seen for seen in list(self.seen) if seen.path == path]

    @contextmanager
    def running(self) -> Iterator[FakeApi]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def page(self, source: str, path: str, query: dict[str, str]) -> Page | None:
        """The page of a list that a query asks for; None where there is none."""
        if path not in self.lists:
            return None
        rows = self.lists[path]
        size = min(self.takes(int(query.get("limit", self.page_size))), self.page_size)
        if not size:
            return None
        if source == "promotions" and self.position is not None:
            start: int | None = self.position(query)
        else:
            start = POSITION[source](rows, query, size)
        if start is None:
            return None
        return Page(-(-start // size) + 1, rows[start : start + size], start, size, len(rows))

    def body(self, source: str, path: str, page: Page) -> dict[str, Any]:
        """A page in the envelope of its API."""
        if source == "promotions":
            following = page.number + 1 if self.cursor is None else self.cursor(page)
            paging = {"next_cursor": following} if page.more else self.last_paging
            return {"items": page.rows, "paging": {**paging, "items_page": len(page.rows)}}
        if source == "affiliates":
            url = self.base_url(source) + path
            link = self.next_link(url, page.number + 1) if page.more else None
            links = {"next": link} if page.more else self.last_links
            return {"data": page.rows, "links": links, **(_meta(page) if self.totals else {})}
        link = f"{path}?starting_after={page.rows[-1].get('id')}" if page.more else None
        if link is None and self.last_links is None:
            return {"data": page.rows}
        return {"data": page.rows, "links": {"next": link} if page.more else self.last_links}

    def fault(self, path: str, page: int) -> Fault:
        """The next command for a page of a path, used up."""
        with self.lock:
            for fault in self.faults.get(path, []):
                if fault.page in (None, page) and fault.times != 0:
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return Fault()


def _meta(page: Page) -> dict[str, Any]:
    last = max(1, -(-page.total // page.size))
    return {
        "meta": {
            "current_page": page.number,
            "last_page": last,
            "per_page": page.size,
            "total": page.total,
        }
    }


def _after_id(rows: list[Any], query: dict[str, str], size: int) -> int | None:
    if "starting_after" not in query:
        return 0
    ids = [row.get("id") for row in rows]
    wanted = query["starting_after"]
    return ids.index(wanted) + 1 if wanted in ids else None


def _by_number(name: str) -> Callable[[list[Any], dict[str, str], int], int | None]:
    def position(rows: list[Any], query: dict[str, str], size: int) -> int | None:
        number = query.get(name, query.get("cursor", "1"))
        return (int(number) - 1) * size if number.isdigit() else None

    return position


POSITION: dict[str, Callable[[list[Any], dict[str, str], int], int | None]] = {
    "promotions": _by_number("next_cursor"),
    "affiliates": _by_number("page"),
    "events": _after_id,
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that give up are part of the game."""


def _handler(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True
        timeout = 10

        def do_GET(self) -> None:
            """Answer one request."""
            with api.lock:
                api.in_flight += 1
                api.most_in_flight = max(api.most_in_flight, api.in_flight)
            try:
                _answer(api, self)
            finally:
                with api.lock:
                    api.in_flight -= 1

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    return Handler


def _answer(api: FakeApi, handler: BaseHTTPRequestHandler) -> None:
    url = urlsplit(handler.path)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    source = next((s for s, prefix in PREFIXES.items() if url.path.startswith(prefix + "/")), "")
    raw_path = url.path.removeprefix(PREFIXES.get(source, ""))
    headers = {name.lower(): value for name, value in handler.headers.items()}
    path = unquote(raw_path)
    api.seen.append(Seen(source, path, raw_path, url.query, query, headers, time.monotonic()))
    page = api.page(source, path, query) if source else None
    fault = api.fault(path, page.number if page else 0)
    time.sleep(api.latency + fault.delay)
    if fault.reset:
        _reset(handler)
        return
    status, body = _right_answer(api, source, path, headers, page)
    if fault.edit is not None:
        body = fault.edit(body)
    content = json.dumps(body).encode() if fault.body is None else fault.body
    as_commanded = fault.body is not None or fault.status != 200
    _send(handler, fault, fault.status if as_commanded else status, content)
    fault.after()


def _right_answer(
    api: FakeApi, source: str, path: str, headers: dict[str, str], page: Page | None
) -> tuple[int, Any]:
    if len(api.seen) > api.patience:
        return 508, {"message": "asked without end"}
    if source and headers.get("authorization") != api.authorization[source]:
        return 403, {"message": "Forbidden"}
    if page is None:
        return api.refusal if path in api.lists else 404, {"message": f"nothing at {path}"}
    return 200, api.body(source, path, page)


def _send(handler: BaseHTTPRequestHandler, fault: Fault, status: int, content: bytes) -> None:
    content = b"" if status == 304 else content
    handler.send_response_only(status)
    fault.headers.setdefault("Date", handler.date_time_string())
    for name, value in {"Content-Type": "application/json", **fault.headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    if fault.drip:
        _drip(handler, content, fault.drip)
        return
    handler.wfile.write(content if fault.cut is None else content[: fault.cut])
    handler.wfile.flush()
    if fault.cut is not None:
        handler.close_connection = True


def _drip(handler: BaseHTTPRequestHandler, content: bytes, pause: float) -> None:
    for i in range(len(content)):
        handler.wfile.write(content[i : i + 1])
        handler.wfile.flush()
        time.sleep(pause)


def _reset(handler: BaseHTTPRequestHandler) -> None:
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
    handler.connection.close()
