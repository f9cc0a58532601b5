"""View: shows how far jobs are, in a thread of its own, from when the first begins until none is left."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from routilux_plugins.monitors.progress.picture import Picture
from routilux_plugins.monitors.progress.rates import Rates
from routilux_plugins.monitors.progress.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routilux_plugins.monitors.progress.settings import ProgressSettings
    from routilux_plugins.monitors.progress.tally import FlowTally, JobTally

BRIEF = 0.3
"""Seconds; of jobs that take less, only a line is shown at the end."""
TICK = 1.0
"""Seconds after which the clock on the screen goes on though nothing has happened."""
HEADS = 2
"""How many lines of a flow stand above its routines."""


class View(ABC):
    """Shows how far jobs are when something has changed, but not too often."""

    def __init__(
        self,
        settings: ProgressSettings,
        stream: TextIO,
        flows: Mapping[str, FlowTally],
        jobs: Mapping[str, JobTally],
    ) -> None:
        self._settings = settings
        self._stream = stream
        self._flows = flows
        self._jobs = jobs
        self._begun = monotonic()
        self._rates = Rates(self._begun)
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="routilux-progress", daemon=True)

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def change(self) -> None:
        """Know that there is something new."""
        if not self._changed.is_set():
            self._changed.set()

    def end(self) -> None:
        """Show how it ended, and nothing after that."""
        self._ended.set()
        self._changed.set()
        self._thread.join()
        with suppress(OSError, ValueError):  # nobody is left to see it
            self._close()

    def _run(self) -> None:
        first, pause, longest = self._times()
        self._ended.wait(first)
        with suppress(OSError, ValueError):
            while not self._ended.is_set():
                self._changed.clear()
                self._show()
                if not self._ended.wait(pause):
                    self._changed.wait(longest)

    @abstractmethod
    def _times(self) -> tuple[float, float, float | None]:
        """Return after how many seconds it shows first, then at the soonest, and at the latest."""

    @abstractmethod
    def _show(self) -> None:
        """Show how far they are."""

    @abstractmethod
    def _close(self) -> None:
        """Show how they ended."""

    @property
    def _seconds(self) -> float:
        return monotonic() - self._begun

    def _pictures(self) -> list[Picture]:
        running = list(self._jobs.values())
        flows = {flow_id: flow.jobs() for flow_id, flow in list(self._flows.items())}
        rows = {
            flow_id: self._flows[flow_id].whole(job for job in running if job.flow_id == flow_id)
            for flow_id in flows
        }
        done = {(flow_id, name): row.done for flow_id, part in rows.items() for name, row in part.items()}
        rates = self._rates.take(monotonic(), done)
        return [
            Picture(
                flow_id,
                jobs,
                rows[flow_id],
                {name: rates.get((flow_id, name), 0.0) for name in rows[flow_id]},
            )
            for flow_id, jobs in flows.items()
        ]


class LineView(View):
    """Writes a line for each flow, now and then and at the end."""

    def _times(self) -> tuple[float, float, float | None]:
        return self._settings.lines_every, self._settings.lines_every, None

    def _show(self) -> None:
        lines = [f"{picture.line(self._seconds)}\n" for picture in self._pictures()]
        self._stream.write("".join(lines))
        self._stream.flush()

    _close = _show


class ScreenView(LineView):
    """Paints a table for each flow, in place."""

    _screen: Screen | None = None

    @cached_property
    def _console(self) -> Console:
        return Console(file=self._stream)

    def _times(self) -> tuple[float, float, float | None]:
        return BRIEF, self._settings.every, TICK

    def _show(self) -> None:
        if self._screen is None:
            self._screen = Screen(self._stream)
            self._screen.open()
        self._screen.paint(self._lines())

    def _close(self) -> None:
        if self._screen is None:
            super()._show()
            return
        try:
            self._show()
        finally:
            self._screen.close()

    def _lines(self) -> list[str]:
        """Return what fits on the screen; the cursor stands below it."""
        console, pictures, seconds = self._console, self._pictures(), self._seconds
        width, height = console.width - 1, console.height - 1  # a full last column is a line's end, or is not
        shown = pictures[: max(1, (height - 1) // (HEADS + 1))]
        rest, left = height - HEADS * len(shown) - (len(shown) < len(pictures)), len(shown)
        with console.capture() as capture:
            for picture in sorted(shown, key=lambda one: len(one.rows)):  # small ones leave more to others
                most = max(1, rest // left)
                rest, left = rest - min(most, len(picture.rows)), left - 1
                picture.most = most
            for picture in shown:
                console.print(picture.head(seconds, width), width=width, no_wrap=True)
                console.print(picture.table(width), width=width)
            if len(shown) < len(pictures):
                console.print(f"and {len(pictures) - len(shown)} more flows", style="dim", width=width)
        return capture.get().splitlines()[:height]
