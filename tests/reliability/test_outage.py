"""A server that is away for two fifths of the time: its jobs wait, and then do what they do in peace.

`TEST_OUTAGE_SECONDS=60 pytest tests/reliability/test_outage.py` keeps it up for a minute, two seconds a time.
"""

import logging
import os
import threading
from contextlib import contextmanager
from itertools import count, cycle
from time import monotonic, sleep

import pytest

from routilux_core import Event, Flow, JobManager, Routine, StoreUnavailable, slot
from routilux_core.store_writing import StoreWriting
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.stores import postgres, redis
from tests.reliability.keeping import check_kept
from tests.reliability.test_storm import calm_down, random_flow, rolled, story, upset

SECONDS = float(os.environ.get("TEST_OUTAGE_SECONDS", "2"))
AWAY, THERE = (2.0, 3.0) if SECONDS >= 12 else (1.0, 1.0)
KINDS = [(executor, durability) for executor in ("sequential", "pooled") for durability in ("sync", "batch")]
SOME = 10
"""Of the jobs that no outage met, every so manieth is looked at."""
PATIENCE = 20.0


@pytest.fixture(autouse=True)
def _quiet_log():
    """Handlers fail here on purpose, and outages are no news."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module", params=["postgres", "redis"])
def server(request):
    """A server that a test may stop."""
    kind = {"postgres": "PostgresServer", "redis": "RedisServer"}[request.param]
    pytest.importorskip({"postgres": "psycopg", "redis": "redis"}[request.param])
    made = getattr(__import__(f"tests.servers.{request.param}", fromlist=[kind]), kind)()
    yield made
    made.end()


def managed(server, *, executor="pooled", **options):
    settings = {"max_workers": 2, "scan_seconds": 1.0, "claim_seconds": 8.0, **options.pop("settings", {})}
    return JobManager(
        plugins=[pooled, sequential, postgres, redis],
        discover=False,
        store=server.url(options="timeout=0.5"),
        executor=executor,
        settings=settings,
        **options,
    )


@contextmanager
def stopped(server):
    """Have the server stopped, and started again, as an administrator does."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextmanager
