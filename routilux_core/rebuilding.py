"""Rebuilding: a routine made again from its document, of a class that this process has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from routilux_core.codec import name_of
from routilux_core.current import current_manager, outside_jobs
from routilux_core.definition_errors import UnknownClass
from routilux_core.distribution import find_distribution
from routilux_core.document_errors import InvalidDocument, shorten_line
from routilux_core.errors import InvalidName, MissingComponent, UnknownComponent, shown
from routilux_core.routine import Routine
from routilux_core.routine_document import arguments, checked_body, config_of, restore
from routilux_core.vocabulary import routine_class, routine_classes

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = r"[A-Za-z0-9][A-Za-z0-9._-]*( [A-Za-z0-9][A-Za-z0-9.+!_-]*)?"


def class_of(body: Mapping[str, Any], path: str) -> Any:
    """Return the class that a document names, or the factory that a plugin has registered under that name."""
    name, package = body["class"], body.get("package", "")
    found = routine_class(name, path)
    if found is not None:
        return found
    registry = current_manager().registry
    try:
        return registry.find("routine", name).factory
    except (UnknownComponent, InvalidName) as error:
        known = tuple(sorted({*registry.names("routine"), *map(name_of, routine_classes())}))
        said = error.advice if isinstance(error, MissingComponent) else ""
        raise UnknownClass(name, known, path, _advice(name, package, said)) from error


def _advice(name: str, package: str, said: str) -> str:
    """Say how a class could come to be there; `package` is what a document says, so it may be anything."""
    if name.startswith("__main__.") or "<locals>" in name:
        return "only the program that saved it has that; define the class at the top of a module of its own"
    module = name.rpartition(".")[0]
    imports = f"import {shown(module)}, which defines it, first" if module else "give its whole name"
    distribution, _, version = package.partition(" ")
    if not re.fullmatch(PACKAGE, package):
        return f"{said}; or {imports}" if said else f"install the package that has it, or {imports}"
    installed = find_distribution(distribution)
    if installed is not None:
        return f"it came from {package}, and {installed} is installed; {imports}"
    pin = f"=={version}" if version else ""
    install = f"install what it came from: pip install '{distribution}{pin}'"
    return f"{install}; if no plugin of it offers the name, {imports}"


def rebuilt(plain: Any, path: str) -> Routine:
    """Return a routine made again from a part of a document."""
    body = checked_body(plain, path)
    kind, config = class_of(body, path), config_of(body, path)
    try:
        with outside_jobs() as manager:
            if isinstance(kind, type) and issubclass(kind, Routine):
                by_position, by_name = arguments(kind, config)
                routine: Routine = kind(*by_position, **by_name)
            else:
                routine = manager.registry.create(body["class"], **config)
    except Exception as error:
        reason = f"{body['class']!r} cannot be made: {type(error).__name__}: {shorten_line(str(error))}"
        raise InvalidDocument(path, reason) from error
    restore(routine, body, path)
    return routine
