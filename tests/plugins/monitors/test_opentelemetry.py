"""opentelemetry: readers of its spans find parents, links and attributes right, on every executor."""

import asyncio
import threading

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from routilux_core import ErrorHandler, Flow, JobManager, get_execution_context, routine
from routilux_plugins.executors import aio, pooled, process, sequential, threaded
from routilux_plugins.monitors import opentelemetry as plugin
from routilux_plugins.monitors.opentelemetry.monitor import Tracing
from routilux_plugins.stores import sqlite
from tests.plugins.monitors.collector import attributes, collecting
from tests.plugins.monitors.traced import span_id, traced

EXECUTORS = ["sequential", "threaded", "pooled", "asyncio", "process"]
PLUGINS = [aio, pooled, process, sequential, threaded, plugin]


@pytest.fixture(scope="module")
def workers():
    """A manager whose worker processes serve all tests."""
    with JobManager(plugins=PLUGINS, discover=False, settings={"max_workers": 2}) as manager:
        yield manager


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made


@pytest.fixture
def spans(exporter):
    """The spans that are finished, of one name where it is given."""
    return lambda name=None: [one for one in exporter.get_finished_spans() if name in {None, one.name}]


def id_of(span):
    return format(span.context.span_id, "016x")


def parent_of(span):
    return None if span.parent is None else format(span.parent.span_id, "016x")


def links_of(span):
    return [format(link.context.span_id, "016x") for link in span.links]


def run(manager, provider, flow, executor="sequential", **given):
    monitors = [Tracing(provider=provider)]
    return manager.execute(flow, "give", {"count": 3, **given}, executor=executor, monitors=monitors)


# -- parents, links, attributes ------------------------------------------------------------------------


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_handler_runs_inside_its_span(workers, provider, spans, executor):
    """In a worker process too: the ids that its handler sees are those of the span at home."""
    state = run(workers, provider, traced("batches"), executor)
    state.raise_for_status()
    made = {id_of(span): span for span in spans("take.batches")}
    said = [payload["here"] for payload in state.results["take.output"]]
    assert {one["span"] for one in said} == set(made)
    assert len(made) == 2
    (job,) = spans("traced")
    assert {parent_of(span) for span in made.values()} == {id_of(job)}
    assert {one["trace"] for one in said} == {format(job.context.trace_id, "032x")}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_async_handler_runs_inside_its_span(workers, provider, spans, executor):
    state = run(workers, provider, traced("awaits"), executor)
    said = {payload["here"]["span"] for payload in state.results["take.output"]}
    assert said == {id_of(span) for span in spans("take.awaits")}
    assert len(said) == 3


def test_all_items_of_a_generator_are_in_one_span(workers, provider, spans):
    state = run(workers, provider, traced())
    sent = {
        fact.data["here"]["span"]
        for fact in state.facts
        if fact.tag == "event_emitted" and "give" in str(fact)
    }
    (give,) = spans("give.trigger")
    assert id_of(give) in sent


@pytest.mark.parametrize("executor", EXECUTORS)
def test_links_go_along_the_events(workers, provider, spans, executor):
    run(workers, provider, traced("batches"), executor)
    (give,) = spans("give.trigger")
    first, last = sorted(spans("take.batches"), key=lambda span: -len(span.links))
    assert links_of(give) == []
    assert links_of(first) == [id_of(give)] * 2
    assert links_of(last) == [id_of(give)]
    assert {link.attributes["routilux.event"] for link in first.links} == {"give.output"}


@pytest.mark.parametrize("durability", ["sync", "batch", "exit"])
@pytest.mark.parametrize("executor", EXECUTORS)
def test_links_are_there_however_late_facts_are_told(tmp_path, provider, spans, executor, durability):
    """With `batch` an activation has begun when it is told what it follows from."""
    store = {"store": f"sqlite:///{tmp_path / 'jobs.db'}", "durability": durability}
    settings = {"max_workers": 2}
    with JobManager(plugins=[*PLUGINS, sqlite], discover=False, settings=settings, **store) as manager:
        run(manager, provider, traced("plain"), executor).raise_for_status()
        run(manager, provider, traced("batches"), executor).raise_for_status()
    first, second = (id_of(span) for span in spans("give.trigger"))
    plain = spans("take.plain")
    assert len(plain) == 4  # one of the three in two attempts
    assert [links_of(span) for span in plain] == [[first]] * 4
    assert sorted(links_of(span) for span in spans("take.batches")) == [[second], [second] * 2]


