"""Output: records on the standard error output, as lines of text or of JSON."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime

ROOT = logging.getLogger("routilux")
"""Everything that Routilux logs goes through it, what the core says of failures too."""
TEXT = "%(asctime)s %(levelname)-7s %(message)s"
_USUAL = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName"}
_LOCK = threading.Lock()


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON, with all its own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _USUAL},
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, default=repr)


class Output(logging.Handler):
    """The one handler of its format, which the monitors of several managers share."""

    def __init__(self, form: str, before: tuple[int, bool]) -> None:
        super().__init__()
        self.form = form
        self.users = 0
        self.before = before
        """Level and propagation of the logger before the first of them."""
        self.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(TEXT))

    def emit(self, record: logging.LogRecord) -> None:
        """Write it to whatever is the standard error output now."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
        except Exception:  # noqa: BLE001 - logging has its own way to say that
            self.handleError(record)


def open_output(form: str, level: int) -> Output:
    """Let everything from `level` up be written; what the program has set up for itself gets it no more."""
    with _LOCK:
        outputs = _outputs()
        output = next((one for one in outputs if one.form == form), None)
        if output is None:
            output = Output(form, outputs[0].before if outputs else (ROOT.level, ROOT.propagate))
            ROOT.addHandler(output)
        output.users += 1
        ROOT.setLevel(min(level, ROOT.level or level))
        ROOT.propagate = False
        return output


def close_output(output: Output) -> None:
    """Let everything be as before, when nobody wants it any more."""
    with _LOCK:
        output.users -= 1
        if not output.users:
            ROOT.removeHandler(output)
            if not _outputs():
                level, ROOT.propagate = output.before
                ROOT.setLevel(level)


def _outputs() -> list[Output]:
    return [one for one in ROOT.handlers if isinstance(one, Output)]
