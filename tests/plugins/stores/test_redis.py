"""What is special to the store in Redis: servers that stop, that forget, that let nobody in."""

import re
import threading
from contextlib import closing, suppress
from importlib.resources import files

import pytest
from redis.exceptions import ResponseError

from routilux_core import Commit, DamagedStore, Entry, NewerStore, StoreError, StoreUnavailable
from routilux_plugins.stores.redis.row import place
from tests.plugins.stores.job import HEAD, open_job
from tests.servers.redis import PASSWORD, RedisServer, opened


@pytest.fixture
def store(redis_url):
    with closing(opened(redis_url)) as store:
        yield store


@pytest.fixture
def own_server():
    """A server that a test may stop."""
    server = RedisServer()
    yield server
    server.end()


@pytest.fixture
def forgetful():
    """A server that writes no log."""
    server = RedisServer(appendonly="no")
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


@pytest.mark.parametrize("kill", [False, True])
def test_a_stopped_server_is_an_outage_that_passes(own_server, kill):
    with closing(opened(own_server.url())) as store:
        claim = open_job(store, "job", "ann")
        store.commit([commit(claim, 1)])
        if kill:
            own_server.process.kill()
            own_server.process.wait()
        else:
            own_server.stop()
        for _ in range(2):
            with pytest.raises(StoreUnavailable) as caught:
                store.commit([commit(claim, 2)])
            assert PASSWORD not in str(caught.value)
        refused(own_server.url(), StoreUnavailable)
        own_server.start()

        assert store.commit([commit(claim, 2)]) == set()
        assert [entry.last for entry in store.history("job")] == [1, 2]


def test_a_server_without_its_replicas_is_an_outage_that_passes(own_server):
    with closing(opened(own_server.url())) as store, own_server.connect() as client:
        claim = open_job(store, "job", "ann")
        client.config_set("min-replicas-to-write", 1)
        with pytest.raises(StoreUnavailable, match="NOREPLICAS"):
            store.commit([commit(claim, 1)])
        refused(own_server.url(), StoreUnavailable)
        client.config_set("min-replicas-to-write", 0)

        assert store.commit([commit(claim, 1)]) == set()


def test_a_server_at_a_script_of_others_is_an_outage_that_passes(own_server):
    with closing(opened(own_server.url())) as store, own_server.connect() as client:
        claim = open_job(store, "job", "ann")
        client.config_set("lua-time-limit", 1)
        other = threading.Thread(target=run_for_ever, args=[client])
        other.start()
        with own_server.connect() as watcher:
            try:
                while answers(watcher):
                    pass
                for ask in (lambda: store.commit([commit(claim, 1)]), store.jobs, lambda: store.load("job")):
                    with pytest.raises(StoreUnavailable, match="BUSY"):
                        ask()
            finally:
                watcher.script_kill()
        other.join()

        assert store.commit([commit(claim, 1)]) == set()


def run_for_ever(client):
    with suppress(ResponseError):
        client.eval("while true do end", 0)


def answers(client):
    try:
        return client.ping()
    except ResponseError:
        return False


def test_a_server_that_cannot_save_says_so(own_server):
    with closing(opened(own_server.url())) as store, own_server.connect() as client:
        claim = open_job(store, "job", "ann")
        client.config_set("save", "3600 1")
        (own_server.folder / "dump.rdb").mkdir()
        client.bgsave()
        while client.info("persistence")["rdb_last_bgsave_status"] == "ok":
            pass
        with pytest.raises(StoreError, match="it cannot save to its disk; make room") as caught:
            store.commit([commit(claim, 1)])
        assert not isinstance(caught.value, StoreUnavailable)
        (own_server.folder / "dump.rdb").rmdir()
        client.config_set("save", "")

        assert store.commit([commit(claim, 1)]) == set()


def test_a_server_that_keeps_no_log_is_refused(forgetful):
    error = refused(forgetful.url())

    assert "appendonly yes" in str(error)
    assert "?volatile=true" in str(error)


def test_a_server_that_keeps_no_log_may_be_meant(forgetful):
    with closing(opened(forgetful.url(options="volatile=true"))) as store:
        store.submit("job", HEAD, ())

        assert store.load("job").head == HEAD


def test_a_server_that_throws_out_keys_is_refused(own_server):
    with own_server.connect() as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")

    assert "noeviction" in str(refused(own_server.url()))


def test_a_server_of_no_answer_is_unavailable():
    error = refused(f"redis://ann:{PASSWORD}@127.0.0.1:1/0", StoreUnavailable)

    assert "127.0.0.1" in str(error)
    assert str(error).endswith("; see that the server runs, and that the URL names it")


def test_a_wrong_password_is_said(redis_server):
    error = refused(redis_server.url(password="wrong-word"))  # noqa: S106 - it is none

    assert "password" in str(error)
    assert not isinstance(error, StoreUnavailable)


def test_a_missing_password_is_said(redis_server):
    error = refused(f"redis://127.0.0.1:{redis_server.port}")

    assert "uthentication" in str(error)
    assert not isinstance(error, StoreUnavailable)


