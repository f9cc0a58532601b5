"""Reply: what came of an activation in another process, on its way home."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Self

from attrs import define

from routilux_core.error_record import text_of
from routilux_core.facts import EventEmitted
from routilux_core.job_errors import CannotTravel, RemoteError, RemoteTraceback
from routilux_core.outcome import Outcome
from routilux_core.parcel import packed, unpacked

if TYPE_CHECKING:
    from routilux_core.activation import Activation


@define(eq=False, repr=False)
class Reply:
    """An outcome without what the receiver has anyway."""

    effects: list[Any]
    """Emissions as (routine id, event, data); other effects as they are."""
    error: tuple[bytes, str] | None
    """The exception as bytes, and where it was raised, as text."""
    more: bool

    def __reduce__(self) -> tuple[Any, ...]:
        return Reply, (self.effects, self.error, self.more)

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """Return what goes home of an outcome."""
        effects = [
            (effect.routine_id, effect.event, effect.data) if type(effect) is EventEmitted else effect
            for effect in outcome.effects
        ]
        error = outcome.exception
        return cls(effects, None if error is None else _written(error), outcome.more)

    def outcome(self, activation: Activation) -> Outcome:
        """Return what `job.finish` takes for `activation`."""
        effects = [
            EventEmitted(0, 0.0, activation, *effect) if type(effect) is tuple else effect
            for effect in self.effects
        ]
        return Outcome(effects, None if self.error is None else _read(*self.error), self.more)


def packed_replies(replies: list[tuple[Any, Reply]]) -> bytes:
    """Return named replies as bytes; one that cannot travel becomes a failure that says so."""
    try:
        return packed(replies, "a reply")
    except CannotTravel:
        return packed([(name, _sound(one)) for name, one in replies], "a reply")


def _sound(one: Reply) -> Reply:
    try:
        for effect in one.effects:
            if type(effect) is tuple:
                packed(effect[2], f"event {effect[0]}.{effect[1]}")
            else:
                packed(effect, type(effect).__name__)
    except CannotTravel as error:
        return Reply([], _written(error), more=False)
    return one


def _written(error: BaseException) -> tuple[bytes, str]:
    text = "".join(traceback.format_exception(error))
    try:
        content = packed(error, "the exception")
        unpacked(content)  # to see whether it can be read at home
    except Exception:  # noqa: BLE001 - exceptions of others fail at this in many ways
        content = packed(RemoteError(type(error).__name__, text_of(error)), "the exception")
    return content, text


def _read(content: bytes, text: str) -> BaseException:
    try:
        error: BaseException = unpacked(content)
    except Exception as failure:  # noqa: BLE001 - a class that only the other process has
        error = RemoteError(type(failure).__name__, text_of(failure))
    error.__cause__ = RemoteTraceback(text)
    return error
