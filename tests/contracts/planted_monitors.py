"""Monitors with one bug each, as an author may write them."""

import threading
from time import sleep

from routilux_core import Monitor, hookimpl


class Raising(Monitor):
    """Has not thought of what happens rarely."""

    def on_payloads_unmatched(self, job, fact):
        raise KeyError(fact.activation)


class Cancelling(Monitor):
    """Ends a job that has an error."""

    def on_activation_skipped(self, job, fact):
        job.cancel("it has errors")


class Spoiling(Monitor):
    """Promises to change nothing, and takes out what it has no use for."""

    reads_only = True

    def on_event_emitted(self, job, fact):
        fact.data.pop("more", None)


class Writing(Monitor):
    """Leaves its notes in the job."""

    def on_activation_failed(self, job, fact):
        job.job_state.append_to_shared_log("it has failed")


class KeepingJobs(Monitor):
    """Keeps what it has seen."""

    def __init__(self):
        self.jobs = []

    def on_job_completed(self, job, fact):
        self.jobs.append(job)


class KeepingLeft(Monitor):
    """Counts on the end of each job that has begun."""

    def __init__(self):
        self.jobs = {}

    def on_job_started(self, job, fact):
        self.jobs[job.job_id] = job

    def on_job_completed(self, job, fact):
        self.jobs.pop(job.job_id, None)

    on_job_failed = on_job_cancelled = on_job_paused = on_job_completed


class Dropping(Monitor):
    """Takes its own end for the end of all managers."""

    def __init__(self):
        self.lines = []

    def on_job_started(self, job, fact):
        self.lines.append(job.job_id)

    @hookimpl
    def manager_closing(self):
        self.lines = None


class Starting(Monitor):
    """Has a thread that nobody ends."""

    def __init__(self):
        self.begun = False

    def on_job_started(self, job, fact):
        if not self.begun:
            self.begun = True
            threading.Thread(target=threading.Event().wait, args=(60,), daemon=True).start()


class Expecting(Monitor):
    """Counts on having seen the beginning of each job."""

    def __init__(self):
        self.started = {}

    def on_job_started(self, job, fact):
        self.started[job.job_id] = fact.at

    def on_job_forked(self, job, fact):
        self.started[job.job_id] = fact.at

    def on_job_completed(self, job, fact):
        del self.started[job.job_id]


class OneAtATime(Monitor):
    """Counts on jobs that come one after the other."""

    def __init__(self):
        self.current = None

    def on_job_started(self, job, fact):
        assert self.current is None
        self.current = job.job_id

    def on_activation_completed(self, job, fact):
        assert self.current in {None, job.job_id}
        sleep(0.0001)

    def on_job_completed(self, job, fact):
        self.current = None

    on_job_failed = on_job_cancelled = on_job_paused = on_job_completed


class Holding(Monitor):
    """Holds work and never lets it go."""

    @hookimpl
    def hold(self, activation):
        return activation.routine_id == "keep"


class Waiting(Monitor):
    """Waits for the job that waits for it."""

    def on_activation_completed(self, job, fact):
        job.wait()


class Sleeping(Monitor):
    """Takes its time."""

    def on_activation_completed(self, job, fact):
        sleep(0.01)


class RaisingInHook(Monitor):
    """Has not thought of what is started from outside."""

    @hookimpl
    def around_activation(self, activation):
        raise KeyError(activation.source)


PLANTED = {
    Raising: ("test_it_takes_every_kind_of_fact", "test_it_watches_one_job", "test_it_may_have_a_queue"),
    Cancelling: ("test_it_changes_nothing",),
    Spoiling: ("test_it_changes_nothing",),
    Writing: ("test_it_changes_nothing",),
    KeepingJobs: ("test_it_keeps_no_job_that_is_over",),
    KeepingLeft: ("test_it_keeps_no_job_that_left",),
    Dropping: ("test_it_serves_the_next_manager", "test_it_serves_two_managers"),
    Starting: ("test_it_leaves_no_thread",),
    Expecting: ("test_it_may_come_late",),
    OneAtATime: ("test_it_watches_many_jobs_at_once",),
    Holding: ("test_it_keeps_no_job_waiting",),
    Waiting: ("test_it_takes_every_kind_of_fact",),
    Sleeping: ("test_it_keeps_no_job_waiting",),
    RaisingInHook: ("test_it_takes_every_kind_of_fact",),
}
