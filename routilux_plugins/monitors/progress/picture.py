"""Picture: how far one flow is at one moment, as a line of text or as a table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from routilux_plugins.monitors.progress.tally import Row

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING = Text("-", style="dim")
COLUMNS = {"done": 9, "running": 7, "waiting": 9, "errors": 7, "rate": 9}
"""The headings of the counts, and how much room each has."""
ROOMY = 70
"""From so many columns on, all of them are shown."""


class Picture:
    """How far one flow is at one moment."""

    def __init__(self, flow_id: str, jobs: str, rows: Mapping[str, Row], rates: Mapping[str, float]) -> None:
        self._flow_id = flow_id
        self._jobs = jobs
        """How its jobs are, in words."""
        self.rows = rows
        self.most = len(rows)
        """How many lines there are for its routines."""
        self._rates = rates

    def line(self, seconds: float) -> str:
        """Return it as one line."""
        whole = Row()
        for row in self.rows.values():
            whole.add(row)
        parts = [f"{whole.done:,} done"]
        parts += [f"{whole.running:,} running"] if whole.running else []
        parts += [f"{whole.waiting:,} waiting"] if whole.waiting else []
        parts += [f"{whole.errors:,} {'error' if whole.errors == 1 else 'errors'}"]
        parts += [f"{_rate(sum(self._rates.values()))}"] if whole.running or whole.waiting else []
        return f"{self._flow_id}: jobs {self._jobs}; {', '.join(parts)}; {clock(seconds)}"

    def head(self, seconds: float, width: int) -> Text:
        """Return the line above its table."""
        name, time = Text(self._flow_id, style="bold", overflow="ellipsis", no_wrap=True), clock(seconds)
        name.append(f"  {self._jobs}", style="not bold")
        name.truncate(max(1, width - len(time) - 1), overflow="ellipsis", pad=True)
        return name.append(f" {time}", style="dim")

    def table(self, width: int) -> Table:
        """Return its routines as a table; where not all have room, those before others that are at it."""
        most, roomy = self.most, width >= ROOMY
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=True)
        table.add_column("  routine", no_wrap=True, overflow="ellipsis", ratio=1, min_width=12)
        for name, room in COLUMNS.items() if roomy else list(COLUMNS.items())[:-1]:
            table.add_column(name, justify="right", no_wrap=True, min_width=room if roomy else len(name))
        shown = list(self.rows)
        if len(shown) > most:
            busy = sorted(shown, key=lambda name: not (self.rows[name].running or self.rows[name].waiting))
            kept = set(busy[: max(0, most - 1)])
            shown = [name for name in shown if name in kept]
        for name in shown:
            row = self.rows[name]
            rate = self._rates.get(name, 0.0)
            cells = [
                _count(row.done, "green"),
                _count(row.running, "bold"),
                _count(row.waiting, ""),
                _count(row.errors, "red"),
                Text(_rate(rate)) if rate else NOTHING,
            ]
            table.add_row(f"  {name}", *cells[: None if roomy else -1])
        if len(shown) < len(self.rows) and most:
            table.add_row(Text(f"  and {len(self.rows) - len(shown)} more", style="dim"))
        return table


def _count(count: int, style: str) -> Text:
    return Text(f"{count:,}", style=style) if count else NOTHING


def _rate(rate: float) -> str:
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"  # noqa: PLR2004 - below that a digit more


def clock(seconds: float) -> str:
    """Write seconds as people read them."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
