"""What is special to the store in PostgreSQL: servers that stop, users without rights, others' databases."""

import signal
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from attrs import evolve

from routilux_core import Claim, Commit, Entry, NewerStore, Snapshot, StoreError, StoreUnavailable
from tests.plugins.stores.job import HEAD, open_job, opening
from tests.servers.postgres import PASSWORD, PostgresServer, opened

HOSTS = 6


@pytest.fixture
def store(postgres_url):
    with closing(opened(postgres_url)) as store:
        yield store


@pytest.fixture
def own_server():
    """A server that a test may stop."""
    server = PostgresServer()
    yield server
    server.end()


def commit(claim, last, content=b""):
    return Commit(claim=claim, head=HEAD, entries=(Entry(last, last, content),))


def refused(url, kind=StoreError):
    """Open a store that cannot be opened; return what is said, and see that no password is in it."""
    with pytest.raises(kind) as caught:
        opened(url)
    error, said = caught.value, ""
    while error is not None:
        said += f"{error!s} {error!r} {getattr(error, 'args', '')}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert PASSWORD not in said
    assert "wrong-word" not in said
    return caught.value


def test_a_stopped_server_is_an_outage_that_passes(own_server):
    with closing(opened(own_server.url(options="timeout=20"))) as store:
        claim = open_job(store, "job", "ann")
        store.commit([commit(claim, 1)])
        own_server.stop()
        with pytest.raises(StoreUnavailable):
            opened(own_server.url(options="timeout=0.5"))
        own_server.start()
        for last in (2, 3):
            try_until_done(store, [commit(claim, last)])

        assert [entry.last for entry in store.history("job")] == [1, 2, 3]


def test_every_connection_is_made_anew(own_server):
    with closing(opened(own_server.url(options="timeout=20&connections=4"))) as store:
        claims = [open_job(store, f"job-{n}", "ann") for n in range(4)]
        together(lambda n: store.commit([commit(claims[n], 1)]), 4)
        own_server.stop()
        own_server.start()
        together(lambda n: try_until_done(store, [commit(claims[n], 2)]), 4)

        assert [len(store.history(claim.job_id)) for claim in claims] == [2] * 4


def test_an_outage_is_said_to_be_one(own_server):
    with closing(opened(own_server.url(options="timeout=0.5"))) as store:
        own_server.stop()
        for _ in range(2):
            with pytest.raises(StoreUnavailable) as caught:
                store.jobs()
            assert PASSWORD not in str(caught.value)
        refused(own_server.url(), StoreUnavailable)


def test_a_server_that_stands_still_is_unavailable_and_goes_on_where_it_was(own_server):
    """The system says nothing of it: the host is there. What was given up may come through afterwards."""
    with closing(opened(own_server.url(options="timeout=1"))) as store:
        claim = open_job(store, "job", "ann")
        own_server.freeze()
        with pytest.raises(StoreUnavailable, match="no answer for 1 seconds"):
            store.commit([commit(claim, 1)])
        with pytest.raises(StoreUnavailable):
            store.jobs()
        own_server.thaw()
        for last in (1, 2):
            try_until_done(store, [commit(claim, last)])

        assert [entry.last for entry in store.history("job")] == [1, 2]


def test_a_server_that_may_only_be_read_is_an_outage_that_passes(own_server):
    """It is one that is about to become a replica. What it has can be read."""
    with closing(opened(own_server.url())) as store, own_server.connect() as connection:
        claim = open_job(store, "job", "ann")
        connection.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        with closing(opened(own_server.url())) as reader:
            with pytest.raises(
                StoreUnavailable, match="read-only transaction; name a server that takes writes"
            ):
                reader.commit([commit(claim, 1)])
            assert reader.load("job").head == HEAD
        error = refused(own_server.url(options="schema=new"), StoreUnavailable)
        assert "name a server that takes writes" in str(error)
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("ALTER DATABASE postgres RESET default_transaction_read_only")

        assert store.commit([commit(claim, 1)]) == set()


def test_a_server_of_no_answer_is_unavailable(postgres_server):
    error = refused(f"postgresql://ann:{PASSWORD}@127.0.0.1:1/jobs?timeout=1", StoreUnavailable)

    assert "127.0.0.1" in str(error)


def test_a_wrong_password_is_said(postgres_server):
    error = refused(postgres_server.url(password="wrong-word"))  # noqa: S106 - it is none

    assert "authentication failed" in str(error)
    assert not isinstance(error, StoreUnavailable)


def test_a_missing_database_is_said(postgres_server):
    error = refused(postgres_server.url("nowhere"))

    assert '"nowhere" does not exist' in str(error)
    assert not isinstance(error, StoreUnavailable)


