"""EntryWriter: facts as plain data for a store, each written as it happens, before anything can change.

The content of an entry is a list: the number of its schema, then times and facts. A time, in seconds since
the epoch, is that of the facts after it. The facts that most steps and jobs are made of are short lists, the
others are objects. What an emission makes along plain connections is not written, only the numbers of these
connections. Any other activation is written where it is made. Later facts name it by its id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.activation_document import Writer, write_activation
from routilux_core.document_errors import NotSerializable, shorten
from routilux_core.document_part import LINEAGE
from routilux_core.effect import PauseAsked
from routilux_core.facts import (
    ActivationCompleted,
    ActivationStarted,
    EventEmitted,
    EventPosted,
    JobCompleted,
    JobStarted,
)
from routilux_core.facts_document import encode_happening
from routilux_core.merge import APPEND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from routilux_core.activation import Activation
    from routilux_core.convert import Converter
    from routilux_core.fact import Fact
    from routilux_core.facts import PayloadMerged
    from routilux_core.job_data import JobData
    from routilux_core.views import ListView

SCHEMA = 1
STARTED, COMPLETED, EMITTED, POSTED, BEGUN, DONE = "s", "c", "e", "p", "b", "d"
Ways = dict[str, dict[str, Any]]
"""For each routine and event the plain connections that it takes: a number, or a list of them."""
NOWHERE = -1
"""Stands for the ways of an event that nothing is connected to."""
EVER_THE_SAME = {str, int, bool, type(None)}
"""The types of most keys, none of which has a value that differs from itself."""


class EntryWriter(Writer):
    """Writes the facts of one job, in order; whoever has the job's turn uses it."""

    def __init__(
        self, converter: Converter, data: JobData, ways: Ways, versions: Mapping[tuple[str, ...], str]
    ) -> None:
        super().__init__(converter)
        self.origins: dict[int, int] = {}
        """For each activation that is not done, the number of the fact that made it."""
        self.draft: list[Any] = []
        """The times and facts that nobody has cut off yet."""
        self.pressing = False
        """True when there is more among them than starts."""
        self.data = data
        self._ways = ways
        self.versions = versions
        self._at: float | None = None
        self._prepared: dict[int, tuple[Any, Any]] = {}
        self._number = 0
        self._target: tuple[str, str] | None = None
        self._payloads: dict[int, int] = {}

    def cut(self) -> list[Any]:
        """Return what was written since the last cut."""
        draft, self.draft, self._at = self.draft, [], None
        return draft

    # -- before it happens -------------------------------------------------------------------------------

    def prepare(self, effects: Iterable[Any]) -> None:
        """Write what a handler did while that can still fail; `NotSerializable` names what cannot be kept."""
        self._prepared.clear()
        for effect in effects:
            if type(effect) is EventEmitted:
                self._prepared[id(effect)] = effect, self.sent(effect)
            elif type(effect) is PauseAsked:
                self.converter.encode(effect.checkpoint, "checkpoint")
                self.converter.encode(effect.reason, "reason")
            else:
                self._prepared[id(effect)] = effect, encode_happening(effect, self, effect.tag)

    def sent(self, fact: EventEmitted) -> Any:
        """Return the payload of an emission as plain data."""
        try:
            return self.converter.encode(fact.data)
        except NotSerializable:
            return self.converter.encode(fact.data, f"{fact.routine_id}.{fact.event}")  # with the place

    def check_place(self, target: str, key: Any, lane: Any) -> None:
        """Raise `NotSerializable` unless a slot's key and lane are the same when they are read again."""
        for name, value in ((f"{target} key", key), (f"{target} lane", lane)):
            if type(value) not in EVER_THE_SAME:
                read = self.converter.decode(self.converter.encode(value, name), name)
                if read != value:
                    advice = "choose one that equals itself when it is made again"
                    raise NotSerializable(name, shorten(value), advice)

    def check_merged(self, target: str, merged: PayloadMerged) -> None:
        """Raise `NotSerializable` if a slot would keep what cannot be kept."""
        if merged.strategy != APPEND:
            self.converter.encode(merged.payload, target)

    # -- when it happens ---------------------------------------------------------------------------------

    def write(self, fact: Fact) -> None:
        """Write a fact that has its number and time and is not applied yet."""
        self.time(fact.at)
        self._number = fact.number
        kind = type(fact)
        if kind is EventEmitted:
            self.emitted(fact, self._ways[fact.routine_id].get(fact.event, NOWHERE))  # type: ignore[attr-defined, arg-type]
        elif kind is ActivationStarted:
            self.started(fact.activation)  # type: ignore[attr-defined]
        elif kind is ActivationCompleted:
            self.completed(fact.activation, fact.seconds)  # type: ignore[attr-defined]
        elif kind is JobCompleted:
            self.pressing = True
            self.draft.append([DONE])
        elif kind is JobStarted:
            self.pressing = True
            self.draft.append([BEGUN, *self._begun(fact)])  # type: ignore[arg-type]
        elif kind is EventPosted and len(fact.activations) == 1:  # type: ignore[attr-defined]
            self.pressing = True
            self.draft.append([POSTED, *self._posted(fact)])  # type: ignore[arg-type]
        else:
            self._payloads.clear()
            self.pressing = True
            plain = self._prepared_form(fact)
            self.draft.append(encode_happening(fact, self, fact.tag) if plain is None else plain)

    def time(self, at: float) -> None:
        """Let the next facts be of that time."""
        if at != self._at:
            self._at = at
            self.draft.append(at)

    def started(self, activation: Activation) -> None:
        """Write that an activation started."""
        number = activation.id
        self.draft.append([STARTED, number, activation.routine_id, self.origins.get(number, 0)])

    def completed(self, activation: Activation, seconds: float) -> None:
        """Write that an activation is done."""
        number = activation.id
        self.origins.pop(number, None)
        self.pressing = True
        self.draft.append([COMPLETED, number, activation.routine_id, seconds])

    def emitted(self, fact: EventEmitted, ways: Any) -> None:
        """Write an emission that goes these ways."""
        activation, follows = fact.activation, fact.follows
        plain = self._prepared_form(fact)
        if plain is None:
            plain = self.sent(fact)
        number = None if activation is None else activation.id
        self.pressing = True
        self.draft.append([EMITTED, number, fact.routine_id, fact.event, plain, ways])
        if type(follows) is tuple:
            for child in follows:
                self.origins[child.id] = fact.number
        else:
            self.origins[follows.id] = fact.number  # type: ignore[union-attr]  # a single one

    def _begun(self, fact: JobStarted) -> list[Any]:
        metadata = self.converter.encode(fact.metadata, "metadata")
        version = self.version(fact.fingerprint, "fingerprint")
        return [fact.job_id, fact.flow_id, fact.root, fact.created_at, version, fact.timeout, metadata]

    def _posted(self, fact: EventPosted) -> list[Any]:
        [activation] = fact.activations
        self.origins[activation.id] = fact.number
        plain = self.converter.encode(fact.data, f"{fact.routine_id}.{fact.slot}")
        lineage = LINEAGE.write(activation.lineage, self, "lineage")
        known = [fact.routine_id, fact.slot, plain, activation.id, lineage]
        return [*known, activation.priority, activation.max_retries]

    def _prepared_form(self, fact: Fact) -> Any:
        known, plain = self._prepared.pop(id(fact), (None, None))
        return plain if known is fact else None

    # -- what other facts are made of --------------------------------------------------------------------

    def activation(self, activation: Activation, path: str) -> Any:
        """Write the id of an activation that is known, with what has changed of it, or the whole."""
        number, data = activation.id, self.data
        known = data.activations.get(number) or data.failed.get(number)
        if known is activation:
            return number
        if known is not None and known.data is activation.data:
            return [number, activation.attempt, activation.items, activation.due]
        self.origins[number] = self._number
        self._target = activation.routine_id, activation.slot
        plain = write_activation(activation, self, path)
        self._target = None
        self._payloads.setdefault(id(activation.data), number)
        return plain

    def same(self, payload: dict[str, Any]) -> int | None:
        """Return the id of an activation of the same fact that has this very payload."""
        return self._payloads.get(id(payload))

    def gathered(self, view: ListView[Any], path: str) -> dict[str, Any]:
        """Write how much of the list of its slot an activation sees."""
        lists = self.data.merged.get(self._target, {}) if self._target else {}
        if view.source is not None and any(view.source is values for values in lists.values()):
            return {"length": len(view)}
        return super().gathered(view, path)

    def version(self, fingerprint: tuple[str, ...], path: str) -> Any:
        """Write the name of a version of the flow that the store knows, or the whole of it."""
        return self.versions.get(fingerprint) or super().version(fingerprint, path)
