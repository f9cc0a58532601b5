"""The whole suite runs in two processes side by side. What measures time comes last, while all else rests.

A run of chosen files stays in one process, as does any with `-n 0`.
"""

import fcntl
import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

PROCESSES = 2


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Tell in how many processes the tests run."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return PROCESSES if whole and not config.option.usepdb else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what measures time at the end."""
    items.sort(key=measures)


def measures(item: pytest.Item) -> bool:
    """Tell whether a test measures time."""
    return item.get_closest_marker("speed") is not None


@pytest.fixture(autouse=True)
def rest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let a test that measures time run alone, and without collecting what other tests have left."""
    alone = measures(request.node)
    with ExitStack() as stack:
        if hasattr(request.config, "workerinput"):  # there are others
            running = stack.enter_context((tmp_path_factory.getbasetemp().parent / "running").open("w"))
            fcntl.flock(running, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if alone:
            gc.freeze()
            stack.callback(gc.unfreeze)
        yield


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say a figure: `tell("2 of 3")`. All are printed at the end of the run."""
    return lambda figure: record_property("figure", figure)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that were told."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    figures = [
        f"{report.nodeid.partition('::')[0]}: {figure}"
        for report in reports
        if report.when == "call"
        for name, figure in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write("\n".join([*figures, ""]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Make what was captured fit to be sent between processes: some tests print halves of characters."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode()) for title, text in report.sections
    ]
    return report
