"""An executor of the tests' own: one pool of threads, to see several activations of a job at once."""

from concurrent.futures import ThreadPoolExecutor

from routilux_core import Executor, Lane


class Pool(Executor):
    """A pool of threads."""

    def __init__(self, workers=4):
        self.threads = ThreadPoolExecutor(workers)

    def open(self, job):
        return PoolLane(self.threads, job)

    def stop(self, timeout=None):
        self.threads.shutdown()


class PoolLane(Lane):
    def __init__(self, threads, job):
        self.threads = threads
        self.job = job

    def wake(self, count):
        for _ in range(count):
            self.threads.submit(self.work)

    def work(self):
        job = self.job
        activation = job.take()
        while activation is not None:
            activation = job.finish(activation, job.run(activation), True)
