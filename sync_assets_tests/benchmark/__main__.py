"""`python -m sync_assets_tests.benchmark`: a table of medians and ratios, on anyone's machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sync_assets.sandbox import Account, Scale
from sync_assets_tests.benchmark.chart import svg
from sync_assets_tests.benchmark.contenders import CONTENDERS, PAGED
from sync_assets_tests.benchmark.contest import Result, contend, serve
from sync_assets_tests.benchmark.table import Line, lines, machine, markdown
from sync_assets_tests.benchmark.truth import count

SIZES = {"promotions": 50, "users": 200, "participations": 500, "prizes": 100, "rankings": 100}


def main() -> None:
    """Run each contender at each latency, several times in turn; print the medians, draw them."""
    options = _arguments()
    sizes = {name: getattr(options, name) for name in SIZES}
    account = Account(scale=Scale(**sizes, exact=True))
    found: list[Line] = []
    for latency in options.latency:
        found += lines(latency, _rounds(account, latency, options))
    caption = f"{count(account, PAGED):,} rows into DuckDB, medians of {options.rounds}"
    sys.stdout.write(f"{caption}; {machine()}\n\n{markdown(found)}\n")
    if options.chart:
        options.chart.write_text(svg(found, caption))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmark", description=__doc__)
    parser.add_argument("--latency", type=int, nargs="+", default=[0, 20, 50], help="milliseconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw an SVG")
    for name, size in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=size, metavar="N")
    return parser.parse_args()


def _rounds(account: Account, latency: int, options: argparse.Namespace) -> list[dict[str, Result]]:
    rounds: list[dict[str, Result]] = []
    with serve(account, latency / 1000) as sandbox:
        for turn in range(options.rounds):
            rounds.append({})
            for name in options.only:
                sys.stderr.write(f"{latency} ms, round {turn + 1}: {name}\n")
                rounds[-1][name] = contend(CONTENDERS[name], sandbox, account)
    return rounds


if __name__ == "__main__":
    main()
