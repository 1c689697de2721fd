"""Every large count in full, and a table of what came: `python -m sync_assets_tests.full_counts`.

It takes hours. Arguments go to pytest: `-k kill` runs some of the counts, `-n 2` two side by side.
"""

from __future__ import annotations

import os
import subprocess
import sys

from sync_assets_tests.support.project import ROOT


def main() -> int:
    """Run the tests that take a count; gives pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-m", "count", "-n", "0", *sys.argv[1:]]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "FULL_COUNTS": "1"}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
