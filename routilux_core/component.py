"""Component: something that is offered by name, and how it is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attrs import frozen, has

from routilux_core.distribution import Distribution
from routilux_core.errors import InvalidOption, PluginError, UnknownOption
from routilux_core.identity import checked_id
from routilux_core.scalar import Text
from routilux_core.typed import fields_of, typed

Made = TypeVar("Made")
KINDS = ("executor", "store", "monitor", "routine", "flow", "policy")
ENABLED, QUEUE = "enabled", "queue"
RESERVED = {"monitor": (ENABLED, QUEUE)}
"""The options that all components of a kind have, so that none has one of its own by that name."""


@frozen(kw_only=True, eq=False, repr=False)
class Component:
    """Something that is offered by name."""

    kind: str
    name: str
    factory: Callable[..., Any]
    plugin: str = ""
    """Who offers it; empty for what needs no plugin."""
    package: Distribution | None = None
    settings: type | None = None
    """An attrs class: the options that it takes. The factory is called with one object of it."""
    summary: str = ""
    preferred: bool = False
    """Whether it is taken where nobody names one."""
    aliases: tuple[str, ...] = ()
    """Names that it had before. They work, with a warning."""
    synonyms: tuple[str, ...] = ()
    """Further names, as good as the first."""

    def __attrs_post_init__(self) -> None:
        for name in (self.name, *self.aliases, *self.synonyms):
            checked_id(f"name of {a(self.kind)}", name)
        if not callable(self.factory):
            raise InvalidOption(f"the factory of {self}", self.factory, "a class or a function")
        settings: Any = self.settings
        if settings is not None and not (isinstance(settings, type) and has(settings)):
            raise InvalidOption(f"the settings of {self}", settings, "an attrs class")
        taken = [
            name
            for name in RESERVED.get(self.kind, ())
            if settings is not None and name in fields_of(settings)
        ]
        if taken:
            wanted = f"a class without {taken[0]!r}, which every {self.kind} has"
            raise InvalidOption(f"the settings of {self}", settings, wanted)

    @property
    def distribution(self) -> str | None:
        """The name of the package that offers it, where one does."""
        return None if self.package is None else self.package.name

    @property
    def version(self) -> str | None:
        """The version of that package."""
        return None if self.package is None else self.package.version

    @property
    def source(self) -> str:
        """That package as text; empty where there is none."""
        return "" if self.package is None else str(self.package)

    def options(self, tables: Mapping[str, Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
        """Return what tables by name give it under any of its names, and what they are options of."""
        given = [name for name in (self.name, *self.synonyms, *self.aliases) if name in tables]
        found = {key: value for name in reversed(given) for key, value in tables[name].items()}
        return f"{self.kind}s.{given[0] if given else self.name}", found

    def arguments(self, options: Mapping[str, Any], where: str) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Return what the factory is called with; `where` says in errors what the options are options of."""
        if self.settings is not None:
            return (typed(options, self.settings, where),), {}
        # Nobody says what text stands for, so it is text.
        options = {key: str(one) if isinstance(one, Text) else one for key, one in options.items()}
        _check_call(self.factory, options, where)
        return (), options

    def make(self, wanted: type[Made], options: Mapping[str, Any], where: str = "") -> Made:
        """Call the factory with the options, checked, and return what it made, which has to be `wanted`."""
        try:
            by_position, by_name = self.arguments(options, where or str(self))
            made = self.factory(*by_position, **by_name)
        except ModuleNotFoundError as error:
            module = error.name or str(error)
            remedy = "install the package that provides it"
            if self.package is not None:
                remedy = self.package.remedy(module)
            reason = f"{self} needs the module {module!r}, which is not installed; {remedy}"
            raise PluginError(self.plugin or self.name, self.source, reason) from error
        if isinstance(made, wanted):
            return made
        reason = f"{self} came out as {type(made).__name__}; its factory has to return: {wanted.__name__}"
        raise PluginError(self.plugin or self.name, self.source, reason)

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}"


def a(noun: str) -> str:
    """Put the article before a noun."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _check_call(factory: Callable[..., Any], options: Mapping[str, Any], where: str) -> None:
    """Refuse options that the factory does not take, and say which it takes."""
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):
        return
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    known = {name: one for name, one in signature.parameters.items() if one.kind in kinds}
    takes = ", ".join(known) or "none"
    if not any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values()):
        for name in options:
            if name not in known:
                raise UnknownOption(f"{where}.{name}", options[name], f"one of: {takes}", where, tuple(known))
    for name, one in known.items():
        if one.default is one.empty and name not in options:
            raise InvalidOption(
                f"the options of {where}", tuple(options), f"{name!r} too; there are: {takes}"
            )
