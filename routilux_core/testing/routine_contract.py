"""RoutineContract: tests that every routine should pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from routilux_core.component import Component
from routilux_core.description import describe
from routilux_core.flow import Flow
from routilux_core.parameter import fits
from routilux_core.routine import Routine
from routilux_core.testing.bench import BENCH, ROUTINE, bench_of
from routilux_core.testing.slot_run import SlotRun, run_slot, slot_run
from routilux_core.wording import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from routilux_core.job import Job
    from routilux_core.slot import Event

Call = tuple[str, dict[str, Any]]


class RoutineContract:
    """Ready tests of one routine, for pytest or unittest. Subclass it and say what is tested.

    ```
    class TestDouble(RoutineContract):
        routine = Double
        examples = {"trigger": [{"value": 4}, {"value": -1}]}
    ```
    """

    examples: ClassVar[Mapping[str, Sequence[dict[str, Any]]]] = {}
    """For each slot that has a handler, payloads that it takes without an error."""
    repeatable: ClassVar[bool] = True
    """Whether the same payloads always give the same; say False where it asks the clock or a dice."""

    def routine(self) -> Routine:
        """Make the routine, anew at each call. A class is enough where it needs no arguments."""
        raise NotImplementedError(
            f"{type(self).__name__} needs `routine`: a Routine class, or a method that makes one"
        )

    # -- what it is --------------------------------------------------------------------------------------

    def test_it_is_made_anew(self) -> None:
        """Each call of `routine` gives a routine of its own, with a slot or an event."""
        one, other = self.routine(), self.routine()
        assert isinstance(one, Routine), f"`routine` gave {type(one).__name__}, not a Routine"
        assert one is not other, "`routine` gave the same object twice; make it anew at each call"
        assert one.slots or one.events, f"{type(one).__name__} has neither slots nor events"

    def test_it_says_what_it_does(self) -> None:
        """The class has a docstring, whose first line is what the registry shows."""
        kind = type(self.routine())
        described = describe(Component(kind="routine", name=kind.__name__, factory=kind))
        own = (vars(kind).get("__doc__") or "").strip()
        assert own, f"{kind.__name__} has no docstring to be described by"
        assert described.summary in own, f"{kind.__name__} is described as {described.summary!r}"

    def test_its_handlers_bind(self) -> None:
        """Each handler can be called by the names of a payload's fields."""
        with bench_of(self.routine()):
            pass

    def test_every_slot_has_an_example(self) -> None:
        """`examples` has a payload for each slot with a handler, and for no others."""
        slots = self.routine().slots
        wanted = {name for name, slot in slots.items() if slot.handler is not None}
        assert not set(self.examples) - set(slots), (
            f"it has no slots {sorted(set(self.examples) - set(slots))}"
        )
        assert wanted <= {name for name, given in self.examples.items() if given}, (
            f"no example for slots {sorted(wanted - set(self.examples))}; add a payload to `examples`"
        )

    # -- what it does ------------------------------------------------------------------------------------

    def test_it_takes_its_examples(self) -> None:
        """No example makes a handler raise."""
        for slot, payload in self._calls():
            run_slot(self.routine(), slot, **payload).raise_error()

    def test_it_emits_what_it_declares(self) -> None:
        """Each payload has just the fields that its event declares, with values of their types."""
        for slot, payload in self._calls():
            made = self.routine()
            run = run_slot(made, slot, **payload)
            for event, sent in run.emitted + run.deferred:
                _check_payload(made.get_event(event), sent)

    def test_two_jobs_do_not_disturb_each_other(self) -> None:
        """One object works for two jobs in turns, and does for each what it does for one alone."""
        calls = list(self._calls())
        if not calls or not self.repeatable:
            return
        alone = _interleaved(self.routine(), calls, jobs=1)[0]
        for run in _interleaved(self.routine(), calls, jobs=2):
            assert run.emitted == alone.emitted, (
                "it keeps something of a job on itself; a job's data is its JobState"
            )
            assert run.stats == alone.stats, (
                "it keeps something of a job on itself; a job's data is its JobState"
            )

    def test_its_configuration_stays(self) -> None:
        """Running it changes nothing of its configuration."""
        made = self.routine()
        before = made.config()
        for slot, payload in self._calls():
            run_slot(made, slot, **payload)
        assert made.config() == before, "a handler changed the configuration, which all jobs share"

    # -- how it travels ----------------------------------------------------------------------------------

    def test_it_can_be_rebuilt(self) -> None:
        """From what a flow file says of it comes the same routine, with the same configuration."""
        made = self.routine()
        again = _rebuilt(made)
        assert type(again) is type(made), f"{type(made).__name__} came back as {type(again).__name__}"
        assert again.config() == made.config(), "its configuration came back different"
        assert list(again.slots) == list(made.slots), "its slots came back different"
        assert list(again.events) == list(made.events), "its events came back different"

    def test_rebuilt_it_does_the_same(self) -> None:
        """The rebuilt routine gives for each example what the first one gives."""
        for slot, payload in self._calls() if self.repeatable else ():
            made = self.routine()
            first, second = (run_slot(one, slot, **payload) for one in (made, _rebuilt(made)))
            assert second.emitted == first.emitted, f"rebuilt, its slot {slot!r} emits something else"

    def _calls(self) -> Iterator[Call]:
        for slot, payloads in self.examples.items():
            for payload in payloads:
                yield slot, dict(payload)


def _check_payload(event: Event, payload: dict[str, Any]) -> None:
    if not event.fields:
        return
    declared, sent = list(event.fields), list(payload)
    assert set(sent) == set(declared), f"event {event.name!r} declares {declared}, and {sent} was emitted"
    for name, kind in event.fields.items():
        if kind is not None:
            value = payload[name]
            assert fits(value, kind), (
                f"event {event.name!r}: {name!r} is {value!r}, declared as {wording(kind)}"
            )


def _rebuilt(routine: Routine) -> Routine:
    flow = Flow("contract")
    flow.add_routine(routine, ROUTINE)
    try:
        document = json.loads(json.dumps(flow.serialize(), allow_nan=False))
    finally:
        routine.flows.discard(flow)
    again = Flow()
    again.deserialize(document)
    made = again.routine(ROUTINE)
    made.flows.discard(again)
    return made


def _interleaved(routine: Routine, calls: list[Call], jobs: int) -> list[SlotRun]:
    """Run all `calls` in each of so many jobs, one activation of each job in turns."""
    with bench_of(routine) as (manager, flow):
        (slot, payload), *others = calls
        states = [
            manager.start_job(flow, ROUTINE, payload, entry_slot=slot, executor=BENCH) for _ in range(jobs)
        ]
        working = [found for state in states if (found := manager.get_job(state.job_id)) is not None]
        for job in working:
            for name, data in others:
                job.post(ROUTINE, name, **data)
        while working:
            working = [job for job in working if _step(job)]
        return [slot_run(state) for state in states]


def _step(job: Job) -> bool:
    activation = job.take()
    if activation is None:
        return False
    job.finish(activation, job.run(activation))
    return True
