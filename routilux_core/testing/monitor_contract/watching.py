"""Watching: it takes whatever happens to jobs, and changes nothing by that."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from routilux_core.monitor_queue import MonitorQueue
from routilux_core.observers import KINDS
from routilux_core.testing.monitor_contract.sample import busy, wide
from routilux_core.testing.monitor_contract.stage import Kinds, Stage

if TYPE_CHECKING:
    from routilux_core.state import JobState


def _came_of(state: JobState) -> dict[str, Any]:
    """Return what may not depend on who watches; the order may, since retries come when it is time."""
    return {
        "the status": str(state.status),
        "the results": {name: sorted(map(repr, payloads)) for name, payloads in state.results.items()},
        "the shared data": dict(state.shared_data),
        "the shared log": list(state.shared_log),
        "the outputs": [output["data"] for output in state.output_log],
        "the errors": sorted((error.type, error.message) for error in state.errors),
        "the facts": Counter(fact.tag for fact in state.facts),
        "the payloads": Counter(repr(getattr(fact, "data", None)) for fact in state.facts),
    }


class WatchTests(Stage):
    """What it sees."""

    def test_it_takes_every_kind_of_fact(self, monitor: Any) -> None:
        """Whatever happens to a job, it does not raise."""
        kinds = Kinds()
        with self.manager(monitor, kinds, store=self.store, discover=True) as manager:
            self.run_everything(manager)
            self.run_kept(manager)
        missed = set(KINDS.values()) - kinds.seen
        assert not missed, f"the jobs of this test lack {sorted(kind.tag for kind in missed)}"

    def test_it_changes_nothing(self, monitor: Any) -> None:
        """Jobs come to the same whether it watches or not."""
        with self.manager(Kinds()) as manager:
            alone = [_came_of(state) for state in self.run_everything(manager)]
        with self.manager(monitor) as manager:
            watched = [_came_of(state) for state in self.run_everything(manager)]
        for without, with_it in zip(alone, watched, strict=True):
            for name, value in without.items():
                assert with_it[name] == value, f"{name} without it: {value}; with it: {with_it[name]}"

    def test_it_watches_one_job(self, monitor: Any) -> None:
        """Given to a single job, it works as it does for all."""
        with self.manager() as manager:
            given = {"count": 3, "pauses": False}
            state = self.in_time(
                lambda: manager.execute(busy(), "busy", given, monitors=[monitor]),
                "a job ends that it watches",
            )
            other = self.run(manager, busy())
        assert _came_of(state) == _came_of(other), "a job that it watches comes to something else"

    def test_it_may_come_late(self, monitor: Any) -> None:
        """The first that it sees of a job may be that it goes on, with work that it has not seen begin."""
        flow = busy()
        with self.manager() as manager:
            state = self.run(manager, flow, pauses=True)
        with self.manager(monitor) as manager:
            self.run(manager, flow, state)
        assert state.status == "completed", f"a job that it sees late is {state.status} at its end"

    def test_it_watches_many_jobs_at_once(self, monitor: Any) -> None:
        """Its methods are called by several threads, each for another job."""
        begin = threading.Barrier(4)
        errors: list[BaseException] = []

        def work() -> None:
            begin.wait(self.patience)
            try:
                for _ in range(10):
                    state = manager.execute(wide(), "busy", {"count": 10, "pauses": False})
                    state.raise_for_status()
            except BaseException as error:  # noqa: BLE001 - it is told where somebody looks
                errors.append(error)

        with self.manager(monitor) as manager:
            threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(self.patience)
            assert not any(thread.is_alive() for thread in threads), "jobs in several threads do not end"
        assert not errors, f"a job that it watched beside others failed: {errors[0]!r}"

    def test_it_keeps_no_job_waiting(self, monitor: Any) -> None:
        """A job of some thousand activations comes to its end."""
        with self.manager(monitor) as manager:
            state = self.run(manager, wide(), count=1000)
        assert len(state.results["keep.output"]) == 1000, "a job with much work has lost some"

    def test_it_may_have_a_queue(self, monitor: Any) -> None:
        """It is told in another thread then, after the job has gone on."""
        queue = MonitorQueue(monitor, patience=self.patience)
        with self.manager(queue) as manager:
            self.run_everything(manager)
            assert queue.wait(self.patience), f"it has not seen everything within {self.patience} s"
        assert not queue.dropped, f"{queue.dropped} facts were dropped though there was room"