def test_attributes_say_what_it_was(workers, provider, spans):
    state = run(workers, provider, traced())
    (job,) = spans("traced")
    assert dict(job.attributes) == {
        "routilux.job_id": state.job_id,
        "routilux.flow_id": "traced",
        "routilux.outcome": "completed",
    }
    taken = [dict(span.attributes) for span in spans("take.plain")]
    assert {one["routilux.source"] for one in taken} == {"give.output"}
    assert {(one["routilux.routine_id"], one["routilux.slot"]) for one in taken} == {("take", "plain")}
    assert len({one["routilux.activation"] for one in taken}) == 3
    assert {one["routilux.job_id"] for one in taken} == {state.job_id}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_each_attempt_has_a_span(workers, provider, spans, executor):
    run(workers, provider, traced(), executor)
    tried = [span for span in spans("take.plain") if span.attributes["routilux.outcome"] == "retried"]
    (failed,) = tried
    (again,) = [
        span
        for span in spans("take.plain")
        if span.attributes["routilux.activation"] == failed.attributes["routilux.activation"]
        and span is not failed
    ]
    assert (failed.attributes["routilux.attempt"], again.attributes["routilux.attempt"]) == (1, 2)
    assert not failed.status.is_ok
    assert again.status.is_ok or again.status.is_unset
    (event,) = failed.events
    assert event.attributes["exception.type"] == "OSError"
    assert "the first attempt" in event.attributes["exception.stacktrace"]
    assert links_of(failed) == links_of(again) != []


@pytest.mark.parametrize("executor", ["pooled", "process"])
def test_a_job_that_fails_has_spans_that_say_so(workers, provider, spans, executor):
    run(workers, provider, traced("fails"), executor, count=1)
    (job,), (taken,) = spans("traced"), spans("take.fails")
    assert {job.attributes["routilux.outcome"], taken.attributes["routilux.outcome"]} == {"failed"}
    assert job.status.description.startswith("LookupError: no price of 0")


def test_what_a_dead_worker_ran_has_a_span_for_each_time(workers, provider, spans):
    run(workers, provider, traced("dies"), "process", count=1)
    outcomes = [span.attributes["routilux.outcome"] for span in spans("take.dies")]
    assert outcomes == ["returned", "returned", "returned", "failed"]


def test_a_span_lasts_as_long_as_its_handler(workers, provider, spans):
    state = run(workers, provider, traced())
    (job,) = spans("traced")
    for span in spans("take.plain"):
        assert job.start_time <= span.start_time <= span.end_time <= job.end_time
    facts = {fact.activation.id: fact for fact in state.facts if fact.tag == "activation_completed"}
    for span in spans("give.trigger"):
        fact = facts[span.attributes["routilux.activation"]]
        assert (span.end_time - span.start_time) / 1e9 == pytest.approx(fact.seconds, abs=0.05)


# -- what is around a job ------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", ["pooled", "process"])
def test_a_job_is_inside_of_what_its_starter_is_in(workers, provider, spans, executor):
    token = context.attach(baggage.set_baggage("who", "ann"))
    try:
        with trace.get_tracer("test", tracer_provider=provider).start_as_current_span("outer") as outer:
            state = run(workers, provider, traced(), executor)
    finally:
        context.detach(token)
    assert parent_of(*spans("traced")) == span_id(outer)
    assert {payload["here"]["baggage"] for payload in state.results["take.output"]} == {"ann"}


def test_a_job_that_a_handler_starts_is_inside_of_its_span(workers, provider, spans):
    @routine
    def outer():
        get_execution_context().manager.execute(
            traced(), "give", {"count": 1}, monitors=[Tracing(provider=provider)]
        )

    flow = Flow("outer")
    flow.add_routine(outer(), "outer")
    workers.execute(flow, "outer", monitors=[Tracing(provider=provider)])
    assert parent_of(*spans("traced")) == id_of(*spans("outer.trigger"))


