"""Lists of the store in one file: all in order out of one index, and none looks at more than it shows."""

import random
from contextlib import closing

import pytest
from attrs import evolve

from routilux_core import ExecutionStatus
from routilux_plugins.stores.memory.store import Memory
from routilux_plugins.stores.sqlite.store import Sqlite
from tests.plugins.stores.job import HEAD, opening

FLOWS = ("a", "b", "c", "d")
FEW, MANY = 300, 3000
OPERATIONS = 10
"""The progress is asked for after so many operations of SQLite."""


def jobs(dice, number, flows=FLOWS):
    """Return commits of new jobs of any age, flow and status, some of which somebody has."""
    return [
        opening(
            f"job-{n}",
            dice.choice(("ann", "bob")),
            head=evolve(
                HEAD,
                flow_id=dice.choice(flows),
                status=dice.choice(list(ExecutionStatus)),
                created_at=float(dice.randrange(number // 3)),
                note=dice.choice(("", "", "", "why")),
            ),
            release=dice.random() < 0.5,
        )
        for n in range(number)
    ]


@pytest.fixture
def pair(tmp_path):
    """Two stores with the same jobs."""
    batch = jobs(random.Random(3), FEW)  # noqa: S311 - any jobs will do
    with closing(Memory()) as memory, closing(Sqlite(tmp_path / "jobs.db")) as sqlite:
        assert memory.commit(batch) == sqlite.commit(batch) == set()
        yield memory, sqlite


def pages(store, *wanted, limit):
    found, before = [], None
    while page := store.jobs(*wanted, before, limit):
        found.append([(job.job_id, job.head, job.owner) for job in page])
        before = page[-1].head.created_at, page[-1].job_id
    return found


@pytest.mark.parametrize("flow_id", [None, "a", "nobody"])
@pytest.mark.parametrize(
    "status", [None, (), ("running",), ("failed", "paused", "failed"), tuple(ExecutionStatus)]
)
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_are_those_of_a_sorted_list(pair, flow_id, status, limit):
    memory, sqlite = pair

    assert pages(sqlite, flow_id, status, limit=limit) == pages(memory, flow_id, status, limit=limit)


@pytest.mark.parametrize("flows", [None, (), ("b",), ("d", "a", "d"), ("nobody",)])
@pytest.mark.parametrize("dead", [(), ("ann",), ("ann", "bob")])
@pytest.mark.parametrize("limit", [1, 5])
def test_jobs_are_taken_up_as_from_a_sorted_list(pair, flows, dead, limit):
    taken = [[], []]
    for store, found in zip(pair, taken, strict=True):
        while claims := store.claim_next("cat", 600, limit, flows, dead):
            found.append(claims)

    assert taken[0] == taken[1]
    assert not flows or flows == ("nobody",) or taken[0]


def operations(store, work):
    """Return how much SQLite has to do for it."""
    counts = [0]

    def count():
        counts[0] += 1

    for connection in (store.database.reader, store.database.writer):
        connection.set_progress_handler(count, OPERATIONS)
    work()
    return counts[0] * OPERATIONS


def growth(tmp_path, work, harm=""):
    """Return how many times as much is to be done where there are ten times as many jobs."""
    counts = []
    for number in (FEW, MANY):
        with closing(Sqlite(tmp_path / f"{number}.db")) as store:
            batch = jobs(random.Random(5), number)  # noqa: S311 - any jobs will do
            assert store.commit([evolve(one, release=True) for one in batch]) == set()
            if harm:
                store.database.writer.execute(harm)
            work(store)
            counts.append(operations(store, lambda store=store: work(store)))
    return counts[1] / counts[0]


WORKS = {
    "all": lambda store: store.jobs(limit=5),
    "in the midst": lambda store: store.jobs(before=(50.0, ""), limit=5),
    "a flow": lambda store: store.jobs("b", limit=5),
    "a status": lambda store: store.jobs(status=["failed"], limit=5),
    "a flow and a status": lambda store: store.jobs("b", ["failed"], limit=5),
    "none": lambda store: store.jobs("nobody"),
    "taken": lambda store: store.claim_next("ann", 0.0, 1),
    "taken of a flow": lambda store: store.claim_next("ann", 0.0, 1, ["b"]),
    "known": lambda store: store.load("job-7"),
}


@pytest.mark.parametrize("work", WORKS)
def test_no_list_looks_at_all_jobs(tmp_path, work):
    assert growth(tmp_path, WORKS[work]) < 2


def test_a_list_without_its_index_looks_at_all_jobs(tmp_path):
    """The control."""
    assert growth(tmp_path, WORKS["a flow"], "DROP INDEX job_by_age") > 5


def test_a_page_of_many_flows_looks_at_few_jobs_of_each(tmp_path):
    with closing(Sqlite(tmp_path / "jobs.db")) as store:
        flows = [f"flow-{number}" for number in range(100)]
        batch = jobs(random.Random(7), MANY, flows)  # noqa: S311 - any jobs will do
        assert store.commit(batch) == set()
        every = operations(store, lambda: store.jobs(limit=MANY))

        assert operations(store, lambda: store.jobs(limit=10)) < every / 5
