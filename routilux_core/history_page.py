"""HistoryPage: a piece of a job's history, read from its store without the rest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import frozen

from routilux_core.activation_document import Reader
from routilux_core.damage import fitting, named
from routilux_core.document_part import COUNT
from routilux_core.entry_reader import opened
from routilux_core.entry_writer import COMPLETED, EMITTED, POSTED, STARTED
from routilux_core.facts import (
    ActivationFailed,
    ActivationRetried,
    ActivationSkipped,
    DeferredEventsLeft,
    ExecutionRecorded,
    PayloadMerged,
    PayloadsUnmatched,
)
from routilux_core.gathering import Gathering
from routilux_core.record import ExecutionRecord, moment, shown_error
from routilux_core.slot_document import MERGED
from routilux_core.views import ListView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from routilux_core.convert import Converter
    from routilux_core.store import Entry, Store

FEW, ENTRIES = 10, 100
"""So many entries are asked for at first, and so many at most."""
FACTS = 2_000
"""About so many facts are asked for at once, however many an entry has."""


MAKING = {EMITTED, POSTED}
"""The short forms of facts that make activations."""


@frozen(eq=False)
class HistoryPage:
    """Some lines of a job's history, in order."""

    records: tuple[ExecutionRecord, ...]
    after: int | None
    """Where the next page begins: give it as `after`. None at the end of what there is."""


