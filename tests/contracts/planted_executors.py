"""A pool that keeps the contract, and the same pool with one bug each."""

from queue import SimpleQueue
from threading import Thread, current_thread
from time import monotonic

from routilux_core import Executor, Lane, ManagerClosed, Outcome
from routilux_core.context import ExecutionContext
from routilux_core.current import CONTEXT


class Pool(Executor):
    """A few threads, and a queue of jobs that may have work. Each visit is one activation."""

    def __init__(self, workers):
        self.queue = SimpleQueue()
        self.threads = [Thread(target=self.work, daemon=True) for _ in range(workers)]
        self.stopped = False

    def start(self):
        self.check()
        for thread in self.threads:
            thread.start()

    def open(self, job):
        self.check()
        return PoolLane(self, job)

    def check(self):
        if self.stopped:
            raise ManagerClosed("the pool")

    def wake(self, job, count):
        for _ in range(min(count, len(self.threads))):
            self.queue.put(job)

    def stop(self, timeout=None):
        self.stopped = True
        until = None if timeout is None else monotonic() + timeout
        for _ in self.threads:
            self.queue.put(None)
        for thread in self.threads:
            if thread.ident is not None and thread is not current_thread():
                thread.join(None if until is None else max(0.0, until - monotonic()))

    def work(self):
        while (job := self.queue.get()) is not None:
            activation = job.take()
            if activation is not None:
                self.queue.put(job)
                self.finish(job, activation, self.run(job, activation))

    def run(self, job, activation):
        return job.run(activation)

    def finish(self, job, activation, outcome):
        job.finish(activation, outcome)


class PoolLane(Lane):
    def __init__(self, pool, job):
        self.pool = pool
        self.job = job

    def wake(self, count):
        self.pool.wake(self.job, count)


def special(job, activation):
    """Tell generators and async handlers from plain ones, which these bugs are about."""
    return job.slots[activation.routine_id][activation.slot].special


class LosesOne(Pool):
    """Forgets to hand in every hundredth outcome."""

    def __init__(self, workers):
        super().__init__(workers)
        self.count = 0

    def finish(self, job, activation, outcome):
        self.count += 1
        if self.count % 100:
            super().finish(job, activation, outcome)


class LosesEffects(LosesOne):
    """Hands in every hundredth outcome without what is in it."""

    def finish(self, job, activation, outcome):
        self.count += 1
        job.finish(activation, outcome if self.count % 100 or special(job, activation) else Outcome())


class DoesTwice(Pool):
    """Runs a handler twice, and hands in both runs as one."""

    def run(self, job, activation):
        if special(job, activation):
            return job.run(activation)
        first, second = job.run(activation), job.run(activation)
        return Outcome((*first.effects, *second.effects), second.exception, second.more)


class CallsTwice(Pool):
    """Runs a handler twice, and forgets the first run."""

    def run(self, job, activation):
        job.run(activation)
        return job.run(activation)


class StartsAfterStop(Pool):
    """Takes work long before it has a worker for it, and does not let go of it when it is stopped."""

    def wake(self, job, count):
        for _ in range(count):
            self.queue.put((job, job.take()))

    def work(self):
        while (one := self.queue.get()) is not None:
            job, activation = one
            if activation is not None:
                job.finish(activation, job.run(activation))


class MixesContexts(Pool):
    """Runs what it took from one job in the context of another job of the same flow."""

    def __init__(self, workers):
        super().__init__(workers)
        self.jobs = []

    def open(self, job):
        self.jobs.append(job)
        return super().open(job)

    def run(self, job, activation):
        others = [other for other in self.jobs if other.flow is job.flow]
        return job.run(activation) if special(job, activation) else others[-1].run(activation)


class KeepsFailedEffects(Pool):
    """Has one list of effects for all attempts of an activation, and does not empty it after a failure."""

    def __init__(self, workers):
        super().__init__(workers)
        self.effects = {}

    def run(self, job, activation):
        slot = job.slots[activation.routine_id][activation.slot]
        if special(job, activation):
            return job.run(activation)
        context = ExecutionContext(job, activation, slot)
        context.effects = self.effects.setdefault((job.job_id, activation.id), [])
        token = CONTEXT.set(context)
        try:
            slot.handler(**slot.arguments(activation.data, activation.source))
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            return Outcome(exception=error)
        finally:
            CONTEXT.reset(token)
        return Outcome(context.effects)
