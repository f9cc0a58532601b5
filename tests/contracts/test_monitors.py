"""The monitors of ours keep the contract."""

import io

import pytest
from opentelemetry.sdk.trace import TracerProvider

from routilux_core.testing import MonitorContract, Recorder
from routilux_plugins.monitors.breakpoints.monitor import Breakpoints
from routilux_plugins.monitors.jsonl.monitor import Jsonl
from routilux_plugins.monitors.jsonl.settings import JsonlSettings
from routilux_plugins.monitors.log.monitor import Logging
from routilux_plugins.monitors.log.settings import LoggingSettings
from routilux_plugins.monitors.opentelemetry.monitor import Tracing
from routilux_plugins.monitors.progress.monitor import Progress
from routilux_plugins.monitors.progress.settings import ProgressSettings
from routilux_plugins.monitors.prometheus.monitor import Prometheus
from routilux_plugins.monitors.tracker.tracker import Tracker


class TestLogging(MonitorContract):
    @pytest.fixture
    def monitor(self, caplog):
        caplog.set_level("DEBUG", "routilux.job")
        return Logging(LoggingSettings(level="debug"))


class TestTracker(MonitorContract):
    @pytest.fixture
    def monitor(self):
        return Tracker(jobs=2)


class TestProgress(MonitorContract):
    @pytest.fixture
    def monitor(self):
        return Progress(ProgressSettings(lines_every=0.01), io.StringIO())


class TestPrometheus(MonitorContract):
    @pytest.fixture
    def monitor(self):
        return Prometheus()


class TestOpenTelemetry(MonitorContract):
    @pytest.fixture
    def monitor(self):
        return Tracing(provider=TracerProvider())


class TestBreakpoints(MonitorContract):
    @pytest.fixture
    def monitor(self):
        return Breakpoints()


class TestJsonl(MonitorContract):
    @pytest.fixture
    def monitor(self, tmp_path):
        return Jsonl(JsonlSettings(path=tmp_path / "facts.jsonl"))


class TestRecorder(MonitorContract):
    @pytest.fixture
    def monitor(self):
        return Recorder()


class TestFunction(MonitorContract):
    @pytest.fixture
    def monitor(self):
        return lambda job, fact: None
