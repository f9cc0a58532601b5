"""Stand-ins for what runs beside a job: its time, its waits, its workers, its timers and its clerk.

They do nothing by themselves, so that one thread can be all the others, in an order of its choice.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from routilux_core import Executor, Job, Lane, Traits
from routilux_core.testing.clock import ManualClock

WORKERS = 4
MOST_QUESTIONS = 2_000
"""How often the clock may be asked within one step."""


class Stuck(BaseException):
    """A wait that can never end, since nobody else is there to end it."""


class SimulatedClock(ManualClock):
    """A clock that notices when it is asked over and over within one step: a turn that never ends."""

    asked = 0

    def time(self) -> float:
        self.asked += 1
        if self.asked > MOST_QUESTIONS:
            raise Stuck("a turn never ends")
        return super().time()


class SimulatedEvent:
    """Stands for `threading.Event` where a job waits: with one thread, what is not over never will be."""

    stuck = 0

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set and timeout is None:
            SimulatedEvent.stuck += 1
            raise Stuck("it waits for what cannot come")
        return self._set


class NotedLane(Lane):
    """Counts how many workers it called that have not come yet."""

    def __init__(self) -> None:
        self.tokens = 0

    def wake(self, count: int) -> None:
        self.tokens = min(self.tokens + count, WORKERS)


class Simulated(Executor):
    """Has no workers of its own: the seed is the one that takes, runs and finishes."""

    traits = Traits(concurrent=True)
    opened: Job | None = None
    """The job that was made last."""

    def open(self, job: Job) -> Lane:
        self.opened, self.lane = job, NotedLane()
        return self.lane

    def stop(self, timeout: float | None = None) -> None:
        pass


class SimulatedTimer:
    """Something that will be called, unless it is cancelled before."""

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class SimulatedTimers:
    """Timers whose calls wait in `rung` until the seed lets them through, cancelled meanwhile or not."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, SimulatedTimer]] = []
        self._numbers = count()
        self.rung: list[Callable[[], None]] = []

    def after(self, seconds: float, call: Callable[[], None]) -> SimulatedTimer:
        timer = SimulatedTimer(self._clock.monotonic() + seconds, call)
        heappush(self._heap, (timer.due, next(self._numbers), timer))
        self.look()
        return timer

    def look(self) -> None:
        """Let ring what is due."""
        while self._heap and (self._heap[0][2].call is None or self._heap[0][0] <= self._clock.monotonic()):
            timer = heappop(self._heap)[2]
            if timer.call is not None:
                self.rung.append(timer.call)
                timer.call = None

    @property
    def next_due(self) -> float | None:
        self.look()
        return self._heap[0][0] if self._heap else None

    def stop(self) -> None:
        pass


class SimulatedClerk:
    """Keeps the tasks until the seed has one done."""

    def __init__(self) -> None:
        self.tasks: list[Callable[[], None]] = []

    def ask(self, task: Callable[[], None]) -> None:
        self.tasks.append(task)

    def stop(self) -> None:
        pass
