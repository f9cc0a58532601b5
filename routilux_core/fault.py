"""What is wrong inside a value, while its path is still being gathered."""

from __future__ import annotations

from typing import Any

from routilux_core.document_errors import shorten

DEEPEST = 200
"""How many lists and objects may lie within each other in plain data."""
LONGEST_PATH = 12
"""Steps; of a longer path the middle is left out."""


class Fault(Exception):
    """Raised where the fault is; each container on the way out adds its step to the path."""

    def __init__(self, error: type[Exception], *values: Any) -> None:
        self.error = error
        self.values = values
        self.steps: list[str] = []

    def within(self, key: object) -> None:
        """Add the step into a container by index or key."""
        self.steps.append(f"[{shorten(key)}]")

    def as_field(self) -> None:
        """Make the last step the name of a field; it was the key in a dict of fields."""
        if self.steps:
            self.steps[-1] = f".{self.steps[-1][2:-2]}"

    def at(self, path: str) -> Exception:
        """Return the error that users see, for a value that stands at `path`."""
        steps = self.steps[::-1]
        if len(steps) > LONGEST_PATH:
            steps[LONGEST_PATH - 3 : -2] = ["..."]
        return self.error(path + "".join(steps), *self.values)