def test_a_pause_divides_the_span_of_a_job(provider, spans):
    @routine
    def pause():
        get_execution_context().job.pause()
        return {"n": 1}

    flow = Flow("pausing")
    flow.add_routine(pause(), "pause")
    with JobManager(plugins=[sequential, Tracing(provider=provider)], discover=False) as manager:
        state = manager.execute(flow, "pause")
        manager.resume(state.job_id)
        assert manager.wait_for_all_jobs(20)
    before, after = spans("pausing")
    assert [one.attributes["routilux.outcome"] for one in (before, after)] == ["paused", "completed"]
    assert links_of(after) == [id_of(before)]


def test_a_cancelled_job_leaves_no_span_open(provider, spans):
    inside, gate = threading.Event(), threading.Event()

    @routine
    def wait():
        inside.set()
        assert gate.wait(20)

    flow = Flow("waiting")
    flow.add_routine(wait(), "wait")
    with JobManager(plugins=[sequential, Tracing(provider=provider)], discover=False) as manager:
        state = manager.start_job(flow, "wait")
        assert inside.wait(20)
        manager.cancel(state.job_id)
        gate.set()
    assert [span.attributes["routilux.outcome"] for span in spans()] == ["cancelled", "cancelled"]


def test_a_delivery_that_failed_has_a_span(workers, provider, spans):
    def refuse(old, new):
        raise LookupError("nothing can be merged")

    @routine(merge_strategy=refuse, retry=ErrorHandler("continue"))
    def take(n):
        pass

    flow = Flow("refusing")
    flow.add_routine(take(), "take")
    workers.execute(flow, "take", {"n": 1}, monitors=[Tracing(provider=provider)])
    (taken,) = spans("take.trigger")
    assert taken.events[0].attributes["exception.type"] == "DeliveryError"


def test_without_a_provider_nothing_is_recorded_and_nothing_fails(workers):
    state = workers.execute(traced(), "give", {"count": 3}, monitors=[Tracing()])
    assert state.status == "completed"


def test_many_jobs_at_once_have_a_trace_each(workers, provider, spans):
    async def both():
        monitor = Tracing(provider=provider)
        given = {"count": 5}
        return await asyncio.gather(
            *(
                workers.execute_async(traced(), "give", given, executor="pooled", monitors=[monitor])
                for _ in range(10)
            )
        )

    states = asyncio.run(both())
    jobs = {span.attributes["routilux.job_id"]: span for span in spans("traced")}
    assert set(jobs) == {state.job_id for state in states}
    for span in spans("take.plain"):
        assert parent_of(span) == id_of(jobs[span.attributes["routilux.job_id"]])


# -- over the wire -------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", ["sequential", "process"])
def test_a_collector_reads_what_comes_over_the_wire(executor):
    """From worker processes too, which send spans of their own, inside of those at home."""
    with collecting() as collector:
        settings = {
            "monitors": {"opentelemetry": {"endpoint": collector.endpoint, "service": "shop"}},
            "max_workers": 2,
        }
        with JobManager(plugins=PLUGINS, discover=False, settings=settings) as manager:
            state = manager.execute(traced("batches"), "give", {"count": 3}, executor=executor)
        state.raise_for_status()
        found = list(collector.spans)
    assert {service for service, _ in found} == {"shop"}
    spans = [span for _, span in found]
    assert len({span.trace_id for span in spans}) == 1
    (job,) = [span for span in spans if span.name == "traced"]
    assert attributes(job)["routilux.job_id"] == state.job_id
    home = {span.name: [] for span in spans}
    for span in spans:
        if "routilux.activation" in attributes(span):
            home[span.name].append(span)
    (give,) = home["give.trigger"]
    taken = home["take.batches"]
    assert {span.parent_span_id for span in (give, *taken)} == {job.span_id}
    assert sorted(len(span.links) for span in taken) == [1, 2]
    assert {link.span_id for span in taken for link in span.links} == {give.span_id}

    said = {bytes.fromhex(payload["here"]["span"]) for payload in state.results["take.output"]}
    away = [span for span in spans if "process.pid" in attributes(span)]
    if executor == "process":
        assert {span.span_id for span in away if span.name == "take.batches"} == said
        assert {span.parent_span_id for span in away} == {span.span_id for span in (give, *taken)}
        pids = {payload["here"]["pid"] for payload in state.results["take.output"]}
        assert {attributes(span)["process.pid"] for span in away if span.name == "take.batches"} == pids
    else:
        assert away == []
        assert said == {span.span_id for span in taken}
