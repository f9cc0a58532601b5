"""The store that a URL names, made with the options of the URL and the settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from routilux_core.errors import InvalidOption, MissingComponent, UnknownComponent, UnknownOption, hint
from routilux_core.scalar import Text
from routilux_core.secret import MASK
from routilux_core.store import Store
from routilux_core.store_errors import InvalidStoreURL
from routilux_core.store_url import StoreURL, secret

if TYPE_CHECKING:
    from routilux_core.component import Component
    from routilux_core.registry import Registry
    from routilux_core.settings import Settings


def open_store(text: str, registry: Registry, settings: Settings) -> Store:
    """Return the store of that URL, opened.

    Options come from its query, then from the settings. Passwords are in no error.
    """
    url = StoreURL.read(text)
    try:
        component = registry.find("store", url.scheme)
    except MissingComponent:
        raise
    except UnknownComponent as error:
        reason = f"no plugin has the scheme {url.scheme!r}{hint(url.scheme, error.known)}"
        raise InvalidStoreURL(str(url), reason, error.known) from error
    where, options = _options(url, component, settings)
    component = evolve(component, factory=partial(component.factory, url))
    try:
        return component.make(Store, options, where)  # type: ignore[type-abstract]  # of a subclass
    except InvalidOption as error:
        refusal = _discreet(error, url)
    raise settings.placed(refusal, where)  # outside, so that the text of a secret is in no chain of errors


def checked_store(store: object) -> Store:
    """Return the store that a manager was given as an object."""
    if not isinstance(store, Store):
        raise InvalidOption("store", store, "a Store, or the URL of one, like sqlite:///jobs.db")
    return store


def _options(url: StoreURL, component: Component, settings: Settings) -> tuple[str, dict[str, Any]]:
    """Return what the options are options of, and the options: those of the URL come first."""
    names = (component.name, *component.synonyms, *component.aliases)
    given = [name for name in names if name in settings.stores]
    options: dict[str, Any] = {}
    for name in reversed(given):
        options |= settings.stores[name]
    options |= url.options
    if component.settings is None:  # nobody says what text stands for, so it is text
        options = {key: str(one) if isinstance(one, Text) else one for key, one in options.items()}
    return f"stores.{given[0] if given else component.name}", options


def _discreet(error: InvalidOption, url: StoreURL) -> InvalidOption:
    """Return the error without the value, where that may be a secret."""
    name = error.option.rpartition(".")[2]
    unknown = isinstance(error, UnknownOption)
    if not (secret(name) or (unknown and name in url.options)):
        return error
    return type(error)(*(MASK if field == "value" else getattr(error, field) for field in error.fields))
