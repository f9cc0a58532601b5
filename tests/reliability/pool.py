"""A pool of threads as an executor: what the contract asks of one."""

from queue import SimpleQueue
from threading import Thread

from routilux_core import Executor, Job, Lane


class PoolLane(Lane):
    """Puts its job in the queue, once for each worker that might help."""

    def __init__(self, jobs: "SimpleQueue[Job | None]", job: Job, workers: int) -> None:
        self._jobs, self._job, self._workers = jobs, job, workers

    def wake(self, count: int) -> None:
        for _ in range(min(count, self._workers)):
            self._jobs.put(self._job)


class Pool(Executor):
    """Runs the activations of all jobs on a few threads: one half serves, the other goes step by step."""

    def __init__(self, workers: int = 4) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        ways = (self._serve, self._work)
        self._threads = [Thread(target=ways[number % 2], daemon=True) for number in range(workers)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def open(self, job: Job) -> Lane:
        return PoolLane(self._jobs, job, len(self._threads))

    def stop(self, timeout: float | None = None) -> None:
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.serve()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            activation = job.take()
            while activation is not None:
                activation = job.finish(activation, job.run(activation), take=True)
