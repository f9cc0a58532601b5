"""Where settings come from: arguments, environment variables, a file; and which of them gave each value."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from routilux_core.component import ENABLED
from routilux_core.errors import InvalidOption, InvalidSetting, RoutiluxError
from routilux_core.scalar import Text, json_value
from routilux_core.selection import OTHERS, SELECTED, selected, shut_out
from routilux_core.settings_file import VARIABLE, SettingsFile, find_file

PREFIX = "ROUTILUX_"
ARGUMENT = "argument"
DEFAULT = "default"
DEPTH = 2
"""So far in, tables have names of ours: `executors`, and an executor. JSON is a table there."""
Place = Callable[[tuple[str, ...]], str]
"""Says where the value of a path was given."""


class Origins:
    """Values of several sources as one tree, and who gave each."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.file: SettingsFile | None = None
        self._given: dict[str, tuple[Place, tuple[str, ...]]] = {}

    def add(self, values: Mapping[str, Any], place: Place) -> None:
        """Take from `values` what nobody has given yet; tables are taken key by key."""
        if SELECTED in values:
            try:
                lower = selected(values[SELECTED])
            except InvalidOption as error:
                self._given[SELECTED] = place, (SELECTED,)
                raise self.placed(error, SELECTED) from error
            for name in shut_out(self.values.get(SELECTED, {}), lower):
                off, by = {SELECTED: {name: {ENABLED: False}}}, self._given[f"{SELECTED}.{OTHERS}"][0]
                self._fill(self.values, off, (), by)
            values = {**values, SELECTED: lower}
        self._fill(self.values, values, (), place)

    def _fill(
        self, table: dict[str, Any], values: Mapping[str, Any], above: tuple[str, ...], place: Place
    ) -> None:
        for key, value in values.items():
            keys = (*above, str(key))
            if key not in table:
                table[key] = {} if isinstance(value, Mapping) else value
                self._given[".".join(keys)] = place, keys
            if isinstance(value, Mapping) and isinstance(table[key], dict):
                self._fill(table[key], value, keys, place)

    def forget(self, setting: str, key: str) -> None:
        """Leave a key out of a table that somebody may have given."""
        table = self.values.get(setting)
        if isinstance(table, dict) and table.pop(key, None) is not None:
            for option in [one for one in self._given if f"{one}.".startswith(f"{setting}.{key}.")]:
                del self._given[option]

    def of(self, option: str) -> str | None:
        """Return who gave an option, or the table it stands in; None if nobody did."""
        around = [key for key in self._given if f"{option}.".startswith((f"{key}.", f"{key}["))]
        if not around:
            return None
        place, keys = self._given[max(around, key=len)]
        return place(keys)

    def placed(self, error: RoutiluxError, option: str) -> RoutiluxError:
        """Return the error with the variable or the line that gave the option, where it was one of these."""
        if isinstance(error, InvalidOption) and error.option.startswith(option):
            option = error.option
        source = self.of(option)
        if source is None or source is ARGUMENT:
            return error
        value, wanted = getattr(error, "value", None), getattr(error, "wanted", "")
        return InvalidSetting(option, value, wanted, source, str(error))


def origins(given: Mapping[str, Any]) -> Origins:
    """Return what argument, environment and file give, each value from the first that has it."""
    found = Origins()
    found.add(given, _argument)
    variables = Variables(name for name in os.environ if name.startswith(PREFIX) and name != VARIABLE)
    found.add(variables.values, variables.place)
    found.file = find_file()
    if found.file is not None:
        found.add(found.file.values, found.file.place)
    found.forget(SELECTED, OTHERS)
    return found


def _argument(_keys: tuple[str, ...]) -> str:
    return ARGUMENT


class Variables:
    """What variables say: `ROUTILUX_EXECUTORS__POOLED__SIZE` is `executors.pooled.size`."""

    def __init__(self, names: Iterable[str]) -> None:
        self.values: dict[str, Any] = {}
        self._names: dict[tuple[str, ...], str] = {}
        for name in sorted(names):
            self._take(name, Text(os.environ[name]))

    def _take(self, name: str, text: Text) -> None:
        keys = tuple(name.removeprefix(PREFIX).lower().split("__"))
        self._names[keys] = name
        table = self.values
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                wanted = f"a part of {key!r}, which is given as a whole"
                raise InvalidSetting(".".join(keys), text, wanted, name, f"{wanted}; set one of them")
        table[keys[-1]] = json_value(text, "{") if len(keys) <= DEPTH else text
        if keys == (SELECTED,):
            try:
                table[SELECTED] = selected(table[SELECTED])
            except InvalidOption as error:
                raise InvalidSetting(error.option, error.value, error.wanted, name, str(error)) from error

    def place(self, keys: tuple[str, ...]) -> str:
        """Return the variable that gave a value, all of it or a part."""
        lengths = range(len(keys), 0, -1)
        whole = next((self._names[keys[:length]] for length in lengths if keys[:length] in self._names), None)
        return whole or next(name for path, name in self._names.items() if path[: len(keys)] == keys)
