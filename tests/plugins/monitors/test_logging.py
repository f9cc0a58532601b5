"""logging: records at their levels, each with its job's id, and nothing watched below the level."""

import json
import logging

import pytest

from routilux_core import InvalidOption, JobManager
from routilux_plugins.executors import sequential
from routilux_plugins.monitors import log as plugin
from routilux_plugins.monitors.log.monitor import Logging
from routilux_plugins.monitors.log.settings import LoggingSettings
from tests.plugins.monitors.shop import shop

ROOT = logging.getLogger("routilux")


@pytest.fixture
def records(caplog):
    """What is logged below `routilux`, whatever its level."""
    caplog.set_level("DEBUG", "routilux")
    return lambda: [record for record in caplog.records if record.name.startswith("routilux")]


@pytest.fixture
def output(capsys):
    """The lines on the standard error output."""

    def lines():
        return capsys.readouterr().err.splitlines()

    return lines


def run(items=(0,), **options):
    settings = {"monitors": {"logging": options}}
    with JobManager(plugins=[sequential, plugin], discover=False, settings=settings) as manager:
        return manager.execute(shop(), "order", {"items": list(items)})


def test_jobs_are_told_at_level_info(records):
    state = run()
    first, last = records()
    assert first.getMessage() == f"job {state.job_id} of flow shop started"
    assert last.getMessage().startswith(f"job {state.job_id} of flow shop completed after 0.")
    assert {record.levelname for record in records()} == {"INFO"}


@pytest.mark.parametrize("level", ["debug", "info", "warning"])
def test_every_record_has_the_id_of_its_job(records, level):
    """Those of the core, about failures, have it too."""
    state = run([1, 2, 3], level=level)
    assert {record.job_id for record in records()} == {state.job_id}
    assert {"WARNING", "ERROR"} <= {record.levelname for record in records()}


def test_records_have_fields(records):
    run([1, 2], level="debug")
    found = {record.fact: record for record in records() if hasattr(record, "fact")}
    assert (found["event_emitted"].routine_id, found["event_emitted"].event) == ("ship", "output")
    assert (found["activation_retried"].attempt, found["activation_retried"].error) == (
        2,
        "OSError: the first attempt in ship.trigger",
    )
    assert found["activation_completed"].seconds >= 0
    assert {record.flow_id for record in found.values()} == {"shop"}


def test_at_level_warning_it_is_not_among_the_observers():
    settings = {"monitors": {"logging": {"level": "warning"}}}
    with JobManager(plugins=[sequential, plugin], discover=False, settings=settings) as manager:
        state = manager.start_job(shop(), "order", {"items": [0]})
        job = manager.get_job(state.job_id)
        assert not any(one.watches for one in manager.hooks.watching)
        assert job is None or not job.observers


def test_at_level_info_it_is_among_them():
    """The control."""
    settings = {"monitors": ["logging"]}
    with JobManager(plugins=[sequential, plugin], discover=False, settings=settings) as manager:
        assert [one.name for one in manager.hooks.watching] == ["logging"]


def test_at_level_warning_what_failed_is_logged_all_the_same(records):
    run([3], level="warning")
    assert [record.levelname for record in records()] == ["ERROR"]


def test_a_kind_of_fact_may_have_a_level_of_its_own(records):
    run([0], level="warning", levels={"event_emitted": "critical", "job_completed": "off"})
    assert {(record.fact, record.levelname) for record in records()} == {("event_emitted", "CRITICAL")}


def test_off_is_nothing(records):
    run([0], level="off")
    assert records() == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"level": "loud"}, "monitors.logging.level cannot be 'loud'"),
        ({"levels": {"job_complete": "info"}}, "levels.job_complete cannot be 'info'"),
        ({"format": "xml"}, "monitors.logging.format cannot be 'xml'"),
    ],
)
def test_wrong_options_are_refused(options, text):
    with pytest.raises(InvalidOption, match=text):
        run(**options)


def test_lines_of_text(output):
    state = run([2], format="text")
    lines = [line for line in output() if state.job_id in line]
    assert [line.split()[2] for line in lines] == ["INFO", "ERROR", "INFO"]


def test_lines_of_json(output):
    state = run([2], format="json", level="debug")
    found = [json.loads(line) for line in output()]
    assert {one["job_id"] for one in found} == {state.job_id}
    (error,) = [one for one in found if one["level"] == "error"]
    assert "raise LookupError" in error["traceback"]
    assert len(found) == len(state.facts) + 1


def test_everything_is_as_before_when_the_manager_has_ended(output):
    before = ROOT.level, ROOT.propagate, list(ROOT.handlers)
    run(format="json")
    assert (ROOT.level, ROOT.propagate, list(ROOT.handlers)) == before


def test_two_managers_write_a_line_once(output):
    one, other = (
        JobManager(
            plugins=[sequential, plugin],
            discover=False,
            settings={"monitors": {"logging": {"format": "json"}}},
        )
        for _ in range(2)
    )
    with one, other:
        states = [manager.execute(shop(), "order", {"items": [0]}) for manager in (one, other)]
    assert len(output()) == 2 * len(states)


def test_where_the_program_says_it_nothing_is_set_up(output, caplog):
    before = list(ROOT.handlers)
    Logging(LoggingSettings())
    run()
    assert output() == []
    assert list(ROOT.handlers) == before


@pytest.mark.parametrize("last", [0, 1])
def test_two_formats_leave_the_programs_logging_as_it_was(last):
    log = logging.getLogger("routilux")
    before = log.level, log.propagate, list(log.handlers)
    settings = [{"monitors": {"logging": {"format": form}}} for form in ("text", "json")]
    managers = [JobManager(plugins=[sequential, plugin], discover=False, settings=one) for one in settings]
    for manager in managers:
        manager.execute(shop(), "order", {"items": [0]})
    managers[1 - last].shutdown()
    assert not log.propagate
    managers[last].shutdown()
    assert (log.level, log.propagate, list(log.handlers)) == before
