"""A routine as a document: which class it is of, its configuration, its error handler."""

from __future__ import annotations

from contextlib import suppress
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from routilux_core.codec import name_of
from routilux_core.configuration import configured
from routilux_core.current import current_manager, outside_jobs
from routilux_core.definition_errors import NotRebuildable
from routilux_core.distribution import provider_of
from routilux_core.document_errors import InvalidDocument, shorten
from routilux_core.error_handler import handler_body, handler_from
from routilux_core.errors import RoutiluxError
from routilux_core.schema import Schema, check_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from routilux_core.definition import Definition

SCHEMA = Schema("routine", 1)
PATH = "routine"
BARE = "routilux_core.routine.Routine"
OUTSIDE = "was defined outside of its class and constructor"
DEFINE = "define it in the class, or in __init__"
LONGEST = 1000
"""How many characters the name of a class or package may have."""
KEYS = ("package", "config", "error_handler")
"""What a document may have beside the class."""


def known_as(kind: type) -> tuple[str, str | None]:
    """Return the name under which documents know a class, and the package that brings it, where one does."""
    registry = current_manager().registry
    for name in registry.names("routine"):
        component = registry.find("routine", name)
        if component.factory is kind:
            return component.name, str(component.package) if component.package else None
    package = None if kind.__module__ == "__main__" else provider_of(kind.__module__)
    return name_of(kind), str(package) if package else None


def routine_body(routine: Definition, path: str) -> dict[str, Any]:
    """Return the routine as part of a document; `NotRebuildable` if it could not be made again from that."""
    for obstacle, advice in obstacles(routine):
        raise NotRebuildable(path, obstacle, advice)
    _check_extent(routine, path)
    name, package = known_as(type(routine))
    config = current_manager().converter.encode(routine.config(), f"{path}.config")
    body = {"class": name, "package": package, "config": config}
    if routine.error_handler is not None:
        body["error_handler"] = handler_body(routine.error_handler)
    return {key: value for key, value in body.items() if value not in (None, {})}


def restore(routine: Definition, body: Mapping[str, Any], path: str) -> None:
    """Give a routine of the right class the configuration and error handler of a document."""
    handler = body.get("error_handler")
    made = None if handler is None else handler_from(handler, f"{path}.error_handler")
    kind = type(routine)
    try:
        routine._config = configured(kind, kind.Config, {**routine._config, **config_of(body, path)})
    except RoutiluxError as error:
        raise InvalidDocument(f"{path}.config", str(error)) from error
    if made is not None:
        routine.set_error_handler(made)


def checked_body(body: Any, path: str) -> dict[str, Any]:
    """Return the part of a document that is a routine, if it has the shape of one."""
    check_keys(body, path, ("class",), KEYS)
    for key in ("class", "package"):
        if type(body.get(key, "")) is not str:
            raise InvalidDocument(f"{path}.{key}", f"it is {shorten(body[key])}, and text is wanted")
        if len(body.get(key, "")) > LONGEST:
            raise InvalidDocument(f"{path}.{key}", f"it has more than {LONGEST} characters")
    return dict(body)


def describes(body: Mapping[str, Any], kind: type) -> bool:
    """Tell whether a document is one of that class, under any name that the class has."""
    if body["class"] == name_of(kind):
        return True
    with suppress(RoutiluxError):
        return current_manager().registry.find("routine", body["class"]).factory is kind
    return False


def config_of(body: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the configuration that a document gives."""
    config = current_manager().converter.decode(body.get("config", {}), f"{path}.config")
    if type(config) is not dict or not all(type(key) is str for key in config):
        raise InvalidDocument(f"{path}.config", "an object is wanted")
    return config


# -- making one again --------------------------------------------------------------------------------------


def arguments(kind: type, config: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what the constructor of a class takes of a configuration, by position and by name."""
    by_position: list[Any] = []
    by_name: dict[str, Any] = {}
    skipped = False
    for parameter in _parameters(kind):
        if parameter.kind is Parameter.VAR_KEYWORD:
            taken = {one.name for one in _parameters(kind)}
            by_name |= {name: value for name, value in config.items() if name not in taken}
        elif parameter.name not in config:
            skipped = True
        elif parameter.kind is Parameter.VAR_POSITIONAL:
            by_position.extend(config[parameter.name])
        elif parameter.kind is Parameter.KEYWORD_ONLY or (
            skipped and parameter.kind is not Parameter.POSITIONAL_ONLY
        ):
            by_name[parameter.name] = config[parameter.name]
        elif not skipped:
            by_position.append(config[parameter.name])
    return tuple(by_position), by_name


def obstacles(routine: Definition) -> Iterator[tuple[str, str]]:
    """Say why a routine could not be made again, and what to do, as far as it can be seen at a glance."""
    count, names = routine._given
    lost = []
    if count or names:
        config = routine.config()
        lost = [name for name in (*_placed(type(routine), count), *names) if name not in config]
    if lost:
        yield (
            f"its constructor was given {' and '.join(map(repr, lost))}, which config() does not hold",
            f"pass it on: super().__init__({', '.join(f'{name}={name}' for name in lost)})",
        )
    if name_of(type(routine)) == BARE:
        for what, made in (("slot", routine.slots), ("event", routine.events)):
            if made:
                yield f"{what} {next(iter(made))!r} {OUTSIDE}", DEFINE


def _parameters(kind: type) -> tuple[Parameter, ...]:
    _self, *parameters = signature(kind.__init__).parameters.values()  # type: ignore[misc]  # of the class itself
    return tuple(parameters)


def _placed(kind: type, count: int) -> list[str]:
    """Return the names of the first `count` parameters of the constructor."""
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.VAR_POSITIONAL)
    return [parameter.name for parameter in _parameters(kind) if parameter.kind in kinds][:count]


def _check_extent(routine: Definition, path: str) -> None:
    """Raise `NotRebuildable` if it has slots or events that neither class nor constructor gave it."""
    kind = type(routine)
    bare: Definition = kind._bare()
    if routine.slots.keys() == bare.slots.keys() and routine.events.keys() == bare.events.keys():
        return
    try:
        by_position, by_name = arguments(kind, routine.config())
        with outside_jobs():
            twin = kind(*by_position, **by_name)
    except Exception as error:
        obstacle = f"its constructor fails with its own configuration: {type(error).__name__}: {error}"
        raise NotRebuildable(path, obstacle, "let it accept what config() holds") from error
    for what, own, made in (("slot", routine.slots, twin.slots), ("event", routine.events, twin.events)):
        added = [name for name in own if name not in made]
        if added:
            raise NotRebuildable(path, f"{what} {added[0]!r} {OUTSIDE}", DEFINE)
        lost = [name for name in made if name not in own]
        if lost:
            obstacle = f"its constructor would now make {what} {lost[0]!r}, which it does not have"
            raise NotRebuildable(path, obstacle, "configure it by its constructor, not afterwards")
