"""`python -m sync_assets`, the same as `sync-assets`."""

import os
import sys
from typing import NoReturn

from sync_assets.cli import main


def run() -> NoReturn:
    """Exit with the code that `main` gives; at once after a signal.

    A signal that meets Python within a lock of a library may leave the lock taken. A thread that
    waits for the lock never ends then, and an exit would wait for the thread.
    """
    code = main()
    if code > 128:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
