"""A server of lists as long as asked for, made as they are read: `python -m ... ROWS PAGE`.

`/participations/{id}` lists so many rows in pages of that size, all else one. Prints its port,
serves until its input ends.
"""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

ROW = (
    '{"id": "%d", "promotion_id": "%s", "created": "2026-03-02T10:%02d:00Z", "ip": "10.0.0.1",'
    ' "stage_id": "1", "user_agent": "Mozilla/5.0 (X11; Linux x86_64)", "user_id": "u%d",'
    ' "data": {"answer": %d, "points": [1, 2, 3], "text": "What was asked for"}}'
)


def page(parent: str, number: int, size: int, rows: int) -> bytes:
    """A page in the envelope of the promotions API."""
    first, end = (number - 1) * size, min(number * size, rows)
    items = ", ".join(ROW % (n, parent, n % 60, n % 1000, n % 7) for n in range(first, end))
    following = number + 1 if end < rows else "null"
    return f'{{"items": [{items}], "paging": {{"next_cursor": {following}}}}}'.encode()


def server(rows: int, size: int) -> ThreadingHTTPServer:
    """A server on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            number = int(parse_qs(url.query).get("next_cursor", ["1"])[0])
            listed = rows if "/participations/" in url.path else 1
            content = page(url.path.rpartition("/")[2], number, size, listed)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    return Server(("127.0.0.1", 0), Handler)


def main() -> None:
    """Serve until nobody holds the other end of the input."""
    serving = server(*map(int, sys.argv[1:]))
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    print(serving.server_address[1], flush=True)  # noqa: T201
    sys.stdin.read()


if __name__ == "__main__":
    main()
