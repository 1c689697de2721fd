"""One contender in a process of its own: imports first, then the clock runs."""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Run the named contender; print its rows and its seconds after start-up as JSON."""
    name, base_url, token, database = sys.argv[1:]
    module = importlib.import_module(f"sync_assets_tests.benchmark.{name}")
    if name == "ours":
        importlib.import_module("sync_assets.warehouse.sync")
        importlib.import_module("sync_assets.sources.promotions")
    started = time.perf_counter()
    rows = module.run(base_url, token, Path(database))
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started}))  # noqa: T201


if __name__ == "__main__":
    main()
