"""Run the sandbox alone until Ctrl-C: python -m sync_assets.sandbox --help."""

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timezone

from sync_assets.sandbox import SECRETS, Account, Manners, Sandbox, Scale
from sync_assets.sandbox.manners import PAGE_SIZES

SECRET_NAMES = {"promotions": "BEARER_TOKEN", "affiliates": "API_KEY", "events": "API_KEY"}


def _unix(text: str) -> float:
    instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)).timestamp()


def _window(text: str) -> tuple[int, float]:
    requests, _, seconds = text.partition("/")
    return int(requests), float(seconds)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sync_assets.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8800, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--now", type=_unix, help="freeze the clock, e.g. 2026-03-01T00:00:00Z")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that a request waits")
    parser.add_argument(
        "--quota", type=_window, nargs="*", default=[], help="windows to enforce, e.g. 5000/1800"
    )
    parser.add_argument("--no-headers", action="store_true", help="say nothing of what is left")
    parser.add_argument("--page-sizes", choices=PAGE_SIZES, default="honoured")
    sizes = parser.add_argument_group("sizes", "means below a parent; all exact with --exact")
    for field in fields(Scale):
        flag = f"--{field.name.replace('_', '-')}"
        if field.name == "exact":
            sizes.add_argument(flag, action="store_true")
        else:
            sizes.add_argument(flag, type=int, default=field.default, metavar="N")
    return parser.parse_args(arguments)


def _clock(frozen: float | None) -> Callable[[], float]:
    return time.time if frozen is None else lambda: frozen


def _introduction(sandbox: Sandbox) -> str:
    lines = [
        f"{source:<10} {sandbox.base_url(source)}  secret: {secret}"
        for source, secret in SECRETS.items()
    ]
    lines.append("")
    for source, secret in SECRETS.items():
        prefix = f"export SOURCES__{source.upper()}__"
        lines.append(f"{prefix}BASE_URL={sandbox.base_url(source)}")
        lines.append(f"{prefix}{SECRET_NAMES[source]}={secret}")
    return "\n".join([*lines, "", "Ctrl-C stops it.", ""])


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    options = _arguments(arguments)
    scale = Scale(**{field.name: getattr(options, field.name) for field in fields(Scale)})
    account = Account(options.seed, scale, _clock(options.now))
    # A background job of a shell inherits an ignored SIGINT, so the handler is set anew.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    manners = Manners(tuple(options.quota), not options.no_headers, options.page_sizes)
    sandbox = Sandbox(account, options.port, options.latency, manners)
    with contextlib.suppress(KeyboardInterrupt), sandbox:
        sys.stdout.write(_introduction(sandbox))
        sys.stdout.flush()
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
