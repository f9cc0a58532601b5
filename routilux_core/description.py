"""Description: what a routine or another component is, takes and gives."""

from __future__ import annotations

import inspect
import re
from itertools import pairwise
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from attrs import NOTHING, Attribute, Factory, fields, frozen

from routilux_core.distribution import provider_of
from routilux_core.routine import Routine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from routilux_core.component import Component
    from routilux_core.slot import Event, Slot

_PATH = r"(?<!['\"\w.])(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])"
"""The modules before a name, outside of quotes."""
_short = Repr()
_short.maxstring = _short.maxother = 60


@frozen(kw_only=True)
class FieldDescription:
    """One field of a slot, an event or a configuration."""

    name: str
    type: str = ""
    """Its type as it is written in the code; empty where none is given."""
    required: bool = True
    default: Any = None
    """What it is if it is not given, where it is not required."""
    doc: str = ""

    def __str__(self) -> str:
        kind = f": {self.type}" if self.type else ""
        default = "" if self.required else f" = {_short.repr(self.default)}"
        return self.name + kind + default


@frozen(kw_only=True)
class PortDescription:
    """One slot or event."""

    name: str
    fields: tuple[FieldDescription, ...] = ()
    open: bool = False
    """Whether it takes or gives any other field too."""
    summary: str = ""

    def __str__(self) -> str:
        inner = [str(one) for one in self.fields]
        return f"{self.name}({', '.join([*inner, '...'] if self.open else inner)})"


@frozen(kw_only=True)
class Description:
    """What the registry knows of a component. `print` shows all of it.

    >>> from routilux_core import JobManager, routine
    >>> @routine
    ... def double(value: int):
    ...     "Twice the value."
    ...     return {"value": 2 * value}
    >>> with JobManager() as manager:
    ...     manager.registry.register(double, "example.double")
    ...     print(manager.registry.describe("example.double"))
    routine example.double: Twice the value.
      slots: trigger(value: int)
      events: output(...)
    """

    kind: str
    name: str
    summary: str = ""
    slots: tuple[PortDescription, ...] = ()
    events: tuple[PortDescription, ...] = ()
    config: tuple[FieldDescription, ...] = ()
    """The configuration or the options that it takes."""
    plugin: str = ""
    package: str = ""
    """The name of the installed package that it comes from, where it comes from one."""
    version: str = ""
    aliases: tuple[str, ...] = ()

    def __str__(self) -> str:
        summary = f": {self.summary}" if self.summary else ""
        origin = f" ({self.package} {self.version})" if self.package else ""
        lines = [f"{self.kind} {self.name}{origin}{summary}"]
        for what, ports in (("slots", self.slots), ("events", self.events)):
            if ports:
                lines.append(f"  {what}: {', '.join(map(str, ports))}")
        lines += [f"  config: {one}" + (f"; {one.doc}" if one.doc else "") for one in self.config]
        return "\n".join(lines)


def describe(component: Component) -> Description:
    """Look a component over. A routine is made without configuration for it, where that is possible."""
    factory = component.factory
    slots: Iterable[Slot] = ()
    events: Iterable[Event] = ()
    if component.kind == "routine":
        slots, events = _ports(factory)
    package = component.package or provider_of(getattr(factory, "__module__", None) or "")
    return Description(
        kind=component.kind,
        name=component.name,
        summary=component.summary or _first_line(factory),
        slots=tuple(_slot(slot) for slot in slots),
        events=tuple(_event(event) for event in events),
        config=tuple(_config(component)),
        plugin=component.plugin,
        package="" if package is None else package.name,
        version="" if package is None else package.version,
        aliases=component.aliases,
    )


def _ports(factory: Any) -> tuple[Iterable[Slot], Iterable[Event]]:
    try:
        made = factory()
    except Exception:  # noqa: BLE001 - it wants configuration; what stands in the class is known all the same
        if not (isinstance(factory, type) and issubclass(factory, Routine)):
            return (), ()
        made = factory._bare()
    if not isinstance(made, Routine):
        return (), ()
    return made.slots.values(), made.events.values()


def _slot(slot: Slot) -> PortDescription:
    try:
        parameters: Mapping[str, inspect.Parameter] = inspect.signature(slot.handler).parameters  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return PortDescription(name=slot.name, open=slot.handler is not None)
    named = tuple(_parameters(parameters))
    takes_all = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    return PortDescription(name=slot.name, fields=named, open=takes_all, summary=_first_line(slot.handler))


def _parameters(parameters: Mapping[str, inspect.Parameter]) -> Iterator[FieldDescription]:
    for name, one in parameters.items():
        if one.kind in {one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY}:
            kind = "" if one.annotation is one.empty else type_text(one.annotation)
            required = one.default is one.empty
            default = None if required else one.default
            yield FieldDescription(name=name, type=kind, required=required, default=default)


def _event(event: Event) -> PortDescription:
    named = tuple(
        FieldDescription(name=name, type="" if kind is None else type_text(kind))
        for name, kind in event.fields.items()
    )
    return PortDescription(name=event.name, fields=named, open=not named)


def _config(component: Component) -> Iterator[FieldDescription]:
    schema = component.settings or getattr(component.factory, "Config", None)
    if isinstance(schema, type) and hasattr(schema, "__attrs_attrs__"):
        docs = _field_docs(schema)
        for one in fields(schema):
            if one.init:
                kind = "" if one.type is None else type_text(one.type)
                doc = one.metadata.get("doc") or docs.get(one.name, "")
                required = one.default is NOTHING
                default = None if required else _default(one)
                yield FieldDescription(name=one.alias, type=kind, required=required, default=default, doc=doc)
        return
    try:
        yield from _parameters(inspect.signature(component.factory).parameters)
    except (TypeError, ValueError):
        return


def _default(one: Attribute[Any]) -> Any:
    default: Any = one.default
    return default.factory() if isinstance(default, Factory) and not default.takes_self else default  # type: ignore[arg-type]  # it is a class


def _field_docs(schema: type) -> dict[str, str]:
    """Return the text under each field of a class, where its source is there to be read."""
    import ast  # noqa: PLC0415 - costly, and needed only by people who ask
    import textwrap  # noqa: PLC0415 - as above

    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(schema))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return {}
    found = {}
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for field, text in pairwise(statements):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match text:
                case ast.Expr(value=ast.Constant(value=str(doc))):
                    found[field.target.id] = inspect.cleandoc(doc)
    return found


def type_text(annotation: Any) -> str:
    """Write a type as the code does, without the modules that it comes from."""
    return (
        annotation if isinstance(annotation, str) else re.sub(_PATH, "", inspect.formatannotation(annotation))
    )


def _first_line(made: Any) -> str:
    doc = vars(made).get("__doc__") if isinstance(made, type) else getattr(made, "__doc__", None)
    return inspect.cleandoc(doc).partition("\n")[0] if isinstance(doc, str) else ""
