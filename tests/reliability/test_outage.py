"""A server that is away for two seconds in every five: its jobs wait, and then do what they do in peace.

`TEST_OUTAGE_SECONDS=60 pytest tests/reliability/test_outage.py` keeps it up for a minute.
"""

import logging
import os
import threading
from contextlib import contextmanager
from itertools import count, cycle
from time import monotonic, sleep

import pytest

from routilux_core import JobManager
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.stores import postgres, redis
from tests.reliability.keeping import check_kept
from tests.reliability.test_storm import calm_down, random_flow, rolled, story, upset

SECONDS = float(os.environ.get("TEST_OUTAGE_SECONDS", "8"))
AWAY, THERE = 2.0, 3.0
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


@pytest.fixture(params=["postgres", "redis"])
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
def test_outages_change_nothing(server):
    """By turns it is stopped, and stands still."""
    sky = endure(server, SECONDS, [stopped, frozen])
    print(f"{type(server).__name__}: {sum(sky.jobs)} jobs through {sky.outages} outages")  # noqa: T201 - for -s
    assert sum(sky.jobs) >= len(KINDS) * sky.outages >= len(KINDS)
