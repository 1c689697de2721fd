"""One contender in a process of its own: prints when it was done."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path


def main() -> None:
    """Run the named contender; its last line is the time of its last commit or event."""
    name, base_url, token, database = sys.argv[1:]
    module = importlib.import_module(f"sync_assets_tests.benchmark.{name}")
    module.run(base_url, token, Path(database))
    print(time.time())  # noqa: T201


if __name__ == "__main__":
    main()
