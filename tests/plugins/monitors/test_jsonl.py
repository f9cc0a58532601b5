"""jsonl: a line for each fact, whole and in order, with what users put in, whatever it is."""

import json
import multiprocessing
import resource
import signal
import stat
import sys
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

import pytest
from attrs import define

from routilux_core import Flow, InvalidOption, JobManager, routine
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.monitors import jsonl as plugin
from routilux_plugins.monitors.jsonl.line import writer
from routilux_plugins.monitors.jsonl.monitor import Jsonl
from routilux_plugins.monitors.jsonl.settings import JsonlSettings
from tests.plugins.monitors.shop import shop


@pytest.fixture
def path(tmp_path):
    return tmp_path / "inner" / "facts.jsonl"


@pytest.fixture(params=["orjson", "json"])
def library(request, monkeypatch):
    """With orjson, and as it is where that is not installed."""
    if request.param == "json":
        monkeypatch.setitem(sys.modules, "orjson", None)
    return request.param


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_there_is_a_line_for_each_fact_in_order(manager, path, library):
    monitor = Jsonl(JsonlSettings(path=path))
    states = [shop().execute("order", {"items": [0, 1, 2, 3]}, monitors=[monitor]) for _ in range(2)]
    wanted = [(state.job_id, fact.number, fact.tag, fact.at) for state in states for fact in state.facts]
    assert [(one["job_id"], one["number"], one["fact"], one["at"]) for one in lines(path)] == wanted


def test_a_line_says_what_happened(manager, path, library):
    shop().execute("order", {"items": [1, 2]}, monitors=[Jsonl(JsonlSettings(path=path))])
    found = lines(path)

    def first(tag, **wanted):
        return next(one for one in found if one["fact"] == tag and wanted.items() <= one.items())

    sent = first("event_emitted", event="item")
    assert (sent["routine_id"], sent["data"], sent["activation"]) == ("order", {"n": 1}, 1)
    began = first("activation_started", routine_id="ship")
    assert (began["routine_id"], began["slot"], began["attempt"], began["source"], began["data"]) == (
        "ship", "trigger", 1, "order.item", {"n": 1},
    )  # fmt: skip
    assert first("activation_completed", routine_id="ship")["seconds"] >= 0
    error = first("activation_failed", routine_id="bill")["error"]
    assert (error["type"], error["message"]) == ("LookupError", "no price")
    assert "raise LookupError" in error["traceback"]
    assert first("job_started")["flow_id"] == "shop"


def test_only_some_kinds_may_be_written(manager, path):
    settings = JsonlSettings(path=path, facts=("activation_failed", "job_completed"))
    shop().execute("order", {"items": [0, 2]}, monitors=[Jsonl(settings)])
    assert [one["fact"] for one in lines(path)] == ["activation_failed", "job_completed"]


def test_payloads_may_be_left_out(manager, path):
    shop().execute("order", {"items": [123456]}, monitors=[Jsonl(JsonlSettings(path=path, data=False))])
    assert len(lines(path)) > 5
    assert "123456" not in path.read_text("utf-8")


def test_an_unknown_kind_says_the_nearest(path):
    with pytest.raises(InvalidOption, match="did you mean 'job_completed'"):
        Jsonl(JsonlSettings(path=path, facts=("job_complete",)))


def test_a_buffer_has_at_least_one_place(path):
    with pytest.raises(InvalidOption, match="buffer cannot be 0"):
        JsonlSettings(path=path, buffer=0)


def test_with_a_buffer_of_one_a_line_is_there_at_once(manager, path):
    there = []

    @routine
    def look():
        there.append([one["fact"] for one in lines(path)][-1])

    flow = Flow("looking")
    flow.add_routine(look(), "look")
    flow.execute("look", monitors=[Jsonl(JsonlSettings(path=path, buffer=1))])
    assert there == ["activation_started"]


def test_everything_is_written_when_a_job_ends(manager, path):
    state = shop().execute("order", {"items": [0]}, monitors=[Jsonl(JsonlSettings(path=path, buffer=10_000))])
    assert len(lines(path)) == len(state.facts)


def test_lines_are_added_to_what_is_there(manager, path):
    path.parent.mkdir()
    path.write_text('{"before": true}\n')
    shop().execute("order", {"items": [0]}, monitors=[Jsonl(JsonlSettings(path=path))])
    assert lines(path)[0] == {"before": True}
    assert len(lines(path)) > 1


