"""Programs that have the DuckDB file open: a notebook, a BI tool, DuckDB's command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Ways to have a file open; each is a line of Python over `path`.
OPENED = "connection = duckdb.connect(path, read_only=True)"
ATTACHED = "connection = duckdb.connect(); connection.execute(f\"ATTACH '{path}' (READ_ONLY)\")"
WRITING = "connection = duckdb.connect(path)"
PROGRAM = """
import sys, time, duckdb
path = sys.argv[1]
try:
    {how}
except duckdb.Error as error:
    print(str(error).splitlines()[0], flush=True)
else:
    print("open", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def command(database: Path, seconds: float, how: str = OPENED) -> list[str]:
    """The command of a program that opens the file, says how that went, and goes on so long."""
    return [sys.executable, "-c", PROGRAM.format(how=how), str(database), str(seconds)]


def attempt(database: Path, how: str = OPENED) -> str:
    """What a program that opens the file is told: "open", or the error."""
    done = subprocess.run(command(database, 0, how), capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def reader(database: Path, seconds: float, how: str = OPENED) -> Iterator[int]:
    """A program that has the file open for so long; gives its PID."""
    with subprocess.Popen(
        command(database, seconds, how), stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "open\n"
        try:
            yield program.pid
        finally:
            program.kill()
