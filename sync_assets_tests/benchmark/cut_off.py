"""`python -m sync_assets_tests.benchmark.cut_off`: what a list costs that is killed on its way.

A list that takes so many requests is killed a number of requests before its end and read again:
from its first page, as before, and from where it was. Nothing is sent over a network.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sync_assets_tests.support.cut_reads import Account, still
from sync_assets_tests.support.torn_reads import WAYS

NUMBERS = "page numbers with a total, 20 rows or more"
#: Rows of a page, by the way of paging.
SIZES = {"offset cursor": 20, "key cursor": 3, NUMBERS: 40}
IN_FRONT = (0, 10)


@dataclass(frozen=True)
class Figures:
    """Requests of the whole list, and those after a kill: without and with what was kept.

    `missing` and `doubled` count rows of the list that goes on.
    """

    whole: int
    anew: int
    gone_on: int
    missing: int
    doubled: int


def measure(way: str, pages: int, left: int, in_front: int) -> Figures:
    """Read a list of so many pages; kill it so many requests before its end, and read it again.

    Meanwhile some rows come in front.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = _list(way, pages, Path(folder), "whole")
        whole.read()
        cut = _list(way, pages, Path(folder), "cut")
        cut.killed_after(whole.requests - left)
        newest = cut.history.ids[0]
        cut.history.ids[:0] = range(newest + in_front, newest, -1)
        lost = Account(cut.way, cut.history, Path(folder) / "lost")
        lost.read()
        _, ids = cut.read()
    return Figures(
        whole.requests,
        lost.requests,
        cut.requests,
        len(cut.history.lived - set(ids)),
        len(ids) - len(set(ids)),
    )


def _list(way: str, pages: int, folder: Path, name: str) -> Account:
    (folder / name).mkdir()
    return still(WAYS[way], SIZES[way], pages, folder / name)


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser("cut_off", description=__doc__)
    parser.add_argument("--pages", type=int, default=5_000)
    parser.add_argument("--left", type=int, default=1_000, help="requests before the end")
    options = parser.parse_args()
    sys.stdout.write(
        "| paging | rows in front meanwhile | the whole list | more requests before | now |"
        "\n|---|--:|--:|--:|--:|\n"
    )
    for way in SIZES:
        for in_front in IN_FRONT:
            found = measure(way, options.pages, options.left, in_front)
            told = (found.whole, found.anew, found.gone_on)
            numbers = " | ".join(f"{number:,}" for number in (in_front, *told))
            sys.stdout.write(f"| {way} | {numbers} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
