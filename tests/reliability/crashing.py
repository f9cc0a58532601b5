"""A store whose process ends at one of its calls, and what then becomes of the job."""

import threading
from contextlib import suppress
from functools import partial

from routilux_core import ClaimRefused, JobManager, JobState, Store, StoreError, UnknownJob
from routilux_core.activation_document import Writer
from routilux_core.request_document import POST, write_request
from routilux_plugins.executors import pooled, sequential
from tests.reliability.crashed import POSTS
from tests.reliability.laws import Violation

PATIENCE = 20.0
JOB = "job"
PLUGINS = (pooled, sequential)


class Crashed(StoreError):
    """What every call of a store raises whose process has ended."""


class Crashing:
    """Hands on the calls to a store until the one at which its process ends, before or after doing it."""

    def __init__(self, store, at, *, after):
        self._store, self._at, self._after = store, at, after
        self._lock = threading.Lock()
        self.calls = 0

    @property
    def crashed(self):
        return self.calls >= self._at

    def __getattr__(self, name):
        return partial(self._call, getattr(self._store, name))

    def _call(self, method, *given, **options):
        with self._lock:
            self.calls += 1
            number = self.calls
            if number < self._at or (number == self._at and self._after):
                result = method(*given, **options)
        if number >= self._at:
            raise Crashed("crashing", "its process has ended")
        return result


Store.register(Crashing)  # it has all methods that a store has


def manager_of(store, **options):
    settings = {"scan_seconds": None, "max_workers": 3}
    return JobManager(plugins=PLUGINS, discover=False, store=store, settings=settings, **options)


def live(manager, make, width):
    """Start the job, or take it up where the store has it, and let it go on to its end."""
    flow = make()
    try:
        manager.load(JOB)
    except UnknownJob:
        manager.execute(flow, "source", {"width": width}, job_state=JobState(flow.flow_id, JOB))
    else:
        manager.recover()
    while True:
        assert manager.wait_for_all_jobs(PATIENCE), [job.explain() for job in manager.running_jobs]
        status = manager.load(JOB).status
        if status.final:
            return
        if status != "paused":
            raise Violation(f"it is {status} and nobody runs it")
        if flow.flow_id in POSTS:
            content = write_request(POST, POSTS[flow.flow_id], Writer(manager.converter))
            manager.keeping.store.request(JOB, POST, content, "the same again")
        manager.resume(JOB)


def bury(store):
    """See to it that nobody has the job any more, as when the process of its owner is gone."""
    with suppress(UnknownJob, ClaimRefused):  # it never came, or is over
        store.release([store.claim(JOB, "undertaker", PATIENCE, store.owners())])


def crash(make, store, width, at, *, after, **options):
    """Let the process of a job end at a call to its store; False where there are not so many."""
    crashing = Crashing(store, at, after=after)
    with manager_of(crashing, **options) as manager:
        try:
            live(manager, make, width)
        except (StoreError, AssertionError):
            assert crashing.crashed
        manager.shutdown(wait=False)
    bury(store)
    return crashing.crashed
