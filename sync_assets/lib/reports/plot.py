"""Draws the plot of a report as a PNG, if matplotlib is installed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from importlib.util import find_spec
from io import BytesIO
from typing import Any, cast

from sync_assets.lib.reports.figures import Panel, days_of

EXTRA = "sync-assets[reports]"
#: Inches, and colours in the file: an event holds it, once for each materialization.
WIDTH, HEIGHT_OF_PANEL, COLOURS = 8.5, 2.4, 24


def plot(panels: Sequence[Panel]) -> bytes | None:
    """Return a picture with the panels below each other; None without matplotlib."""
    if find_spec("matplotlib") is None:
        return None
    import matplotlib.dates as dating  # half a second, which only a report waits for
    from matplotlib.figure import Figure
    from PIL import Image

    days, dates = days_of(panels), cast("Any", dating)
    locator = dates.AutoDateLocator(maxticks=8)
    figure = Figure(figsize=(WIDTH, HEIGHT_OF_PANEL * len(panels)), layout="constrained")
    for axes, panel in zip(
        figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0], panels, strict=True
    ):
        for name, of in panel.series.items():
            values = [of.get(day, 0) for day in days]
            axes.plot(days, values, label=name, marker=".", linewidth=1.5)
        axes.set_title(panel.title, loc="left", fontsize=10)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        axes.spines[["top", "right"]].set_visible(False)
        if panel.series:
            axes.legend(frameon=False, fontsize=9, loc="upper left")
    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(small, format="png", optimize=True)
    return small.getvalue()


def as_markdown(picture: bytes | None) -> str:
    """Return the picture inside of Markdown, or say what a plot needs."""
    if picture is None:
        return f"*Install `{EXTRA}` for a plot above this table.*"
    return f"![plot](data:image/png;base64,{b64encode(picture).decode()})"
