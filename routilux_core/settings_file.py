"""The settings file of the working folder, read once for as long as it does not change."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from routilux_core.errors import UnreadableSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE = "ROUTILUX_CONFIG"
"""Names the file, or says `off`."""
OWN, SHARED = "routilux.toml", "pyproject.toml"
MOST = 64
"""So many files are remembered."""

_seen: dict[str, tuple[tuple[int, ...], SettingsFile | None]] = {}


class SettingsFile:
    """What one file says, and in which line."""

    def __init__(self, path: str, text: str, table: tuple[str, ...], values: Mapping[str, Any]) -> None:
        self.path = path
        self.values = values
        self._text = text
        self._table = table

    def place(self, keys: tuple[str, ...]) -> str:
        """Return file and line of a value."""
        wanted = (*self._table, *keys)
        fits = [
            (len(found), number) for number, found in self._lines() if found == wanted[: len(found)] and found
        ]
        best = max((length for length, _ in fits), default=0)
        lines = [number for length, number in fits if length == best > len(self._table)]
        return f"{self.path}, line {lines[0]}" if lines else self.path

    def _lines(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield each line that heads a table or gives a value, with the keys that lead there."""
        blank = re.sub(r"(?s)\"\"\".*?\"\"\"|'''.*?'''", lambda many: "\n" * many[0].count("\n"), self._text)
        table: tuple[str, ...] = ()
        for number, line in enumerate(blank.splitlines(), 1):
            header = re.match(r"\s*\[\[?([^\]]+)\]", line)
            value = re.match(r"\s*([\w\-.\"' ]+?)\s*=", line)
            if header is not None:
                table = _keys(header[1])
                yield number, table
            elif value is not None:
                yield number, table + _keys(value[1])


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(key.strip().strip("\"'") for key in dotted.split("."))


def find_file() -> SettingsFile | None:
    """Return the file that `ROUTILUX_CONFIG` names, or the one of the working folder.

    That is `routilux.toml`. Only where there is none, it is `pyproject.toml` with a table `tool.routilux`.
    """
    named = os.environ.get(VARIABLE, "")
    if named.lower() == "off":
        return None
    if named:
        path = os.path.abspath(named)  # noqa: PTH100 - pathlib would be imported for this alone
        found = _file(path)
        if found is None:
            raise UnreadableSettings(path, f"there is no such file with settings, and {VARIABLE} names it")
        return found
    try:
        folder = os.getcwd()  # noqa: PTH109 - as above
    except FileNotFoundError:
        return None
    return _file(f"{folder}{os.sep}{OWN}") or _file(f"{folder}{os.sep}{SHARED}")


def hidden_by(file: SettingsFile) -> str | None:
    """Return the path of the `pyproject.toml` whose settings are not used because `file` is."""
    folder, name = os.path.split(file.path)
    other = f"{folder}{os.sep}{SHARED}"
    return other if name == OWN and _file(other) is not None else None


def _file(path: str) -> SettingsFile | None:
    """Return the file; None if there is none, or no word for us in it."""
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        seen = _seen.get(path)
        if seen is not None and seen[0] == stamp:
            return seen[1]
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as above
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UnreadableSettings(path, str(error)) from error
    found = _parsed(path, text)
    if len(_seen) >= MOST:
        _seen.clear()
    _seen[path] = stamp, found
    return found


def _parsed(path: str, text: str) -> SettingsFile | None:
    shared = os.path.basename(path) == SHARED  # noqa: PTH119 - as above
    if shared and "routilux" not in text:  # nothing of ours, so its mistakes are not ours either
        return None
    import tomllib  # noqa: PLC0415 - most working folders have no settings

    try:
        values: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableSettings(path, f"it is not TOML: {error}") from error
    table = ("tool", "routilux") if shared else ()
    for key in table:
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    if not isinstance(values, dict):
        raise UnreadableSettings(path, f"{'.'.join(table)} is no table")
    if not shared and isinstance(values.get("tool"), dict) and "routilux" in values["tool"]:
        raise UnreadableSettings(
            path, f"[tool.routilux] is for {SHARED}; here the settings stand by themselves"
        )
    return SettingsFile(path, text, table, values)