class HistoryReader:
    """Reads the history of one job from its store, a page at a time."""

    def __init__(self, store: Store, job_id: str, converter: Converter) -> None:
        self._store = store
        self._job_id = job_id
        self._whose = f"of job {job_id!r}"
        self._reader = Reader(converter)
        self._origins: dict[int, Any] = {}
        """The facts that made activations, as far as they were met."""
        self._gatherings: dict[tuple[str, str, str], Gathering] = {}

    def page(self, after: int, limit: int) -> HistoryPage:
        """Return up to `limit` lines of the facts that come after that number."""
        try:
            with named(self._whose):
                return self._page(after, limit)
        finally:  # a page holds on to us where a slot gathered, and needs nothing of this
            self._origins, self._gatherings = {}, {}

    def _page(self, after: int, limit: int) -> HistoryPage:
        records: list[ExecutionRecord] = []
        number = after
        for number, at, plain in self._facts(after):
            with fitting(number):
                record = self._record(number, at, plain)
            if record is not None:
                records.append(record)
                if len(records) == limit:
                    return HistoryPage(tuple(records), number)
        return HistoryPage(tuple(records), None)

    def _facts(self, after: int) -> Iterator[tuple[int, float, Any]]:
        """Give the facts after that number, with their times, as plain data."""
        count = FEW
        while entries := self._store.history(self._job_id, after, count):
            for entry in entries:
                yield from (fact for fact in plain_facts(entry) if fact[0] > after)
            after = entries[-1].last
            count = max(1, min(ENTRIES, FACTS * len(entries) // (after - entries[0].first + 1)))

    def _record(self, number: int, at: float, plain: Any) -> ExecutionRecord | None:
        self._note(number, plain)
        if type(plain) is list:
            return self._short(number, at, *plain)
        show = _SHOWN.get(plain["fact"])
        return None if show is None else ExecutionRecord(*show(plain, self._reader), moment(at))

    def _short(
        self, number: int, at: float, kind: str, known: Any = None, routine_id: str = "", *more: Any
    ) -> ExecutionRecord | None:
        if kind not in {STARTED, COMPLETED, EMITTED}:
            return None
        if kind == STARTED:
            name, data = "start", self._payload(known, more[0])
        elif kind == COMPLETED:
            name, data = "completed", {}
        else:
            name, data = more[0], self._reader.payload(more[1], f"fact {number}")
        return ExecutionRecord(routine_id, name, data, moment(at))

    # -- what an activation was started with -------------------------------------------------------------

    def _note(self, number: int, plain: Any) -> None:
        """Keep a fact that makes activations, since what these were started with is there."""
        if plain[0] in MAKING if type(plain) is list else _made_by(plain):
            self._origins[number] = plain

    def _payload(self, known: int, origin: int) -> dict[str, Any]:
        if origin not in self._origins:
            for entry in self._store.history(self._job_id, origin - 1, 1):
                for number, _, fact in plain_facts(entry):
                    self._note(number, fact)
        plain, place = self._origins.get(origin), f"fact {origin}"
        if type(plain) is list:
            return self._reader.payload(plain[4 if plain[0] == EMITTED else 3], place)
        made_there = {one["id"]: one for one in _made_by(plain)}
        made = made_there.get(known)
        if made is None:
            return {}
        data = made.get("data", {})
        while type(data) is int:  # the same as that of another one
            data = made_there[data].get("data", {})
        payload = self._reader.payload(data, place)
        for view in made.get("gathered", ()):
            name = view["field"]
            if "length" in view:
                length = COUNT.read(view["length"], self._reader, place)
                payload[name] = ListView(self._gathering(made, name), length)
            else:
                payload[name] = self._reader.gathered(view, place)
        return payload

    def _gathering(self, made: dict[str, Any], name: str) -> Gathering:
        """Return what a field of a slot gathered, the same for all activations of that slot."""
        place = made["routine_id"], made["slot"], name
        found = self._gatherings.get(place)
        if found is None:
            found = self._gatherings[place] = Gathering(partial(self._gathered, *place))
        return found

    def _gathered(self, routine_id: str, slot: str, name: str) -> Iterator[Any]:
        """Give one by one what a field of a slot gathered."""
        with named(self._whose):
            for number, _, plain in self._facts(0):
                if type(plain) is not list:
                    with fitting(number):
                        values = self._merged(number, plain, (routine_id, slot), name)
                    yield from values

    def _merged(self, number: int, plain: Any, target: tuple[str, str], name: str) -> Sequence[Any]:
        """Return what a fact adds to a field of a slot."""
        if plain["fact"] == PayloadMerged.tag and (plain["routine_id"], plain["slot"]) == target:
            payload = self._reader.payload(plain["payload"], f"fact {number}")
            return [payload[name]] if name in payload else []
        inherited = (plain.get("legacy") or plain.get("whole") or {}).get("merged")
        if not inherited:
            return []
        merged = MERGED.read(inherited, self._reader, f"fact {number}")
        return list(merged.get(target, {}).get(name, ()))


def plain_facts(entry: Entry) -> Iterator[tuple[int, float, Any]]:
    """Give number, time and plain data of the facts of an entry."""
    number, at = entry.first, 0.0
    for plain in opened(entry.content, f"facts {entry.first} to {entry.last}"):
        if type(plain) is float or type(plain) is int:
            at = plain
        else:
            yield number, at, plain
            number += 1


def _made_by(plain: Any) -> list[Any]:
    """Return the activations that stand in a fact as plain data."""
    if plain is None:
        return []
    found = plain.get("activations", [])
    for whole in (plain.get("legacy"), plain.get("whole")):
        if whole is not None:
            found = [*whole["pending_tasks"], *whole["failed_tasks"]]
    return [one for one in found if type(one) is dict]


Shown = tuple[str, str, dict[str, Any]]


def _failure(name: str) -> Callable[[dict[str, Any], Reader], Shown]:
    def show(plain: dict[str, Any], reader: Reader) -> Shown:
        error = reader.error(plain["error"], "error")
        return str(error.routine_id), name, shown_error(error)

    return show


_SHOWN: dict[str, Callable[[dict[str, Any], Reader], Shown]] = {
    ActivationFailed.tag: _failure("failed"),
    ActivationRetried.tag: _failure("retry"),
    ActivationSkipped.tag: _failure("skipped"),
    ExecutionRecorded.tag: lambda plain, reader: (
        plain["routine_id"],
        plain["event_name"],
        reader.payload(plain["data"], "data"),
    ),
    PayloadsUnmatched.tag: lambda plain, _: (
        plain["routine_id"],
        "unmatched",
        {"slot": plain["slot"], "count": sum(count for _, count in plain["took"])},
    ),
    DeferredEventsLeft.tag: lambda plain, _: ("", "deferred events left", {"count": plain["count"]}),
}
