"""Lane: a job's side of the worker processes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from routilux_core import Activation, Job, Lane, Outcome, PoisonedActivation, WorkerLost, packed
from routilux_plugins.executors.process.returns import NotBegun

if TYPE_CHECKING:
    from routilux_plugins.executors.process.foreman import Foreman
    from routilux_plugins.executors.process.worker import Worker

LOAD_SECONDS = 0.005
"""How long what a worker gets at once should take."""
MOST = 200
"""How many activations a worker gets at once."""
AHEAD = 4
"""A worker may fill one part in so many of the room for ready activations by itself."""


class ProcessLane(Lane):
    """One job's work on its way to the workers. All but `wake`, `void` and `close` is the foreman's."""

    def __init__(self, foreman: Foreman, job: Job, max_starts: int) -> None:
        self.job = job
        self.awake = False
        self.closed = False
        self._foreman = foreman
        self._holders: dict[int, Worker] = {}
        """Who holds the generator of an activation."""
        self._max_starts = max_starts
        self._aside: deque[Activation] = deque()
        """What was taken and goes next, since it did not fit to what was taken with it."""
        self._lonely: set[int] = set()
        """What has to go alone, so that it is clear which one cannot be read."""
        self._pace: dict[tuple[str, str], float] = {}
        """How many seconds an activation of a slot takes."""
        self._lost: WorkerLost | None = None

    # -- the contract ------------------------------------------------------------------------------------

    def wake(self, count: int) -> None:
        """Let the foreman look for work here."""
        if not self.awake and count:
            self.awake = True
            self._foreman.ask(self._foreman.attend, self)

    def void(self, activation: Activation) -> None:
        """Let a worker that has it stop."""
        self._foreman.ask(self._foreman.void, self, activation)

    def needs_caller(self) -> bool:
        """Tell whether the caller is the foreman, in a monitor or another function of the user."""
        return self._foreman.here

    def close(self) -> None:
        """Let the workers forget the job."""
        self._foreman.ask(self._foreman.forget, self)

    # -- for the foreman ---------------------------------------------------------------------------------

    @property
    def backlog(self) -> int:
        """About how many activations could go."""
        return self.job.backlog + len(self._aside)

    def load(self, worker: Worker, takers: int) -> list[Activation]:
        """Return work for `worker`, when so many could take some: what takes a few milliseconds."""
        load: list[Activation] = []
        seconds = 0.0
        most = max(1, min(MOST, -(-self.backlog // takers)))
        while len(load) < most and seconds < LOAD_SECONDS:
            activation = self._aside.popleft() if self._aside else self.job.take()
            if activation is None:
                break
            if self._poisoned(activation) or self._reserved(activation, worker):
                continue
            seconds += self._pace.get((activation.routine_id, activation.slot), LOAD_SECONDS)
            alone = self._alone(activation)
            if load and (alone or seconds >= 2 * LOAD_SECONDS):
                self._aside.append(activation)
                break
            load.append(activation)
            if alone:
                break
        return load

    def packed(self, worker: Worker, load: list[Activation]) -> bytes:
        """Return `load` as bytes; `CannotTravel` if something of it has no such form."""
        parcel = self.job.ship(*load)
        keys = worker.lighten(parcel)
        content = packed(parcel, "parcel")
        worker.learn(keys)
        return content

    def timed(self, load: list[Activation]) -> bool:
        """Tell whether it has to be known when the handler begins."""
        return self.job.time_limit(load[0]) is not None

    def begun(self, activation: Activation) -> None:
        """Let its time run."""
        seconds = self.job.time_limit(activation)
        if seconds is not None:
            self.job.limit_time(activation, seconds)

    def expected(self, load: list[Activation]) -> float:
        """Return in how many seconds `load` should be done."""
        return sum(self._pace.get((one.routine_id, one.slot), LOAD_SECONDS) for one in load)

    def ahead(self, load: list[Activation]) -> int:
        """Return how much of a generator may be run before the job asks for it."""
        if any(one.id in self._holders and not self._alone(one) for one in load):
            return min(MOST, self.job.room // AHEAD)
        return 0

    def finish_all(self, done: list[tuple[Activation, Outcome, float]], worker: Worker, running: int) -> None:
        """Hand in what a worker has done; it is at the next item of the generator `running`."""
        steps = []
        for activation, outcome, seconds in done:
            place = (activation.routine_id, activation.slot)
            self._pace[place] = (self._pace.get(place, seconds) + seconds) / 2
            self._settle(activation, outcome, worker)
            steps.append((activation, outcome))
        self.job.finish_all(steps, running=steps[-1][0].id == running)

    def late(self, activation: Activation, seconds: float) -> None:
        """Note that it takes at least so long."""
        place = (activation.routine_id, activation.slot)
        self._pace[place] = max(self._pace.get(place, 0.0), seconds)

    def finish(self, activation: Activation, outcome: Outcome) -> None:
        """Hand in what came of it at home."""
        self._settle(activation, outcome, None)
        self.job.finish(activation, outcome)

    def _settle(self, activation: Activation, outcome: Outcome, worker: Worker | None) -> None:
        if outcome.more and worker is not None:
            self._holders[activation.id] = worker
            worker.held.add((self, activation.id))
        else:
            self._release(activation.id)
            self._lonely.discard(activation.id)
        if self.job.time_limit(activation) is not None:
            self.job.unlimit_time(activation)

    def give_back(self, activation: Activation, why: BaseException, *, alone: bool = False) -> None:
        """Let it be pending again; with `alone` it goes by itself the next time."""
        if alone:
            self._lonely.add(activation.id)
        self._finish(activation, Outcome(exception=why, interrupted=True))

    def died(self, activation: Activation, lost: WorkerLost) -> None:
        """Count that it has ended a worker, and let it be pending again, or fail."""
        self._lost = lost
        deaths = self.job.deaths(activation) + 1
        if deaths < self._max_starts:
            outcome = Outcome(exception=lost, interrupted=True, ended_worker=True)
        else:
            outcome = Outcome(exception=self._poison(activation, deaths), ended_worker=True)
        self._finish(activation, outcome)

    def leave(self) -> None:
        """Let go of what was taken: the job is over, or the executor stops."""
        self.closed = True
        for number in list(self._holders):
            self._release(number)
        while self._aside:
            self.job.finish(self._aside.popleft(), Outcome(exception=NotBegun(), interrupted=True))

    def fail(self, error: BaseException) -> None:
        """Fail all that is ready: there is nobody to run it."""
        while (activation := self._aside.popleft() if self._aside else self.job.take()) is not None:
            self.finish(activation, Outcome(exception=error))

    def _release(self, number: int) -> None:
        holder = self._holders.pop(number, None)
        if holder is not None:
            holder.held.discard((self, number))

    def _alone(self, activation: Activation) -> bool:
        """Tell whether nothing may travel with it: its time is limited, or it is to blame for something."""
        job = self.job
        return (
            activation.id in self._lonely
            or job.time_limit(activation) is not None
            or job.deaths(activation) > 0
        )

    def _poisoned(self, activation: Activation) -> bool:
        deaths = self.job.deaths(activation)
        if deaths < self._max_starts:
            return False
        self._finish(activation, Outcome(exception=self._poison(activation, deaths)))
        return True

    def _poison(self, activation: Activation, deaths: int) -> PoisonedActivation:
        return PoisonedActivation(activation.target, deaths, str(self._lost or "as the job has noted"))

    def _finish(self, activation: Activation, outcome: Outcome) -> None:
        if self.job.time_limit(activation) is not None:
            self.job.unlimit_time(activation)
        self.job.finish(activation, outcome)

    def _reserved(self, activation: Activation, worker: Worker) -> bool:
        holder = self._holders.get(activation.id)
        if holder is None or holder is worker or holder.gone:
            return False
        holder.reserved.append((self, activation))
        return True
