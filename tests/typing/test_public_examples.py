"""The public examples as a type checker sees them: mypy checks this file, pytest runs it."""

from collections.abc import Iterator
from typing import assert_type

from routilux_core import (
    Event,
    ExecutionStatus,
    Flow,
    JobManager,
    JobState,
    Routine,
    at_end,
    batch,
    routine,
    slot,
)


@routine
def split(text: str) -> Iterator[dict[str, str]]:
    """Send each word on its own."""
    for word in text.split():
        yield {"word": word}


class Pairs(Routine):
    """Puts words together, two by two."""

    output = Event("pair")

    @slot(when=batch(2))
    def trigger(self, word: list[str]) -> None:
        self.emit("output", pair=" ".join(word))


class Summary(Routine):
    """Counts the pairs at the end."""

    output = Event(total=int)

    @slot(when=at_end)
    def trigger(self, pair: list[str]) -> None:
        self.emit("output", total=len(pair))


def build() -> Flow:
    flow = Flow("pairs")
    assert_type(flow.add_routine(split(), "split"), str)
    flow.add_routine(Pairs(), "pairs")
    flow.add_routine(Summary(), "summary")
    flow.connect("split.output", "pairs.trigger")
    flow.connect("pairs", "output", "summary", "trigger", param_mapping={"pair": "pair"})
    return flow


def test_execute_gives_a_state() -> None:
    state = build().execute("split", {"text": "a b c d"})
    assert_type(state, JobState)
    assert_type(state.status, ExecutionStatus)
    assert state.status == "completed"
    assert state.results["summary.output"] == [{"total": 2}]


def test_a_manager_waits() -> None:
    with JobManager() as manager:
        state = manager.start_job(build(), "split", {"text": "a b"})
        assert_type(manager.wait_for_all_jobs(timeout=10), bool)
    assert state.status == "completed"


async def asynchronously() -> None:
    assert_type(await build().execute_async("split", {"text": "a b"}), JobState)
