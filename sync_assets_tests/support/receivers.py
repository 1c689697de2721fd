"""Whoever is told: a webhook and a mail server on loopback ports, which keep what they get."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    """A webhook; `status` is what it answers, 400 what is longer than it `takes`.

    It breaks down after so many messages as it `lasts`.
    """

    port: int = 0
    status: int = 200
    takes: int = 10**9
    lasts: int = 10**9
    asked: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)

    def news(self) -> list[str]:
        """The messages since the last look."""
        messages = [str(message.get("message")) for message in self.got]
        self.got.clear()
        return messages


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A webhook that runs."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.asked += 1
            message = json.loads(body)
            length = sum(len(str(message.get(name))) for name in ("title", "message"))
            status = 400 if length > hook.takes else hook.status
            status = status if hook.lasts > 0 else 503
            if status == 200:
                hook.got.append(message)
                hook.lasts -= 1
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *args: Any) -> None:
            pass

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as hook.port:
        yield hook


@contextmanager
def mailbox() -> Iterator[tuple[int, list[str]]]:
    """The port of a mail server, and the mails it gets."""
    mails: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                command = line.split()[0].upper()
                if command == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mails.append("".join(text.decode() for text in iter(self.rfile.readline, END)))
                self.wfile.write(ANSWERS.get(command, b"250 ok\r\n"))
                if command == b"QUIT":
                    return

    with _running(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, mails


END = b".\r\n"
ANSWERS = {
    b"EHLO": b"250-here\r\n250 AUTH PLAIN\r\n",
    b"AUTH": b"235 ok\r\n",
    b"QUIT": b"221 bye\r\n",
}


@contextmanager
def _running(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
