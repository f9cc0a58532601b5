"""Every error class survives pickling: a worker process sends its errors home this way."""

import pickle
from datetime import UTC, datetime
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import pytest

from routilux_core import RoutiluxError
from tests.architecture.source import sources

SAMPLES = {
    bool: True,
    int: 3,
    float: 1.5,
    str: "sample",
    bytes: b"sample",
    Path: Path("sample"),
    datetime: datetime(2024, 1, 2, tzinfo=UTC),
}


def error_classes():
    """Every class below RoutiluxError that any module of the core defines."""
    for module in sources("routilux_core"):
        import_module(module.name)
    found, open_ends = [], [import_module("routilux_core.errors").RoutiluxError]
    while open_ends:
        error = open_ends.pop()
        found.append(error)
        open_ends += [kind for kind in error.__subclasses__() if kind.__module__.startswith("routilux_core")]
    return sorted(set(found), key=lambda error: error.__qualname__)


def sample(annotation: Any) -> Any:
    """A plain value that fits an annotation."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return sample(next(kind for kind in arguments if kind is not NoneType))
    if annotation in SAMPLES:
        return SAMPLES[annotation]
    kind = origin or annotation
    if not isinstance(kind, type):
        return "sample"
    if issubclass(kind, BaseException):
        return ValueError("sample")
    if attrs.has(kind):
        return make(kind)
    return _container(kind, arguments)


def _container(kind: type, arguments: tuple[Any, ...]) -> Any:
    inner = [sample(argument) for argument in arguments if argument is not ...]
    if hasattr(kind, "keys"):
        return dict([inner or ["sample", 1]])
    if kind is tuple:
        return tuple(inner) or ("sample",)
    for made in (list, set, frozenset):
        if issubclass(made, kind) and kind is not object:
            return made(inner or ["sample"])
    return "sample"


def make(kind: type) -> Any:
    """Make one from sample values, each named parameter given."""
    if issubclass(kind, RoutiluxError):
        hints = get_type_hints(kind)
        return kind(*(sample(hints[name]) for name in kind.fields))
    hints = get_type_hints(kind) if attrs.has(kind) else get_type_hints(kind.__init__)
    _self, *parameters = signature(kind.__init__).parameters.values()
    given = [p for p in parameters if p.kind not in {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}]
    values = {parameter.name: sample(hints.get(parameter.name, str)) for parameter in given}
    positional = [values.pop(p.name) for p in given if p.kind is not Parameter.KEYWORD_ONLY]
    return kind(*positional, **values)


def content(error: BaseException) -> dict[str, str]:
    return {name: repr(value) for name, value in vars(error).items()} | {"args": repr(error.args)}


def text(error: BaseException) -> str:
    return f"{type(error).__qualname__}: {error}"


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__qualname__)
def test_an_error_survives_pickling(kind):
    error = make(kind)

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert type(again) is kind
    assert text(again) == text(error)
    assert content(again) == content(error)


class _Forgetful(Exception):
    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{name} {known}")


def test_the_check_finds_an_error_that_does_not_survive():
    """The control: an error that hands its base another argument than it takes cannot be made again."""
    with pytest.raises(TypeError):
        pickle.loads(pickle.dumps(make(_Forgetful)))  # noqa: S301 - our own bytes
