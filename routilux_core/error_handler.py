"""What to do when a handler fails."""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any, Self

from attrs import field, fields, frozen

from routilux_core.codec import name_of
from routilux_core.descendant import descendants, find_descendant
from routilux_core.document_errors import InvalidDocument, shorten
from routilux_core.errors import InvalidOption, RoutiluxError, hint
from routilux_core.schema import Schema, check_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = Schema("error_handler", 1)


class ErrorStrategy(StrEnum):
    """What becomes of a job when one of its handlers fails."""

    STOP = "stop"
    CONTINUE = "continue"
    SKIP = "skip"
    RETRY = "retry"


def _exceptions(value: object) -> tuple[type[BaseException], ...]:
    kinds = value if isinstance(value, tuple) else tuple(value) if isinstance(value, list) else (value,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise InvalidOption("retryable_exceptions", kind, "exception classes")
    return kinds


def _strategy(value: Any) -> ErrorStrategy:
    try:
        return ErrorStrategy(value)
    except ValueError:
        raise InvalidOption("strategy", value, "stop, continue, skip or retry") from None


def _not_negative(_handler: object, attribute: object, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (value >= 0 and isfinite(value)):
        raise InvalidOption(getattr(attribute, "name", ""), value, "a number from 0 up")


@frozen
class ErrorHandler:
    """How failures are met, on a slot, a routine or a flow; the nearest wins.

    >>> ErrorHandler("retry", max_retries=5, retry_delay=0.1).delay(2, chance=1.0)
    0.2
    """

    strategy: ErrorStrategy = field(default=ErrorStrategy.STOP, converter=_strategy)
    max_retries: int = field(default=3, validator=_not_negative)
    retry_delay: float = field(default=1.0, validator=_not_negative)
    retry_backoff: float = field(default=2.0, validator=_not_negative)
    max_delay: float = field(default=60.0, validator=_not_negative)
    jitter: bool = True
    retryable_exceptions: tuple[type[BaseException], ...] = field(default=(Exception,), converter=_exceptions)
    is_critical: bool = False
    """Whether a failure stops the job whatever the strategy is."""
    is_optional: bool = False
    """Whether the job goes on when the retries are used up."""

    def retries(self, error: BaseException, attempt: int) -> bool:
        """Tell whether another attempt follows the failed `attempt`, counted from 1."""
        return (
            self.strategy is ErrorStrategy.RETRY
            and attempt <= self.max_retries
            and isinstance(error, self.retryable_exceptions)
        )

    def delay(self, attempt: int, chance: float) -> float:
        """Return the seconds to wait after the failed `attempt`; `chance`, from 0 to 1, is the jitter."""
        try:
            seconds = min(self.max_delay, self.retry_delay * self.retry_backoff ** (attempt - 1))
        except OverflowError:
            seconds = self.max_delay
        return seconds * (0.5 + chance / 2) if self.jitter else seconds

    def last_resort(self) -> ErrorStrategy:
        """Return what happens when no attempt is left."""
        if self.is_critical:
            return ErrorStrategy.STOP
        if self.strategy is not ErrorStrategy.RETRY:
            return self.strategy
        return ErrorStrategy.CONTINUE if self.is_optional else ErrorStrategy.STOP

    def serialize(self) -> dict[str, Any]:
        """Return it as a document: a dict that JSON can express."""
        return SCHEMA.envelope(handler_body(self))

    def deserialize(self, data: Mapping[str, Any]) -> Self:
        """Become what the document says; for an object that nobody uses yet."""
        made = handler_from(SCHEMA.open(data), "error_handler")
        for one in fields(ErrorHandler):
            object.__setattr__(self, one.name, getattr(made, one.name))
        return self


def handler_body(handler: ErrorHandler) -> dict[str, Any]:
    """Return the handler as part of a document."""
    body = {one.name: getattr(handler, one.name) for one in fields(ErrorHandler)}
    body["strategy"] = str(handler.strategy)
    body["retryable_exceptions"] = [name_of(kind) for kind in handler.retryable_exceptions]
    return body


def handler_from(body: Any, path: str) -> ErrorHandler:
    """Return the handler that a part of a document describes."""
    required, *optional = (one.name for one in fields(ErrorHandler))
    given = dict(check_keys(body, path, (required,), optional))
    for name in ("jitter", "is_critical", "is_optional"):
        if type(given.get(name, False)) is not bool:
            raise InvalidDocument(
                f"{path}.{name}", f"it is {shorten(given[name])}, and true or false is wanted"
            )
    names = given.pop("retryable_exceptions", None)
    if names is not None:
        if type(names) is not list:
            raise InvalidDocument(f"{path}.retryable_exceptions", "a list of names of exceptions is wanted")
        given["retryable_exceptions"] = tuple(
            _exception(name, f"{path}.retryable_exceptions[{index}]") for index, name in enumerate(names)
        )
    try:
        return ErrorHandler(**given)
    except RoutiluxError as error:
        raise InvalidDocument(path, str(error)) from error


def _exception(name: Any, path: str) -> type[BaseException]:
    """Return the exception of that name, built in or defined by now."""
    kind = find_descendant(BaseException, name, path) if type(name) is str else None
    if kind is None:
        known = tuple(map(name_of, descendants(BaseException)))
        near = hint(name, known) if type(name) is str else ""
        reason = f"there is no exception {shorten(name)}{near}; import or install what defines it"
        raise InvalidDocument(path, reason)
    return kind


STOP = ErrorHandler()
"""What holds where nothing is set."""
