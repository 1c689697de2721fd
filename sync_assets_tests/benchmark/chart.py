"""The results as an SVG of horizontal bars, legible on light and on dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.sax.saxutils import escape

from sync_assets_tests.benchmark.table import Line

WIDTH, LEFT, RIGHT = 760, 250, 80
BAR, STEP, GAP = 12, 20, 34
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #57606a }
.head { font-weight: 600 }
.number { font-size: 11px }
.sync { fill: #8c959f } .process { fill: #8c959f; opacity: .3 } .ours { fill: #2f6feb }
@media (prefers-color-scheme: dark) { text { fill: #9ea7b3 } .sync, .process { fill: #7d8590 } }
"""
LEGEND = "solid: sync, seconds; pale: whole process"


def svg(found: Sequence[Line], caption: str) -> str:
    """A group of bars for each latency."""
    longest = max(max(line.process, line.sync or 0) for line in found)
    scale = (WIDTH - LEFT - RIGHT) / longest
    marks = [_text(0, 14, f"{caption} ({LEGEND})", "head")]
    y = 2
    for latency, group in groupby(found, key=lambda line: line.latency):
        y += GAP
        marks.append(_text(0, y + 4, f"{latency} ms a request", "head"))
        for line in group:
            y += STEP
            marks += _bar(line, y, scale)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 16}" '
            f'width="{WIDTH}" role="img" aria-label="{escape(caption)}">',
            f"<style>{STYLE}</style>",
            *marks,
            "</svg>\n",
        ]
    )


def _bar(line: Line, y: int, scale: float) -> list[str]:
    shown = [] if line.sync is None else [f"{line.sync:.1f}"]
    number = " / ".join([*shown, f"{line.process:.1f}"])
    kind = "ours" if line.name in {"ours", "dagster"} else "sync"
    return [
        _text(LEFT - 8, y + 4, line.title.replace("`", ""), "name", 'text-anchor="end"'),
        _rectangle(y, line.process * scale, "process"),
        *([] if line.sync is None else [_rectangle(y, line.sync * scale, kind)]),
        _text(round(LEFT + line.process * scale) + 6, y + 4, number, "number"),
    ]


def _rectangle(y: int, width: float, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{LEFT}" y="{y - BAR // 2}" width="{width:.1f}" height="{BAR}"/>'
    )


def _text(x: int, y: int, words: str, kind: str, more: str = "") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" {more}>{escape(words)}</text>'
