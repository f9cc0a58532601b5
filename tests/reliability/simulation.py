"""A job simulated from a seed, in one thread: every choice that threads and time would make is the seed's.

`python -m tests.reliability.simulation SEED` shows one schedule, step by step. Job, turn and engine
are the real ones; workers, timers and clerk only take note, and the seed decides who goes on next. User code
does things in the middle of a turn: as the thread that has it, or as another thread would meanwhile.
"""

import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from functools import cache, partial
from random import Random
from typing import Any

from routilux_core import (
    Activation,
    Flow,
    InvalidTransition,
    Job,
    JobManager,
    JobState,
    Outcome,
    get_execution_context,
)
from routilux_core import job as job_module
from routilux_core.current import MANAGER
from routilux_core.facts import ActivationReturned, Fact, JobPaused, JobStopped
from routilux_core.launch import Launch, made_job
from routilux_core.state import fold
from tests.reliability.dice import Dice
from tests.reliability.flows import World, random_flow
from tests.reliability.laws import Book, Violation, check_fold, data_of
from tests.reliability.stage import (
    WORKERS,
    Simulated,
    SimulatedClerk,
    SimulatedClock,
    SimulatedEvent,
    SimulatedTimers,
    Stuck,
)

STEPS = 60
"""How many steps are free; then the job is brought to its end."""
MOST_STEPS = 5_000
EXPECTED = {"Broken", "DeliveryError", "ActivationTimeout", "JobTimeout", "RunawayLoop"}
"""The errors that flows make on purpose, or run into."""
FLOWS = 400
"""How many flows the seeds share."""


class SharedWorld(World):
    """Leads from the handlers of flows, which many schedules share, to the schedule that runs."""

    current: "Simulation | None" = None

    def in_handler(self) -> None:
        if self.current is not None:
            self.current.in_handler()

    def in_turn(self) -> None:
        if self.current is not None:
            self.current.in_turn("user code")


WORLD = SharedWorld()
EXECUTOR = Simulated()


@cache
def flow_of(number: int) -> Flow:
    return random_flow(Dice(Random(number)), WORLD)  # noqa: S311 - a flow, no secret


@cache
def manager() -> JobManager:
    return JobManager(executor=EXECUTOR, discover=False, settings={"max_ready": 3, "max_activations": 80})


@contextmanager
def one_thread() -> Iterator[None]:
    """Let waits that cannot end be seen as such, and keep errors that are made on purpose out of the log."""
    real, level = job_module.Event, logging.root.manager.disable
    job_module.Event = SimulatedEvent
    logging.disable()
    try:
        yield
    finally:
        job_module.Event = real
        logging.disable(level)


