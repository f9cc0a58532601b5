"""prometheus: a reader of Prometheus' own text finds the figures of the facts."""

from urllib.error import URLError
from urllib.request import urlopen

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from routilux_core import InvalidOption, JobManager
from routilux_plugins.executors import sequential
from routilux_plugins.monitors import prometheus as plugin
from routilux_plugins.monitors.prometheus.monitor import Prometheus
from routilux_plugins.monitors.prometheus.settings import PrometheusSettings
from tests.plugins.monitors.shop import shop

LOCAL = "http://127.0.0.1"


def read(text):
    """Return the samples that a Prometheus server would read: values by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def labels(**given):
    return tuple(sorted(given.items()))


def manager_with(**options):
    settings = {"monitors": {"prometheus": options}}
    return JobManager(plugins=[sequential, plugin], discover=False, settings=settings)


def test_a_reader_finds_the_figures_of_the_facts():
    with manager_with() as manager:
        states = [manager.execute(shop(), "order", {"items": items}) for items in ([0, 1], [2], [3])]
        found = read(manager.monitors["prometheus"].text())
    for outcome in ("completed", "retried", "failed"):
        facts = [fact for state in states for fact in state.facts if fact.tag == f"activation_{outcome}"]
        for routine_id in {fact.activation.routine_id for fact in facts}:
            key = labels(flow="shop", routine=routine_id, outcome=outcome)
            wanted = sum(fact.activation.routine_id == routine_id for fact in facts)
            assert found["routilux_activations_total", *key] == wanted, (outcome, routine_id)
    assert found["routilux_jobs_total", *labels(flow="shop", status="completed")] == 2
    assert found["routilux_jobs_total", *labels(flow="shop", status="failed")] == 1
    assert found["routilux_jobs_running", *labels(flow="shop")] == 0
    assert found["routilux_job_seconds_count", *labels(flow="shop")] == 3
    assert found["routilux_events_total", *labels(flow="shop", routine="order", event="item")] == 4


def test_a_histogram_holds_what_the_facts_say():
    with manager_with(buckets=(1e-9, 100.0)) as manager:
        state = manager.execute(shop(), "order", {"items": [0]})
        found = read(manager.monitors["prometheus"].text())
    (seconds,) = [
        fact.seconds
        for fact in state.facts
        if fact.tag == "activation_completed" and fact.activation.routine_id == "ship"
    ]
    key = {"flow": "shop", "routine": "ship"}
    assert found["routilux_activation_seconds_sum", *labels(**key)] == pytest.approx(seconds)
    assert found["routilux_activation_seconds_bucket", *labels(**key, le="100.0")] == 1
    assert found["routilux_activation_seconds_bucket", *labels(**key, le="1e-09")] == (seconds <= 1e-9)


def test_a_running_job_is_counted_as_running():
    with manager_with() as manager:
        monitor, seen = manager.monitors["prometheus"], []
        manager.execute(
            shop(), "order", {"items": [0]}, monitors=[lambda job, fact: seen.append(read(monitor.text()))]
        )
    assert {one.get(("routilux_jobs_running", *labels(flow="shop"))) for one in seen} == {1.0, 0.0}


def test_it_is_served_until_the_manager_ends():
    with manager_with(port=0) as manager:
        manager.execute(shop(), "order", {"items": [0]})
        url = f"{LOCAL}:{manager.monitors['prometheus'].port}/metrics"
        with urlopen(url) as answer:  # noqa: S310 - of this process
            found = read(answer.read().decode())
        assert found["routilux_jobs_total", *labels(flow="shop", status="completed")] == 1
    with pytest.raises(URLError):
        urlopen(url)  # noqa: S310 - as above


def test_a_port_that_is_taken_is_an_error_of_the_settings():
    with manager_with(port=0) as manager:
        port = manager.monitors["prometheus"].port
        with pytest.raises(InvalidOption, match=rf"port cannot be {port}; it takes a port to serve on: "):
            manager_with(port=port)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"port": 70_000}, "port cannot be 70000"),
        ({"port": "9000"}, "port cannot be '9000'"),
        ({"buckets": [1.0, 1.0]}, "seconds, each more than the one before"),
        ({"buckets": []}, "seconds, each more than the one before"),
    ],
)
def test_wrong_options_are_refused(options, text):
    with pytest.raises(InvalidOption, match=text):
        manager_with(**options)


def test_managers_may_share_a_registry(manager):
    registry = CollectorRegistry()
    for _ in range(2):
        manager.execute(shop(), "order", {"items": [0]}, monitors=[Prometheus(registry=registry)])
    found = read(Prometheus(registry=registry).text())
    assert found["routilux_jobs_total", *labels(flow="shop", status="completed")] == 2


def test_by_itself_it_has_a_registry_of_its_own(manager):
    first = Prometheus()
    manager.execute(shop(), "order", {"items": [0]}, monitors=[first])
    assert "routilux_jobs_total{" not in Prometheus().text()
    assert "routilux_jobs" not in {metric.name for metric in REGISTRY.collect()}


def test_it_may_be_in_the_registry_of_the_process(manager):
    monitor = Prometheus(PrometheusSettings(shared=True))
    manager.execute(shop("in-the-process"), "order", {"items": [0]}, monitors=[monitor])
    assert monitor.registry is REGISTRY
    assert REGISTRY.get_sample_value("routilux_jobs_total", {"flow": "in-the-process", "status": "completed"})
