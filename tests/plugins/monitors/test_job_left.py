"""A job that leaves before it ends is not there any more for any monitor: none takes it for one that runs."""

import io
import json
import logging
import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from routilux_core import JobManager
from routilux_plugins.executors import sequential
from routilux_plugins.monitors.breakpoints.monitor import Breakpoints
from routilux_plugins.monitors.jsonl.monitor import Jsonl
from routilux_plugins.monitors.jsonl.settings import JsonlSettings
from routilux_plugins.monitors.log.monitor import Logging
from routilux_plugins.monitors.log.settings import LoggingSettings
from routilux_plugins.monitors.opentelemetry.monitor import Tracing
from routilux_plugins.monitors.progress.monitor import Progress
from routilux_plugins.monitors.prometheus.monitor import Prometheus
from routilux_plugins.monitors.tracker.tracker import Tracker
from routilux_plugins.stores.memory.store import Memory
from tests.core.leaving import PATIENCE, counting, leave

pytestmark = pytest.mark.parametrize("lost", [False, True], ids=["left", "lost"])


def test_tracker_counts_what_it_did_and_not_how_it_ended(lost):
    tracker = Tracker()
    state = leave(tracker, lost=lost)
    performance = tracker.get_flow_performance("counting")
    assert (performance.running, performance.count) == (0, 0)
    assert performance.routines["count"].count == 1
    job = tracker.get_job_performance(state.job_id)
    assert job.status == "left"
    assert job.seconds == tracker.get_job_performance(state.job_id).seconds


def test_tracker_counts_nothing_twice_where_the_job_comes_back(lost):
    tracker, store = Tracker(), Memory()
    state = leave(tracker, lost=lost, store=store)
    with JobManager(plugins=[sequential, tracker], discover=False, store=store) as manager:
        manager.resume_state(counting(), manager.load(state.job_id))
        assert manager.wait_for_all_jobs(PATIENCE)
    performance = tracker.get_flow_performance("counting")
    assert (performance.running, performance.count, performance.completed) == (0, 1, 1)
    assert {name: one.count for name, one in performance.routines.items()} == {"count": 1, "keep": 2}
    assert tracker.get_job_performance(state.job_id).status == "completed"


def test_prometheus_counts_it_as_running_no_more(lost):
    prometheus = Prometheus()
    leave(prometheus, lost=lost)
    assert 'routilux_jobs_running{flow="counting"} 0.0' in prometheus.text().splitlines()


def test_progress_shows_it_no_more_and_its_thread_ends(lost):
    stream, heard = io.StringIO(), []
    progress = Progress(stream=stream)

    def look(job, fact):
        heard.extend(thread for thread in threading.enumerate() if thread.name == "routilux-progress")

    leave(monitors=[progress, look], lost=lost)
    assert heard
    assert not any(thread.is_alive() for thread in heard)
    assert progress.jobs == {}
    assert stream.getvalue().startswith("counting: jobs 1 left; 1 done, 0 errors")


def test_opentelemetry_leaves_no_span_open(lost):
    exporter, provider, begun = InMemorySpanExporter(), TracerProvider(), []

    class Beginning(SimpleSpanProcessor):
        def on_start(self, span, parent_context=None):
            begun.append(span)

    provider.add_span_processor(Beginning(exporter))
    leave(Tracing(provider=provider), lost=lost)
    job = next(span for span in begun if span.name == "counting")
    assert job.attributes["routilux.outcome"] == "left"
    assert job.status.is_unset
    assert len(exporter.get_finished_spans()) == len(begun)


def test_breakpoints_let_nobody_wait_for_its_next_stop(lost):
    points, steps = Breakpoints(), []
    points.on("activation_completed")
    thread = threading.Thread(target=lambda: steps.append(points.wait(PATIENCE).step()), daemon=True)
    thread.start()
    leave(monitors=[points], lost=lost)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert steps == [None]


def test_breakpoints_have_no_job_stand_that_is_elsewhere(lost):
    points = Breakpoints()
    points.on("activation_completed")
    leave(monitors=[points], lost=lost)
    assert points.stops == ()


def test_jsonl_writes_what_is_left(lost, tmp_path):
    path = tmp_path / "facts.jsonl"
    leave(monitors=[Jsonl(JsonlSettings(path=path))], lost=lost)
    kinds = [json.loads(line)["fact"] for line in path.read_text().splitlines()]
    assert kinds[0] == "job_started"
    assert "event_emitted" in kinds


def test_logging_says_so(lost, caplog):
    caplog.set_level(logging.INFO, "routilux.job")
    state = leave(Logging(LoggingSettings(level="info")), lost=lost)
    last = [record for record in caplog.records if record.name == "routilux.job"][-1]
    assert last.getMessage().startswith(f"job {state.job_id} of flow counting left: ")
    assert last.job_id == state.job_id
