"""A server that cannot be reached fails the list with one plain sentence and the remedy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sync_assets_tests.support.world import World

#: What stands where the API should be: an address, or what a server at a free port says; and what
#: the error of the list holds.
SERVERS: dict[str, tuple[str | bytes | None, str]] = {
    "nothing": ("http://127.0.0.1:9", "http://127.0.0.1:9 refuses the connection"),
    "no such name": ("http://no-such-host.invalid", "cannot be found: its name does not resolve"),
    "an IDN name": ("http://bücher.invalid", "http://xn--bcher-kva.invalid cannot be found"),
    "silence": (None, "did not answer within 0.3 s"),
    "a closed connection": (b"", "closed the connection without an answer"),
    "another protocol": (b"SSH-2.0-OpenSSH\r\n", "answers, but not in HTTP"),
    "half an answer": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "cut its answer off after 1 bytes",
    ),
    "no gzip": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        "not compressed as its Content-Encoding says",
    ),
}  # fmt: skip
FAULTS = {
    f"at the base URL there is {what}": f"the list fails: {words}"
    for what, (_, words) in SERVERS.items()
}
THEIR_WORDS = ("HTTPConnectionPool", "Max retries", "Caused by", "Errno", "object at 0x")


@contextmanager
def server(says: bytes | None) -> Iterator[str]:
    """A server that says the same to everybody, or nothing; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:  # the test is over
                    return
                connection.recv(10_000)
                if says is None:
                    held.append(connection)
                    continue
                connection.sendall(says)
                connection.close()

        held: list[socket.socket] = []
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for connection in held:
            connection.close()
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("what", SERVERS)
def test_a_server_that_cannot_be_reached_is_told_in_plain_words(world: World, what: str) -> None:
    stands, words = SERVERS[what]
    if isinstance(stands, str):
        message = failure(world, stands)
    else:
        with server(stands) as url:
            message = failure(world, url, timeout=5 if stands is not None else 0.3)
    assert words in message
    assert message.startswith("coupons, page 1 of http://")
    assert message.endswith(".")
    assert not [word for word in THEIR_WORDS if word in message]


def test_a_server_without_tls_is_told(world: World) -> None:
    with server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        message = failure(world, url.replace("http:", "https:"))
    assert "does not speak TLS. Check the base URL: it may have to begin with http://." in message


def test_certificates_that_are_not_there_are_told(world: World) -> None:
    world.monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")
    message = failure(world, "https://127.0.0.1:9")
    assert "REQUESTS_CA_BUNDLE" in message


def failure(world: World, url: str, timeout: float = 5) -> str:
    """The error of a list where that is the base URL."""
    world.configure("affiliates", base_url=url, timeout=timeout, max_retries=0)
    (listing,) = world.sync("affiliates", "coupons").values()
    return str(listing.error)
