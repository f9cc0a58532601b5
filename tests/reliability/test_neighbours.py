"""Processes in different folders on one store: they go on with what another left, and hear each other."""

from itertools import pairwise

import pytest

from routilux_core import JobManager
from tests.reliability.neighbour import PLUGINS, Neighbour, until
from tests.reliability.witness import witnessed

CLAIM, SCAN = 1.5, 0.5
SPREAD = 1.3
"""A scan may come so many times as late."""
SLACK = 1.0
"""What starting, claiming and looking may take on a busy machine."""
AT_ONCE = 1.5
JOBS = 200
SETTINGS = {"claim_seconds": CLAIM, "scan_seconds": SCAN, "max_workers": 4}


@pytest.fixture(params=["postgres", "sqlite"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def born(tmp_path):
    """Make processes, and end them."""
    made = []

    def make(url, *how, **settings):
        neighbour = Neighbour(tmp_path / f"folder{len(made)}", url, *how, **{**SETTINGS, **settings})
        made.append(neighbour)
        return neighbour

    yield make
    for neighbour in made:
        if neighbour.process.poll() is None:
            neighbour.end()


@pytest.fixture
def stranger(url):
    """A manager that does not know what the jobs are made of, and takes none up."""
    settings = {"scan_seconds": None}
    with JobManager(plugins=PLUGINS, discover=False, store=url, settings=settings) as manager:
        yield manager


def owners(manager):
    return {job.job_id: job.owner for job in manager.jobs(limit=1000)}


def status(manager, job_id):
    return manager.load(job_id).status


def log_is_whole(manager, job_id):
    """Tell whether every number is there once, in order."""
    log = list(manager.load(job_id).shared_log)
    return log[0] == 0 and all(after == before + 1 for before, after in pairwise(log))


def took_over(url, born, stranger, *how):
    """Kill a process that runs jobs, and return how long it takes till another one runs them all."""
    one, two = born(url, *how), born(url)
    ids = one.ask("start", "ticking", "tick", {}, 4)
    paused = ids.pop()
    stranger.pause(paused, "for later")
    until(lambda: status(stranger, paused) == "paused")
    until(lambda: all(len(stranger.load(job_id).shared_log) > 5 for job_id in ids))
    one.kill()
    seconds = until(lambda: {owners(stranger)[job_id] for job_id in ids} == {two.owner})
    reached = {job_id: len(stranger.load(job_id).shared_log) for job_id in ids}
    until(lambda: all(len(stranger.load(job_id).shared_log) > reached[job_id] for job_id in ids))

    # What was paused belongs to nobody. What is posted to it is there when somebody who knows it goes on.
    stranger.post(paused, "tick", "mark", word="posted")
    assert not stranger.load(paused).shared_data
    stranger.resume(paused)
    resumed = until(lambda: stranger.load(paused).shared_data.get("posted"))
    assert owners(stranger)[paused] == two.owner
    for job_id in (*ids, paused):
        stranger.post(job_id, "tick", "mark", word="stopped")
    until(lambda: {status(stranger, job_id) for job_id in (*ids, paused)} == {"completed"})
    assert all(log_is_whole(stranger, job_id) for job_id in (*ids, paused))
    return seconds, resumed


@pytest.mark.slow
def test_the_other_goes_on_when_a_process_of_its_host_is_killed(postgres_url, born, tell):
    with JobManager(
        plugins=PLUGINS, discover=False, store=postgres_url, settings={"scan_seconds": None}
    ) as stranger:
        seconds, resumed = took_over(postgres_url, born, stranger)
    tell(f"same host: taken over after {seconds:.2f} s, resumed for a stranger after {resumed:.2f} s")
    assert seconds < SPREAD * SCAN + SLACK
    assert resumed < SPREAD * SCAN + SLACK


@pytest.mark.slow
def test_the_other_goes_on_when_a_claim_has_ended(postgres_url, born, tell):
    with JobManager(
        plugins=PLUGINS, discover=False, store=postgres_url, settings={"scan_seconds": None}
    ) as stranger:
        seconds, _ = took_over(postgres_url, born, stranger, "elsewhere")
    tell(f"another host: taken over after {seconds:.2f} s of {CLAIM} + {SPREAD * SCAN}")
    assert CLAIM / 2 < seconds < CLAIM + SPREAD * SCAN + SLACK


@pytest.mark.slow
def test_a_job_of_another_process_obeys_at_once(url, born, stranger, tell):
    one = born(url)
    [job_id] = one.ask("start", "ticking", "tick", {})
    until(lambda: len(stranger.load(job_id).shared_log) > 2)
    seen = {}

    stranger.post(job_id, "tick", "mark", word="heard")
    seen["post"] = until(lambda: stranger.load(job_id).shared_data.get("heard"))
    stranger.pause(job_id, "asked for", {"by": "stranger"})
    seen["pause"] = until(lambda: status(stranger, job_id) == "paused")
    assert stranger.load(job_id).checkpoint == {"by": "stranger"}
    until(lambda: one.ask("running") == 0)
    one.ask("resume", job_id)
    until(lambda: status(stranger, job_id) == "running")
    stranger.cancel(job_id, "asked for")
    seen["cancel"] = until(lambda: status(stranger, job_id) == "cancelled")
    until(lambda: one.ask("running") == 0)
    tell(", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in seen.items()))
    assert max(seen.values()) < AT_ONCE
    assert log_is_whole(stranger, job_id)


@pytest.mark.slow
def test_who_does_not_hear_or_look_is_found(postgres_url, born):
    """The control: a process that hears no requests, and one that looks for no jobs."""
    with JobManager(
        plugins=PLUGINS, discover=False, store=postgres_url, settings={"scan_seconds": None}
    ) as stranger:
        deaf = born(postgres_url, "deaf")
        [job_id] = deaf.ask("start", "ticking", "tick", {})
        stranger.cancel(job_id)
        with pytest.raises(AssertionError, match="it took longer"):
            until(lambda: status(stranger, job_id) == "cancelled", AT_ONCE)
        born(postgres_url, scan_seconds=None)
        deaf.kill()
        with pytest.raises(AssertionError, match="it took longer"):
            until(lambda: owners(stranger)[job_id] not in {None, deaf.owner}, SPREAD * SCAN + SLACK)


@pytest.mark.slow
@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_every_submitted_job_runs_once(url, born, stranger, tmp_path):
    """Three processes look for work all the time."""
    neighbours = [born(url, scan_seconds=0.1, max_jobs=10) for _ in range(3)]
    flow, witness = witnessed(), tmp_path / "witness"
    given = [{"path": str(witness), "name": str(number)} for number in range(JOBS)]
    ids = [stranger.submit(flow, "witness", params).job_id for params in given]
    until(lambda: len(stranger.jobs(status="completed", limit=JOBS)) == JOBS)

    lines = [line.split() for line in witness.read_text().splitlines()]
    assert sorted(int(name) for name, _ in lines) == list(range(JOBS))
    assert len({process for _, process in lines}) == len(neighbours)
    assert {job.job_id for job in stranger.jobs(limit=1000)} == set(ids)
    assert {stranger.keeping.store.load(job_id).epoch for job_id in ids} == {1}
