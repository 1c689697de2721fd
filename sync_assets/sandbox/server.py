"""The server: an account behind a loopback port."""

import asyncio
import socket
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync_assets.sandbox.account import Account
from sync_assets.sandbox.app import ROOTS, build_app
from sync_assets.sandbox.manners import Manners, Meter

if TYPE_CHECKING:
    from typing_extensions import Self

HOST = "127.0.0.1"
START_SECONDS = 30
# A request that waits longer looks up now and then, so that stopping need not cancel it.
LONGEST_NAP = 0.2


class _Counted:
    """Counts requests by path, delays them, and fails those in `failing`."""

    def __init__(self, app: ASGIApp, latency: float, meter: Meter) -> None:
        self.meter = meter
        self.by_path: Counter[str] = Counter()
        self.failing: set[str] = set()
        self.stopping = False
        self.latency = latency
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.by_path[scope["path"]] += 1
            admitted, headers = self.meter.admit(scope["path"].split("/")[1])
            await self._wait()
            send = _with_headers(send, headers)
            if not admitted:
                await PlainTextResponse("too many requests", 429)(scope, receive, send)
                return
            if scope["path"].endswith(tuple(self.failing)):
                await PlainTextResponse("the sandbox was told to fail", 500)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _wait(self) -> None:
        left = self.latency
        while left > 0 and not self.stopping:
            await asyncio.sleep(min(left, LONGEST_NAP))
            left -= LONGEST_NAP


def _with_headers(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return sent if headers else send


class Sandbox:
    """Serves an account from a thread of this process, on this machine only."""

    def __init__(
        self,
        account: Account,
        port: int = 0,
        latency: float = 0.0,
        manners: Manners = Manners(),  # noqa: B008
    ) -> None:
        self._port = port
        self._app = _Counted(build_app(account, manners), latency, Meter(manners))
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen, and return once requests are answered."""
        listener = socket.create_server((HOST, self._port))
        self._app.stopping = False
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        server = self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=server.run, args=([listener],), name="sandbox", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                self.stop()
                raise RuntimeError(f"The sandbox did not start on port {self._port}")
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop listening and free the port."""
        if self._server and self._thread:
            self._app.stopping = self._server.should_exit = True
            self._thread.join()
            self._server = self._thread = None

    def fail(self, *endings: str) -> None:
        """Answer 500 to all paths with these endings, and to no others."""
        self._app.failing = set(endings)

    def delay(self, seconds: float) -> None:
        """Delay the answer to each request by so many seconds from now on."""
        self._app.latency = seconds

    def __enter__(self) -> "Self":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def base_url(self, source: str) -> str:
        """Return what comes before the paths of an API."""
        return f"http://{HOST}:{self._port}{ROOTS[source]}"

    @property
    def requests(self) -> int:
        """The number of requests so far, including refused ones."""
        return self._app.by_path.total()

    @property
    def refused(self) -> int:
        """The number of requests that were answered with 429."""
        return self._app.meter.refused

    def requests_by_path(self) -> Counter[str]:
        """Return the number of requests for each path."""
        return self._app.by_path.copy()
