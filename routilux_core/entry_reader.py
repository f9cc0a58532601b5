"""EntryReader: the facts that an entry of a store holds, made again for the job that they happen to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from routilux_core.activation import Activation
from routilux_core.activation_document import Reader, read_activation
from routilux_core.apply import apply
from routilux_core.damage import MISFITS, misfit
from routilux_core.document_errors import InvalidDocument, NewerSchema, shorten
from routilux_core.document_part import (
    COUNT,
    DICT,
    LINEAGE,
    MOMENT,
    NUMBER,
    PAYLOAD,
    PRIORITY,
    TEXT,
    optional,
)
from routilux_core.entry_writer import BEGUN, COMPLETED, DONE, EMITTED, NOWHERE, POSTED, SCHEMA, STARTED
from routilux_core.facts import (
    ActivationCompleted,
    ActivationStarted,
    ActivationYielded,
    DeferredEventReleased,
    EventEmitted,
    EventPosted,
    JobCompleted,
    JobStarted,
)
from routilux_core.facts_document import decode_happening
from routilux_core.identity import ITEM_BITS, MASK, STEP, digest
from routilux_core.job_data_document import ID
from routilux_core.plain_bytes import loads
from routilux_core.schema import check_keys
from routilux_core.views import ListView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from routilux_core.convert import Converter
    from routilux_core.fact import Fact
    from routilux_core.job_data import JobData

DUE, LIMIT = optional(MOMENT), optional(NUMBER)
LIMIT = optional(NUMBER)


@frozen(eq=False, repr=False)
class Way:
    """Where a plain connection comes from and leads."""

    source: str
    routine_id: str
    slot: str
    edge: int


class EntryReader(Reader):
    """Makes the facts of one job again, in order, and applies each before it makes the next."""

    def __init__(
        self, converter: Converter, data: JobData, lines_of: Callable[[str], tuple[str, ...]]
    ) -> None:
        super().__init__(converter)
        self._data = data
        self._lines_of = lines_of
        self._made: dict[int, Activation] = {}
        """The activations of the fact that is being read."""
        self._target: tuple[str, str] | None = None
        self._places: dict[int, int] = {}
        """How much the handler of an activation has sent since its start, or its last item."""
        self._deferred = 0
        """The lineage of the deferred event that was taken up last."""
        self._fingerprint: tuple[str, ...] | None = None
        self._ways: list[Way] = []
        self._short: dict[str, Callable[..., Fact]] = {
            STARTED: self._started,
            COMPLETED: self._completed,
            EMITTED: self._emitted,
            POSTED: self._posted,
            BEGUN: self._begun,
            DONE: JobCompleted,
        }

    def replay(self, content: bytes, first: int, last: int) -> Iterator[Fact]:
        """Let the facts of an entry happen to the job, one by one, and give them."""
        data, at, number = self._data, 0.0, first
        place = f"facts {first} to {last}"
        if first != data.number + 1:
            raise InvalidDocument(place, f"they do not go on after fact {data.number}")
        for plain in opened(content, place):
            if type(plain) is float or type(plain) is int:
                at = MOMENT.read(plain, self, place)
                continue
            try:
                if type(plain) is list:
                    fact = self._short[plain[0]](number, at, *plain[1:])
                else:
                    fact = self._long(plain, number, at)
                apply(data, fact)
            except InvalidDocument:
                raise
            except MISFITS as error:
                raise misfit(number, error) from error
            yield fact
            number += 1
        if number != last + 1:
            raise InvalidDocument(place, f"the last one in it is {number - 1}")

    def _long(self, plain: Any, number: int, at: float) -> Fact:
        self._made.clear()
        fact = decode_happening(plain, number, at, self, f"fact {number}")
        if type(fact) is ActivationYielded:
            self._places.pop(fact.activation.id, None)
        elif type(fact) is DeferredEventReleased:
            self._deferred = self._data.deferred[0][3]
        return fact

    # -- those of most steps and jobs --------------------------------------------------------------------

    def _started(self, number: int, at: float, known: int, _routine_id: str, _origin: int) -> Fact:
        self._places.pop(known, None)
        return ActivationStarted(number, at, self._data.activations[known])

    def _completed(self, number: int, at: float, known: int, _routine_id: str, seconds: float) -> Fact:
        self._places.pop(known, None)
        seconds = NUMBER.read(seconds, self, f"fact {number}")
        return ActivationCompleted(number, at, self._data.activations[known], seconds)

    def _emitted(
        self, number: int, at: float, known: int | None, routine_id: str, event: str, plain: Any, ways: Any
    ) -> Fact:
        place = f"fact {number}"
        sender = None if known is None else self._data.activations[known]
        payload = PAYLOAD.read(plain, self, place)
        fact = EventEmitted(
            number, at, sender, TEXT.read(routine_id, self, place), TEXT.read(event, self, place), payload
        )
        if sender is None:
            base = self._deferred
        else:
            sent = self._places.get(sender.id, 0)
            self._places[sender.id] = sent + 1
            base = (sender.items << ITEM_BITS) + sender.lineage + sent
        if ways == NOWHERE:
            fact.connected = False
            return fact
        single = type(ways) is int
        if self._data.fingerprint is not self._fingerprint:
            self._fingerprint = self._data.fingerprint
            self._ways = ways_of(self._fingerprint)
        children, last = [], self._data.last_id
        for index in (ways,) if single else ways:
            way, last = self._ways[index], last + 1
            lineage = (base * STEP + way.edge) & MASK
            children.append(Activation(last, way.routine_id, way.slot, payload, way.source, at, lineage))
        fact.follows = children[0] if single else tuple(children)
        return fact

    def _begun(
        self,
        number: int,
        at: float,
        job_id: str,
        flow_id: str,
        root: str,
        created_at: float,
        version: Any,
        timeout: float | None,
        metadata: Any,
    ) -> Fact:
        place = f"fact {number}"
        return JobStarted(
            number=number,
            at=at,
            job_id=ID.read(job_id, self, place),
            flow_id=ID.read(flow_id, self, place),
            root=ID.read(root, self, place),
            created_at=MOMENT.read(created_at, self, place),
            fingerprint=self.version(version, place),
            timeout=LIMIT.read(timeout, self, place),
            metadata=DICT.read(metadata, self, place),
        )

    def _posted(
        self,
        number: int,
        at: float,
        routine_id: str,
        slot: str,
        plain: Any,
        made: int,
        lineage: str,
        priority: int,
        max_retries: int,
    ) -> Fact:
        place = f"fact {number}"
        payload, born = PAYLOAD.read(plain, self, place), LINEAGE.read(lineage, self, place)
        activation = Activation(
            id=COUNT.read(made, self, place),
            routine_id=TEXT.read(routine_id, self, place),
            slot=TEXT.read(slot, self, place),
            data=payload,
            source=None,
            created=at,
            lineage=born,
            priority=PRIORITY.read(priority, self, place),
            max_retries=COUNT.read(max_retries, self, place),
        )
        return EventPosted(number, at, routine_id, slot, payload, (activation,))

    # -- what other facts are made of --------------------------------------------------------------------

    def activation(self, plain: Any, path: str) -> Activation:
        """Return the activation of that id, with what has changed of it, or a new one."""
        if type(plain) is dict:
            self._target = (
                TEXT.read(plain.get("routine_id"), self, path),
                TEXT.read(plain.get("slot"), self, path),
            )
            made = read_activation(plain, self, path)
            self._target = None
            self._made[made.id] = made
            return made
        if type(plain) is list:
            known, attempt, items, due = plain
            return evolve(
                self._known(known, path),
                attempt=COUNT.read(attempt, self, path),
                items=COUNT.read(items, self, path),
                due=DUE.read(due, self, path),
            )
        return self._known(plain, path)

    def _known(self, number: Any, path: str) -> Activation:
        found = self._data.activations.get(number) or self._data.failed.get(number)
        if found is None:
            raise InvalidDocument(path, f"the job has no activation {shorten(number)}")
        return found

    def payload(self, plain: Any, path: str) -> dict[str, Any]:
        """Read a payload, or return that of an activation of the same fact."""
        return self._made[plain].data if type(plain) is int else super().payload(plain, path)

    def gathered(self, plain: dict[str, Any], path: str) -> ListView[Any]:
        """Return as much of the list of its slot as an activation sees."""
        if "length" not in plain or self._target is None:
            return super().gathered(plain, path)
        check_keys(plain, path, ("field", "length"))
        values = self._data.merged[self._target][TEXT.read(plain["field"], self, path)]
        return ListView(values, COUNT.read(plain["length"], self, path))

    def version(self, plain: Any, path: str) -> tuple[str, ...]:
        """Return the version of the flow that has that name, or that is written out."""
        return self._lines_of(plain) if type(plain) is str else super().version(plain, path)


def opened(content: bytes, place: str) -> list[Any]:
    """Return the times and facts of an entry."""
    try:
        plain = loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(place, "it is no JSON") from error
    if type(plain) is not list or not plain or type(plain[0]) is not int or plain[0] < 1:
        raise InvalidDocument(place, "it is no list that begins with the number of its schema")
    if plain[0] > SCHEMA:
        reason = f"they have schema {shorten(plain[0])}, and this version reads up to {SCHEMA}"
        raise NewerSchema(place, f"{reason}; update routilux-core", plain[0], SCHEMA)
    return plain[1:]


def ways_of(fingerprint: tuple[str, ...]) -> list[Way]:
    """Return the connections of a version of a flow, by their numbers."""
    ways: list[Way] = []
    for line in fingerprint:
        kind, _, rest = line.partition(" ")
        if kind == "connection":
            connection = rest.partition(" {")[0]
            source, _, target = connection.partition(" -> ")
            routine_id, _, slot = target.rpartition(".")
            ways.append(Way(source, routine_id, slot, digest(f"{connection} {len(ways)}")))
    return ways