def test_a_missing_database_is_said(redis_server):
    error = refused(redis_server.url("99"))

    assert "DB index is out of range" in str(error)
    assert not isinstance(error, StoreUnavailable)


def test_a_url_that_names_no_place_is_said():
    refused("redis://ann:wrong-word@db:port/0")


def test_a_user_without_rights_is_told(redis_server):
    with redis_server.connect() as client:
        client.acl_setuser(
            "guest", enabled=True, passwords=["+wrong-word"], keys=["theirs*"], commands=["+@all"]
        )

    error = refused(f"redis://guest:wrong-word@127.0.0.1:{redis_server.port}")

    assert "rights" in str(error)
    assert not isinstance(error, StoreUnavailable)


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (["xadd"], r"may not run xadd; say ACL SETUSER for that user, with \+xadd$"),
        (["hset", "zrevrangebylex"], r"may not run hset, zrevrangebylex; .* with \+hset \+zrevrangebylex$"),
        (["unlink"], r"may not run unlink; .* \+unlink$"),
        (["eval"], "rights of its user"),
        (["evalsha"], "rights of its user"),
        (["info"], "rights of its user"),
        (["exec"], "rights of its user"),
        (["@scripting"], "rights of its user"),
    ],
    ids=str,
)
def test_a_right_that_is_missing_is_said_when_the_store_is_opened(redis_server, without, said):
    """A script that ended at the first such command left half of a job."""
    with redis_server.connect() as client:
        commands = ["+@all", *(f"-{name}" for name in without)]
        client.execute_command(
            "ACL", "SETUSER", "bob", "reset", "on", ">wrong-word", "~routilux:*", *commands
        )
        error = refused(f"redis://bob:wrong-word@127.0.0.1:{redis_server.port}")
        assert client.keys("*") == [b"routilux:schema"]
        client.execute_command("ACL", "SETUSER", "bob", "+@all")
        opened(f"redis://bob:wrong-word@127.0.0.1:{redis_server.port}").close()
        assert client.keys("*") == [b"routilux:schema"]
        client.flushall()

    assert re.search(said, str(error))
    assert not isinstance(error, StoreUnavailable)


def test_what_scripts_and_readers_use_is_looked_at():
    """The control: nobody adds a command, and leaves it out there."""
    folder = files("routilux_plugins.stores.redis")
    scripts = {one.name: one.read_text("ascii") for one in (folder / "scripts").iterdir()}
    looked_at = set(re.findall(r"may\('(\w+)'", scripts.pop("rights.lua")))
    used = {name for text in scripts.values() for name in re.findall(r"redis\.call\('(\w+)'", text)}
    for name in ("store.py", "listing.py"):
        used |= {
            one.upper()
            for one in re.findall(r"(?:client|pipeline)\.(\w+)\(", (folder / name).read_text("utf-8"))
        }

    assert looked_at == used - {"PIPELINE", "EXECUTE", "CLIENT"}


def test_half_a_job_is_damaged(redis_server, redis_url, store):
    with redis_server.connect() as client:
        client.hset(f"{redis_url.partition('prefix=')[2]}:job:half", "epoch", 1)

    with pytest.raises(DamagedStore, match="job 'half' is damaged: a part of it is not there"):
        store.load("half")


@pytest.mark.parametrize("place", ["abc", "0/x", "1/2", "-", "0x1"])
def test_a_database_that_has_no_number_is_refused(redis_server, place):
    assert "write redis://user:password@host:6379/0" in str(refused(redis_server.url(place)))


def test_a_newer_schema_is_refused_by_number(redis_server, redis_url, store):
    with redis_server.connect() as client:
        client.set(f"{redis_url.partition('prefix=')[2]}:schema", 7)

    error = refused(redis_url, NewerStore)

    assert (error.found, error.known) == (7, 1)


@pytest.mark.parametrize("theirs", ["set", "text"])
def test_keys_of_another_program_are_left_alone(redis_server, redis_url, theirs):
    key = f"{redis_url.partition('prefix=')[2]}:schema"
    with redis_server.connect() as client:
        client.sadd(key, "theirs") if theirs == "set" else client.set(key, "theirs")

    refused(redis_url)


def test_a_full_server_says_so_and_keeps_what_it_has(own_server):
    with closing(opened(own_server.url())) as store:
        claim = open_job(store, "job", "ann", entries=[Entry(1, 1, b"")])
        with own_server.connect() as client:
            client.config_set("maxmemory", "1")
            with pytest.raises(StoreError) as caught:
                store.commit([commit(claim, 2)])
            assert "memory is full" in str(caught.value)
            client.config_set("maxmemory", "0")

        assert store.commit([commit(claim, 2)]) == set()
        assert [entry.last for entry in store.history("job")] == [1, 2]


def test_places_order_as_times_and_ids_do():
    pairs = [
        (time, name) for time in (-3.5, -1.0, 0.0, 1e-9, 1.0, 1.7e9, 1.7e9 + 1e-6, 1e300) for name in "aBb"
    ]

    assert sorted(pairs) == sorted(pairs, key=lambda pair: place(*pair))