def frozen(server):
    """Have the server stand still: it is there and says nothing."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


class Sky:
    """What happens to the server, and what has become of the jobs."""

    def __init__(self, server):
        self.server = server
        self.away = False
        self.outages = 0
        self.done = threading.Event()
        self.seeds = count(1)
        self.failures = []
        self.jobs = []
        """For each kind, how many jobs were met by an outage."""

    def pass_by(self, seconds, ways):
        """Let the server go and come, one way after the other."""
        until = monotonic() + seconds
        for way in cycle(ways):
            if monotonic() > until or self.done.wait(THERE):
                return
            self.away = True
            with way(self.server):
                self.outages += 1
                sleep(AWAY)
            self.away = False


def storms(sky, executor, durability, **options):
    """Run one random job after the other, paused and resumed meanwhile, each as it runs in peace."""
    met = {}
    with (
        JobManager(plugins=[sequential], discover=False) as peace,
        managed(sky.server, executor=executor, durability=durability, **options) as manager,
    ):
        while not sky.done.is_set():
            seed, before = next(sky.seeds), (sky.away, sky.outages)
            flow = random_flow(seed)
            entry = {"n": 1, "hops": rolled(seed).randint(2, 4)}
            state = manager.start_job(flow, "r0", entry)
            upset(flow, state, rolled(seed))
            calm_down(manager, flow, state)
            if before[0] or (sky.away, sky.outages) != before or seed % SOME == 0:
                met[seed] = flow, entry, state
        for seed, (flow, entry, state) in met.items():
            calm = peace.start_job(flow, "r0", entry)
            calm_down(peace, flow, calm)
            assert story(state) == story(calm), f"seed {seed} on {executor}, {durability}"
            check_kept(manager, state)
    sky.jobs.append(len(met))


def endure(server, seconds, ways, kinds=KINDS, **options):
    """Let the server go and come while jobs run, and see that they do not mind."""
    sky = Sky(server)

    def run(executor, durability):
        try:
            storms(sky, executor, durability, **options)
        except BaseException as error:  # noqa: BLE001 - the test tells it
            sky.failures.append(error)
            sky.done.set()

    threads = [threading.Thread(target=run, args=kind) for kind in kinds]
    for thread in threads:
        thread.start()
    sky.pass_by(seconds, ways)
    sky.done.set()
    for thread in threads:
        thread.join()
    if sky.failures:
        raise sky.failures[0]
    assert len(sky.jobs) == len(kinds)
    return sky


@pytest.mark.slow
@pytest.mark.timeout(30 + 3 * SECONDS)
def test_outages_change_nothing(server, tell):
    """By turns it is stopped, and stands still."""
    sky = endure(server, SECONDS, [stopped, frozen])
    tell(f"{type(server).__name__}: {sum(sky.jobs)} jobs through {sky.outages} outages")
    assert sum(sky.jobs) >= len(KINDS) * sky.outages >= len(KINDS)


class Gated(Routine):
    """Waits at a gate, and sends on what it was given."""

    output = Event("n")
    gate, inside = threading.Event(), threading.Event()

    @slot
    def trigger(self, n):
        self.inside.set()
        assert self.gate.wait(PATIENCE)
        if n < 9:
            self.emit("output", n=n + 1)


def gated():
    Gated.gate.clear()
    Gated.inside.clear()
    flow = Flow("gated")
    flow.add_routine(Gated(), "gate")
    flow.connect("gate.output", "gate.trigger")
    return flow


@pytest.mark.slow
def test_an_outage_that_is_too_long_gives_jobs_up_and_the_next_look_takes_them_up(server, tell):
    executor = "sequential" if "Redis" in type(server).__name__ else "pooled"
    settings = {"outage_seconds": 1.0, "claim_seconds": 1.5, "scan_seconds": 0.5}
    with managed(server, executor=executor, settings=settings) as manager:
        flow = gated()
        states = [manager.start_job(flow, "gate", {"n": 0}) for _ in range(2)]
        jobs = [manager.get_job(state.job_id) for state in states]
        assert Gated.inside.wait(PATIENCE)
        began = monotonic()
        with stopped(server):
            Gated.gate.set()
            with pytest.raises(StoreUnavailable, match=r"^store (postgresql|redis)://"):
                jobs[0].wait(PATIENCE)
            waited = monotonic() - began
            assert 1.0 <= waited < 1.0 + 3.5  # and what it takes to stop the server, and to notice
            with pytest.raises(StoreUnavailable):
                manager.load(states[0].job_id)
        back, done = monotonic(), [False]
        while not all(done):
            done = [manager.load(state.job_id).status == "completed" for state in states]
            assert monotonic() - back < PATIENCE
        for state in states:
            starts = [line for line in manager.load(state.job_id).execution_history if is_start(line)]
            assert len(starts) >= 10
            assert {line.data["n"] for line in starts} == set(range(10))
        times = f"given up after {waited:.1f} s, done {monotonic() - back:.1f} s after it was back"
        tell(f"{type(server).__name__} {executor}: {times}")


def is_start(line):
    return line.event_name == "start"


def ends(server, seconds):
    """Let a job do something while the server is away, and tell whether it ends in time when it is back."""
    with managed(server, settings={"scan_seconds": None}) as manager:
        job, failed = manager.get_job(manager.start_job(gated(), "gate", {"n": 0}).job_id), threading.Event()
        assert Gated.inside.wait(PATIENCE)
        put_off = StoreWriting._put_off  # noqa: SLF001 - nobody else is told of the first try that fails
        with stopped(server), pytest.MonkeyPatch.context() as patch:
            patch.setattr(StoreWriting, "_put_off", lambda *given: failed.set() or put_off(*given))
            Gated.gate.set()
            assert failed.wait(PATIENCE)
        ended = job.wait(seconds)
        manager.shutdown(wait=ended)
        return ended


@pytest.mark.slow
def test_what_is_forgotten_in_an_outage_is_found(server, monkeypatch):
    """The control: what was taken when the outage began is not tried again."""
    assert ends(server, PATIENCE)
    monkeypatch.setattr(StoreWriting, "_put_off", lambda writing, batch, error: None)
    assert not ends(server, 1.0)
