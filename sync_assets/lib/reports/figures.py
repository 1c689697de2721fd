"""The figures of a report by day or week, as a table in Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

SHOWN = 14


@dataclass
class Panel:
    """Figures that are drawn together: by series, the value of each day or week."""

    title: str
    series: dict[str, dict[date, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, title: str, rows: Iterable[Mapping[str, Any]]) -> Panel:
        """Build it from rows with `day`, `series` and `value`; rows without a day are left out."""
        found: dict[str, dict[date, float]] = defaultdict(dict)
        for row in rows:
            if (day := _date(row["day"])) is not None:
                found[str(row["series"])][day] = float(row["value"] or 0)
        return cls(title, dict(found))


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def days_of(panels: Iterable[Panel]) -> list[date]:
    """Return the days on which any series has a value, in order."""
    return sorted({day for panel in panels for of in panel.series.values() for day in of})


def table(panels: Iterable[Panel], period: str) -> str:
    """Return a table of the newest days or weeks, below the sums of all."""
    shown = list(panels)
    columns = {name: of for panel in shown for name, of in panel.series.items()}
    days = days_of(shown)
    if not days:
        return "There are no rows yet."
    lines = [
        f"| {period} | {' | '.join(columns)} |",
        f"|---|{'--:|' * len(columns)}",
        _line(f"**all {len(days)}**", [sum(of.values()) for of in columns.values()]),
        *(
            _line(day.isoformat(), [of.get(day, 0) for of in columns.values()])
            for day in days[: -SHOWN - 1 : -1]
        ),
    ]
    return "\n".join(lines)


def _line(name: str, values: Iterable[float]) -> str:
    return f"| {name} | {' | '.join(map(_number, values))} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