@pytest.mark.parametrize(
    "place", [":wrong-word@[/jobs", "ann:wrong-word@db:port/jobs", "ann:wrong-word@db/j%zz"]
)
def test_a_url_that_names_no_place_is_said(place):
    refused(f"postgresql://{place}")


def test_a_user_without_rights_is_told(postgres_server):
    with postgres_server.connect() as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'wrong-word'")
        connection.execute("REVOKE CREATE ON DATABASE postgres FROM PUBLIC")

    error = refused(postgres_server.url(user="guest", password="wrong-word", options="schema=guests"))  # noqa: S106

    assert "permission denied" in str(error)
    assert "right" in str(error)


def test_a_number_out_of_range_is_not_called_an_id(store):
    with pytest.raises(StoreError, match=r"out of range|too large"):
        store.jobs(limit=2**63)


def test_a_newer_schema_is_refused_by_number(postgres_server, postgres_url, store):
    schema = postgres_url.partition("schema=")[2]
    with postgres_server.connect() as connection:
        connection.execute(f"UPDATE {schema}.routilux SET schema = 7")  # noqa: S608

    error = refused(postgres_url, NewerStore)

    assert (error.found, error.known) == (7, 1)


def test_tables_of_another_program_are_left_alone(postgres_server, postgres_url):
    schema = postgres_url.partition("schema=")[2]
    with postgres_server.connect() as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"CREATE TABLE {schema}.job (theirs integer)")

    assert "another program" in str(refused(postgres_url))


def test_a_database_of_another_encoding_is_refused(postgres_server):
    with postgres_server.connect() as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")

    assert "UTF8" in str(refused(postgres_server.url("latin")))


def test_many_make_the_tables_at_once(postgres_url):
    script = "import sys; from tests.servers.postgres import opened; opened(sys.argv[1]).close()"
    processes = [
        subprocess.Popen([sys.executable, "-W", "ignore", "-c", script, postgres_url]) for _ in range(HOSTS)
    ]

    assert [process.wait(60) for process in processes] == [0] * HOSTS


def test_a_stopped_process_holds_nobody_up(postgres_url, store):
    """It may be stopped at any moment: nothing that it locks outlasts a statement."""
    open_job(store, "job", "writer", entries=[Entry(1, 1, b"")])
    script = f"""
from tests.servers.postgres import opened
from routilux_core import Commit, Entry
from tests.plugins.stores.job import HEAD
store = opened({postgres_url!r})
claim = store.claim("job", "writer", 600)
last = 1
while True:
    last += 1
    store.commit([Commit(claim=claim, head=HEAD, entries=(Entry(last, last, b""),))])
    print(last, flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script], stdout=subprocess.PIPE, text=True
    )
    try:
        for _ in range(10):
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGSTOP)
        claim = store.claim("job", "bob", 600, dead={"writer"})
        kept = store.load("job").entries
        store.commit([commit(claim, kept[-1].last + 1)])

        assert kept[-1].last >= said
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_batch_is_written_as_one_commit_is(store):
    claims = [open_job(store, f"job-{n}", "ann") for n in range(3)]
    with_snapshot = evolve(commit(claims[0], 1), snapshot=Snapshot(1, b"one"))
    assert store.commit([with_snapshot, commit(claims[1], 1), commit(claims[2], 1)]) == set()
    assert store.commit([commit(claims[1], 2)]) == set()

    assert store.load("job-0").snapshot == Snapshot(1, b"one")
    assert [len(store.history(f"job-{n}")) for n in range(3)] == [1, 2, 1]


def test_a_commit_is_one_statement(store, monkeypatch):
    """Be it the first one of a job, a step or its end, or those of many."""
    asked = []
    real = store.database.run
    monkeypatch.setattr(store.database, "run", lambda *what: asked.append(what) or real(*what))
    claims = [Claim(f"job-{n}", "ann", 1) for n in range(3)]
    batches = [
        [opening("job-0")],
        [opening("job-1"), opening("job-2")],
        [commit(claims[0], 1)],
        [evolve(commit(claims[0], 2), release=True)],
        [evolve(commit(claim, 1), release=True) for claim in claims[1:]],
        [opening("job-3", release=True), opening("job-4", release=True)],
    ]

    assert [store.commit(batch) for batch in batches] == [set()] * len(batches)
    assert len(asked) == len(batches)
    assert store.owners() == set()


def try_until_done(store, batch):
    """Do what a manager does in an outage: try again."""
    for _ in range(20):
        try:
            assert store.commit(batch) == set()
        except StoreUnavailable:
            continue
        return
    raise AssertionError("the outage does not pass")


def together(work, number):
    failures = []

    def run(n):
        try:
            work(n)
        except BaseException as error:  # noqa: BLE001 - the test tells it
            failures.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