class Simulation:
    """One schedule."""

    def __init__(self, seed: int, tell: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.tell = tell
        self.random = Random(seed)  # noqa: S311 - a schedule, no secret
        self.dice = Dice(self.random)
        self.flow = flow_of(seed % FLOWS)
        self.manager = manager()
        self.clock = SimulatedClock()
        self.timers, self.clerk = SimulatedTimers(self.clock), SimulatedClerk()
        self.manager.clock, self.manager.timers, self.manager.clerk = self.clock, self.timers, self.clerk
        self.meddles = self.dice.pick((0, 0, 10, 40))
        self.watched = self.dice.chance(50)
        self.taken: list[Activation] = []
        """What workers have taken and not run yet."""
        self.ran: list[tuple[Activation, Outcome]] = []
        """What they have run and not handed in yet."""
        self.stack: list[str] = []
        """The turns and handlers that the one thread is in."""
        self.shut = False
        """True from an accepted pause or cancel to the resume: nothing may be taken."""
        self.lost = False
        """True when the state came back from a crash and no job has it yet."""
        self.steps = 0
        self.did: Counter[str] = Counter()
        self.seen: list[Fact] = []
        self.untold: set[int] = set()
        self.state = JobState(self.flow.flow_id)
        self.book = Book(self.flow)

    # -- the schedule ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Go through the schedule; raise `Violation` when a law is broken."""
        WORLD.current = self
        SimulatedEvent.stuck = 0
        before = MANAGER.set(self.manager)
        try:
            with one_thread():
                self._begin()
                for _ in range(STEPS):
                    if data_of(self.state).status.final:
                        break
                    self._step(self._choices())
                self._to_the_end()
                if data_of(self.state).status != "completed" and self.dice.chance(40):
                    self._fork()
                    self._to_the_end()
        except Violation as violation:
            raise Violation(f"seed {self.seed}: {violation}") from violation
        except (Exception, Stuck) as error:
            raise Violation(f"seed {self.seed}: {type(error).__name__}: {error}") from error
        finally:
            MANAGER.reset(before)
            WORLD.current = None
            self.manager.forget(self.job)

    def _begin(self) -> None:
        timeout = float(self.dice.number(1, 12)) if self.dice.chance(15) else None
        entry = {"n": self.dice.number(0, 9), "hops": self.dice.number(1, 4)}
        self._say("start", f"flow {self.seed % FLOWS} with {entry}, timeout {timeout}")
        self.manager.start_job(self.flow, "r0", entry, timeout, self.state, monitors=self._monitors())
        self._check()

    @property
    def job(self) -> Job:
        """The job that runs the state now, or did last."""
        return EXECUTOR.opened

    def _monitors(self) -> list[Callable[[Job, Fact], None]]:
        return [self._observe] if self.watched else []

    def _choices(self) -> list[Callable[[], None]]:
        status = data_of(self.state).status
        if self.lost:
            return [self._advance, self._resume, self._cancel]
        choices = [self._advance, self._post]
        choices += self._going_on() * 12
        if status == "running":
            choices += [self._pause] * 2
        if status in {"pausing", "paused"}:
            choices += [self._resume] * 4
        if self.dice.chance(4):
            choices += [self._cancel]
        if self.dice.chance(15):
            choices += [self._crash]
        if self.dice.chance(30):
            choices += [self._move]
        return choices

    def _going_on(self) -> list[Callable[[], None]]:
        """Return the steps that a machine would take by itself."""
        choices: list[Callable[[], None]] = []
        if EXECUTOR.lane.tokens and len(self.taken) + len(self.ran) < WORKERS:
            choices.append(self._take)
        if self.taken:
            choices.append(self._work)
        if self.ran:
            choices.append(self._finish)
        if self.timers.rung:
            choices.append(self._ring)
        if self.clerk.tasks:
            choices.append(self._task)
        return choices

    def _step(self, choices: list[Callable[[], None]]) -> None:
        self.steps += 1
        self.clock.asked = 0
        if self.steps > MOST_STEPS:
            raise Violation(f"does not end: {self.job.explain()}")
        self.dice.pick(choices)()
        self._check()

    def _to_the_end(self) -> None:
        while True:
            status = data_of(self.state).status
            choices = self._going_on()
            if choices:
                self._step(choices)
            elif status.final:
                break
            elif status == "paused":
                self._resume()
            elif self.timers.next_due is not None:
                self._advance()
            else:
                raise Violation(f"stands still, {status}: {self.job.explain()}; {self.book}")
        self._check()
        self._check_end()

    # -- the steps -------------------------------------------------------------------------------------

    def _say(self, what: str, more: object = "") -> None:
        self.did[what] += 1
        if self.tell is not None:
            self.tell(f"{'    ' * len(self.stack)}{what} {more}")

    def _note(self, activation: Activation | None, *, shut: bool) -> None:
        if activation is None:
            return
        if shut:
            raise Violation(f"{activation} was handed out after a pause or cancel was accepted")
        self.taken.append(activation)

    def _take(self) -> None:
        EXECUTOR.lane.tokens -= 1
        shut = self.shut
        activation = self.job.take()
        self._say("take", activation and f"{activation.target} #{activation.id}")
        self._note(activation, shut=shut)

    def _work(self) -> None:
        activation = self.taken.pop(self.dice.number(0, len(self.taken) - 1))
        self._say(
            "run",
            f"{activation.target} #{activation.id} attempt {activation.attempt} item {activation.items}",
        )
        job = self.job
        self.stack.append("handler")
        try:
            outcome = job.run(activation)
        finally:
            self.stack.pop()
        if job is self.job:
            self.ran.append((activation, outcome))

    def _finish(self) -> None:
        activation, outcome = self.ran.pop(self.dice.number(0, len(self.ran) - 1))
        take = self.dice.chance(70)
        self._say("finish", f"#{activation.id} {outcome.exception or ''} take={take}")
        shut = self.shut
        following = self._turn(lambda: self.job.finish(activation, outcome, take))
        if following is not None:
            self._say("took", f"{following.target} #{following.id}")
        self._note(following, shut=shut)
        if not take:
            EXECUTOR.lane.tokens += 1

    def _turn(self, act: Callable[[], Any]) -> Any:
        self.stack.append("turn")
        try:
            return act()
        finally:
            self.stack.pop()

    def _advance(self) -> None:
        due = self.timers.next_due
        seconds = self.dice.pick((0.25, 1.0, 3.0))
        if due is not None and self.dice.chance(60):
            seconds = max(0.0, due - self.clock.monotonic())
        self._say("advance", seconds)
        self.clock.advance(seconds)
        self.timers.look()

    def _overrun(self) -> None:
        """Let a handler take so long that whatever limits its time comes about."""
        self._say("overrun")
        self.clock.advance(3.0)
        self.timers.look()
        while self.timers.rung:
            self._ring()
        while self.clerk.tasks:
            self._task()

    def _ring(self) -> None:
        self._say("ring")
        self.timers.rung.pop(self.dice.number(0, len(self.timers.rung) - 1))()

    def _task(self) -> None:
        self._say("clerk")
        self._turn(self.clerk.tasks.pop(0))

    def _post(self) -> None:
        target = self.dice.pick(("r0.trigger", "r0.side"))
        self._say("post", target)
        try:
            self._turn(
                lambda: self.job.post(
                    *target.split("."), n=self.dice.number(0, 9), hops=self.dice.number(0, 2)
                )
            )
        except InvalidTransition:
            self._final("post")

    def _pause(self) -> None:
        self._say("pause")
        inside = self._inside()
        try:
            self._turn(lambda: self.job.pause("simulated", self.steps, timeout=1e-9))
        except InvalidTransition:
            self._final("pause")
        else:
            self.shut = self.shut or (not inside and self._holds())

    def _holds(self) -> bool:
        """Tell whether the pause that was just accepted still holds: others may have resumed the job."""
        return "turn" in self.stack or data_of(self.state).status in {"pausing", "paused"}

    def _cancel(self) -> None:
        self._say("cancel")
        try:
            if self.lost:
                self.manager.cancel_state(self.flow, self.state, "simulated")
                self.untold.add(data_of(self.state).number)
            else:
                self._turn(lambda: self.job.cancel("simulated"))
        except InvalidTransition:
            self._final("cancel")
        else:
            self.shut = True

    def _final(self, what: str) -> None:
        if not data_of(self.state).status.final:
            raise Violation(f"{what} was refused by a job that is {data_of(self.state).status}")

    def _resume(self) -> None:
        self._say("resume")
        self.shut = self.lost = False
        try:
            self._turn(lambda: self.manager.resume_state(self.flow, self.state))
        except InvalidTransition:
            self._final("resume")
        if data_of(self.state).status == "running":
            self.shut = False  # a pause in the middle of it was taken back as well

    def _crash(self) -> None:
        """Lose the job and all that it had in hand; what is left are its facts."""
        kept = list(self.state.facts)
        self._say("crash", f"after fact {len(kept)}")
        self.manager.forget(self.job)
        self._forget_work()
        self.state = JobState(self.flow.flow_id, self.state.job_id)
        data = fold(kept, self.state)
        self.state._history.extend(kept)  # noqa: SLF001 - as a recovery reads them
        for activation in [data.activations[number] for number in data.running]:
            self._recover(ActivationReturned(0, 0.0, activation, "crashed"))
        if data.stopping is not None and not data.status.final:
            self._recover(JobStopped(0, 0.0, data.stopping))
        elif data.status == "pausing":
            reason, checkpoint = data.pause
            self._recover(JobPaused(0, 0.0, reason, checkpoint, len(data.activations)))
        elif data.status == "running":
            self.shut = False
            job = made_job(self.manager, self.job.plan, self.state, Launch(monitors=self._monitors()))
            self.manager.admit(job)
            self._turn(job.go_on)
            return
        self.lost = True
        self.watched = False  # whoever resumes it brings monitors of his own

    def _move(self) -> None:
        """Leave the job behind, and go on with what its document says."""
        document = json.dumps(self._turn(self.state.serialize))
        known = data_of(self.state).number
        self._say("move", f"after fact {known}, in {len(document)} bytes")
        self.manager.forget(self.job)
        self._forget_work()
        self.state = JobState().deserialize(json.loads(document))
        self.untold.update(range(known + 1, data_of(self.state).number + 1))
        self.book = Book(self.flow)  # of activations that are others now
        check_fold(self.state)
        self.lost = True
        self.watched = False

    def _recover(self, fact: Fact) -> None:
        fact.number, fact.at = (
            data_of(self.state).number + 1,
            max(self.clock.time(), data_of(self.state).updated_at),
        )
        fold([fact], self.state)
        self.state._history.append(fact)  # noqa: SLF001 - as a recovery writes it
        self.untold.add(fact.number)

    def _forget_work(self) -> None:
        self.taken.clear()
        self.ran.clear()
        self.clerk.tasks.clear()
        self.timers = SimulatedTimers(self.clock)
        self.manager.timers = self.timers
        EXECUTOR.lane.tokens = 0

    def _fork(self) -> None:
        self._say("fork")
        self._forget_work()
        self.shut = self.lost = False
        self.seen, self.untold = [], {1}
        self.watched = False
        self.state = self.manager.fork_state(self.flow, self.state, start=False)
        self.book = Book(self.flow)
        self._turn(lambda: self.manager.resume_state(self.flow, self.state))

    # -- in the middle of things -----------------------------------------------------------------------

    def _inside(self) -> bool:
        context = get_execution_context()
        return context is not None and context.job is self.job

    def _observe(self, job: Job, fact: Fact) -> None:
        if self.tell is not None:
            self._say("told", _short(fact))
        self.seen.append(fact)
        self.in_turn("observer")

    def in_turn(self, where: str) -> None:
        """Do something in the middle of a turn, as its thread or as another one."""
        if len(self.stack) > 3 or not self.dice.chance(self.meddles):
            return
        choices: list[Callable[[], None]] = [self._advance, self._pause, self._post]
        if self.dice.chance(10):
            choices.append(self._cancel)
        choices += [partial(Context().run, step) for step in self._going_on()] * 2
        self._meddle(where, choices)

    def in_handler(self) -> None:
        """Do something while a handler runs, as its thread or as another one."""
        if "turn" in self.stack or len(self.stack) > 3:
            return
        if get_execution_context().slot.timeout is not None and self.dice.chance(25):
            Context().run(self._overrun)
        if not self.dice.chance(self.meddles):
            return
        choices: list[Callable[[], None]] = [self._advance, self._pause, self._post]
        if self.dice.chance(10):
            choices.append(self._cancel)
        others = [*self._going_on() * 3, self._pause, self._post]
        if data_of(self.state).status in {"pausing", "paused"}:
            others.append(self._resume)
        choices += [partial(Context().run, step) for step in others]
        self._meddle("handler", choices)

    def _meddle(self, where: str, choices: list[Callable[[], None]]) -> None:
        self._say("meanwhile in", where)
        try:
            self.dice.pick(choices)()
        except Violation as violation:
            self.failure = self.failure or violation

    # -- the laws --------------------------------------------------------------------------------------

    failure: Violation | None = None
    """One that was found inside user code, where raising would only be a handler's failure."""

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure
        if SimulatedEvent.stuck:
            raise Violation("a call from user code waits for ever")
        history = self.state._history  # noqa: SLF001 - a copy at each step would cost too much
        new = [history[index] for index in range(self.book.number, len(history))]
        if data_of(self.state).status == "paused":
            left = [
                one.id for one in (*self.taken, *(one for one, _ in self.ran)) if not self.job.refuses(one)
            ]
            if left and not self.lost:
                raise Violation(f"paused while {left} are in hand")
        if self.tell is not None and not self.watched:
            for fact in new:
                self.tell(f"    {_short(fact)}")
        self.book.read(new)
        self.book.balance()
        self.book.compare(self.state)

    def _check_end(self) -> None:
        strange = {error.type for error in self.state.errors} - EXPECTED
        if strange:
            raise Violation(f"errors that nobody made: {sorted(map(str, self.state.errors))}")
        check_fold(self.state)
        if self.manager.get_job(self.state.job_id) is not None:
            raise Violation("a job that is over is still among those that run")
        if self.timers.next_due is not None:
            raise Violation("a job that is over has left a timer")
        if not self.lost and not self.job.wait(0.0):
            raise Violation("a job that is over says that it is not")
        if self.watched:
            told = [fact.number for fact in self.seen]
            happened = [fact.number for fact in self.state.facts if fact.number not in self.untold]
            if told != happened:
                raise Violation(f"a monitor was told {told} of {happened}")


def _short(fact: Fact) -> str:
    activation = getattr(fact, "activation", None)
    made = getattr(fact, "activations", ())
    name = f"{fact.number}. {type(fact).__name__}"
    more = f" {activation.target} #{activation.id}" if activation is not None else ""
    return name + more + (f" -> {[f'{one.target} #{one.id}' for one in made]}" if made else "")


def main(arguments: list[str]) -> int:
    """Show the schedule of each seed."""
    for argument in arguments:
        simulation = Simulation(int(argument), print)
        try:
            simulation.run()
        except Violation as violation:
            print(violation)  # noqa: T201 - this is what it is for
            return 1
        status = data_of(simulation.state).status
        print(f"seed {argument}: {status} after {simulation.steps} steps, no law broken")  # noqa: T201 - see above
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
