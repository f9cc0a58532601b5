"""What comes of a job is the same on every executor."""

from __future__ import annotations

import asyncio
from collections import Counter as Count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from routilux_core.facts import EventEmitted, OutputSent
from routilux_core.testing.bench import Bench
from routilux_core.testing.executor_contract.meeting import Meeting
from routilux_core.testing.executor_contract.sample import (
    Counter,
    Spread,
    both,
    chain,
    double,
    fan,
    gather,
    increase,
    note,
)
from routilux_core.testing.executor_contract.stage import Stage
from routilux_core.testing.executor_contract.visitor import Speaker, announce
from routilux_core.testing.executor_contract.workshop import Workshop, completed, numbers
from routilux_core.testing.recorder import Recorder

if TYPE_CHECKING:
    from routilux_core.flow import Flow
    from routilux_core.state import JobState

MANY = 10_000
JOBS = 50


class ResultTests(Stage):
    """Results, each kind of handler, nothing lost and nothing done twice."""

    def test_it_gives_the_results_that_one_worker_gives(self) -> None:
        """A flow with every kind of handler comes to the same, up to order."""
        reference = Workshop(Bench(), self.patience)
        try:
            wanted = reference.manager.execute(_mixed(), "fan", {"width": 30})
        finally:
            reference.close()
        state = self.workshop.complete(_mixed(), "fan", {"width": 30})
        assert _sum_of(state) == _sum_of(wanted)

    def test_execute_returns_when_the_job_is_over(self) -> None:
        """`execute`, which the executor may drive as it likes, gives what `start` gives."""
        state = self.workshop.manager.execute(_mixed(), "fan", {"width": 10})
        assert len(numbers(completed(state), "count.output")) == 20

    def test_a_job_is_awaited_on_an_event_loop(self) -> None:
        """Two jobs at once are awaited by an application that has a loop of its own."""

        async def run(width: int) -> JobState:
            job = self.workshop.manager.execute_async(_mixed(), "fan", {"width": width})
            return await asyncio.wait_for(job, self.patience)

        async def main() -> tuple[JobState, JobState]:
            return await asyncio.gather(run(3), run(4))

        found = [len(numbers(completed(state), "count.output")) for state in asyncio.run(main())]
        assert found == [6, 8], f"two jobs of 6 and 8 results gave {found}"

    def test_ten_thousand_activations_are_all_completed(self) -> None:
        """None is lost, none counts twice, while nobody watches and the job is at its fastest."""
        state = self.workshop.complete(
            chain("many", spread=Spread(), double=double()), "spread", {"width": MANY}
        )
        _all_there([n // 2 for n in numbers(state, "double.output")], MANY)
        done = state.routine_states["double"]["activations"]
        assert done == MANY, f"{done} of {MANY} are completed"

    def test_each_activation_is_run_once(self) -> None:
        """No handler is called again after it has done its work."""
        with TemporaryDirectory() as folder:
            notes = Path(folder) / "notes"
            self.workshop.complete(
                chain("once", fan=fan(), note=note()), "fan", {"width": 200, "path": str(notes)}
            )
            _all_there(sorted(map(int, notes.read_text(encoding="utf-8").split())), 200)

    def test_many_jobs_at_once_do_not_mix(self) -> None:
        """Each of fifty jobs gets what is its own."""
        flow = chain("mixed", fan=fan(), double=double(), count=Counter())
        states = [self.workshop.start(flow, "fan", {"width": width}) for width in range(1, JOBS + 1)]
        for width, state in enumerate(states, 1):
            found = numbers(completed(self.workshop.wait(state)), "count.output")
            assert found == list(range(0, 2 * width, 2)), f"a job of {width} activations gave {found}"
            assert state.stats("count") == {"calls": width}, f"stats of {width} calls: {state.stats('count')}"

    def test_a_generator_is_heard_while_it_works(self) -> None:
        """What it yields takes effect before it is at its end."""
        recorder = Recorder()
        with Meeting(self.patience) as meeting:
            flow = chain("heard", announce=announce())
            state = self.workshop.start(flow, "announce", {"meeting": meeting.address}, monitors=[recorder])
            guest = meeting.guest()
            recorder.wait_for(EventEmitted, timeout=self.patience)
            assert numbers(state, "announce.output") == [1], f"while it waits: {dict(state.results)}"
            guest.let_go()
            self.workshop.wait(state)
        assert numbers(completed(state), "announce.output") == [1, 2]

    def test_an_output_is_heard_while_its_handler_works(self) -> None:
        """`send_output` goes out at once; what is emitted waits for the end."""
        recorder = Recorder()
        with Meeting(self.patience) as meeting:
            flow = chain("said", speaker=Speaker())
            state = self.workshop.start(flow, "speaker", {"meeting": meeting.address}, monitors=[recorder])
            guest = meeting.guest()
            said = recorder.wait_for(OutputSent, timeout=self.patience)
            assert said.data == {"percent": 50}, f"it said {said.data}"
            assert not state.results, f"it has emitted before its end: {dict(state.results)}"
            guest.let_go()
            self.workshop.wait(state)
        assert numbers(completed(state), "speaker.output") == [1]


def _mixed() -> Flow:
    flow = chain("mixed", fan=fan(), double=double(), increase=increase(), both=both(), count=Counter())
    flow.add_routine(gather(), "gather")
    flow.connect("increase", "output", "gather", "trigger")
    return flow


def _sum_of(state: JobState) -> dict[str, Any]:
    """Return what must be the same in whatever order things were done."""
    return {
        "status": state.status,
        "numbers": numbers(state, "count.output"),
        "batches": numbers(state, "gather.output", "size"),
        "stats": state.stats("count"),
        "log": sorted(state.shared_log),
        "activations": {name: one["activations"] for name, one in state.routine_states.items()},
        "pending": len(state.pending_tasks),
        "history": Count((record.routine_id, record.event_name) for record in state.execution_history),
    }


def _all_there(found: list[int], width: int) -> None:
    count = Count(found)
    lost = [n for n in range(width) if n not in count]
    twice = [n for n, times in count.items() if times > 1]
    assert not lost, f"{len(lost)} of {width} are missing, the first is {lost[0]}"
    assert not twice, f"{len(twice)} of {width} are there more than once, the first is {twice[0]}"