def test_only_its_owner_may_read_it(manager, path):
    shop().execute("order", {"items": [0]}, monitors=[Jsonl(JsonlSettings(path=path))])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_file_is_open_while_no_job_runs(manager, path):
    shop().execute("order", {"items": [0]}, monitors=[Jsonl(JsonlSettings(path=path))])
    opened = [one.readlink() for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    assert path not in opened


def test_a_folder_that_cannot_be_made_is_said_once_and_harms_no_job(manager, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    monitor = Jsonl(JsonlSettings(path=tmp_path / "file" / "facts.jsonl"))
    assert shop().execute("order", {"items": [0]}, monitors=[monitor]).status == "completed"
    (record,) = [record for record in caplog.records if record.name == "routilux.monitor"]
    assert "facts.jsonl takes no lines, they are lost till it does: " in record.getMessage()


@pytest.fixture
def limited(path):
    """Let the file grow to 300 bytes and no further, as on a disk that is full."""
    path.parent.mkdir()
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, limits[1]))
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_was_full_costs_only_the_lines_of_that_time(manager, path, limited, caplog):
    monitor = Jsonl(JsonlSettings(path=path))
    shop().execute("order", {"items": [0]}, monitors=[monitor])
    limited()
    state = shop().execute("order", {"items": [0]}, monitors=[monitor])
    read = [line for line in path.read_text("utf-8").splitlines() if state.job_id in line]
    assert [json.loads(line)["number"] for line in read] == list(range(1, len(state.facts) + 1))
    said = [record.getMessage() for record in caplog.records if record.name == "routilux.monitor"]
    assert ["takes no lines" in said[0], "takes lines again" in said[1], len(said)] == [True, True, 2]


def test_jobs_at_once_leave_whole_lines(path):
    settings = {"monitors": {"jsonl": {"path": str(path), "buffer": 3}}, "max_workers": 4}
    with JobManager(plugins=[sequential, pooled, plugin], discover=False, settings=settings) as manager:
        flow = shop()
        flow.set_execution_strategy("pooled")
        states = [manager.start_job(flow, "order", {"items": range(4, 14)}) for _ in range(10)]
        assert manager.wait_for_all_jobs(20)
    for state in states:
        numbers = [one["number"] for one in lines(path) if one["job_id"] == state.job_id]
        assert numbers == [fact.number for fact in state.facts]


def write(path):
    with JobManager(plugins=[sequential], discover=False) as manager:
        for _ in range(20):
            manager.execute(
                shop(), "order", {"items": range(4, 14)}, monitors=[Jsonl(JsonlSettings(path=path))]
            )


def test_processes_may_share_a_file(path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write, args=(path,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    found = lines(path)
    assert sum(one["fact"] == "job_completed" for one in found) == 40


# -- what users put in ---------------------------------------------------------------------------------


class Colour(Enum):
    RED = "red"


@define
class Basket:
    items: list


class Mute:
    def __repr__(self):
        raise RuntimeError("no words")


class Hostile:
    """Raises whatever is asked of it."""

    def __getattr__(self, name):
        raise RuntimeError("nothing to see")


RING = {}
RING["self"] = RING


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": [1, 2.5, None, True]}, {"a": [1, 2.5, None, True]}),
        ("Grüße\n\u2028\ud800", "Grüße\n\u2028\ud800"),
        (float("nan"), None),
        (float("inf"), None),
        (2**80, 2**80),
        ({1: 2}, {"1": 2}),
        ({(1, 2): 3}, {"[1, 2]": 3}),
        ((1, (2,)), [1, [2]]),
        ({1}, [1]),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (Colour.RED, "red"),
        (Basket([1]), {"items": [1]}),
        (Path("a/b"), "PosixPath('a/b')"),
        (Decimal("1.5"), "Decimal('1.5')"),
        (b"ab", "b'ab'"),
        (Mute(), "<Mute>"),
        (Hostile(), "<Hostile>"),
        (date, "<class 'datetime.date'>"),
        (Basket, "<class 'tests.plugins.monitors.test_jsonl.Basket'>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_value_is_written(library, value, written):
    assert json.loads(writer()({"value": value})) == {"value": written}


def test_an_id_is_written_as_people_read_it(library):
    text = "12345678-1234-5678-1234-567812345678"
    assert json.loads(writer()({"value": UUID(text)}))["value"] == text


def test_a_circle_is_cut(library):
    line = writer()({"value": RING, "other": object()})
    assert json.loads(line)["value"]["self"]["self"]


def test_threads_may_write_at_once(path, manager):
    monitor = Jsonl(JsonlSettings(path=path, buffer=7))
    begin = threading.Barrier(4)

    def work():
        begin.wait(20)
        for _ in range(5):
            manager.execute(shop(), "order", {"items": range(4, 14)}, monitors=[monitor])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sum(one["fact"] == "job_completed" for one in lines(path)) == 20
