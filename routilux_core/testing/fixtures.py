"""The pytest fixtures: `manager`, `recorder` and `manager_options`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from routilux_core.manager import JobManager
from routilux_core.settings import Settings
from routilux_core.testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def manager_options() -> dict[str, Any]:
    """Say what the test's manager is made with; override it to choose plugins: `{"plugins": [...]}`.

    As it is, the installed plugins are loaded, and no setting comes from the environment or a file.
    """
    return {"settings": Settings()}


@pytest.fixture
def recorder() -> Recorder:
    """Watch every job of the test's manager."""
    return Recorder()


@pytest.fixture
def manager(request: pytest.FixtureRequest, manager_options: dict[str, Any]) -> Iterator[JobManager]:
    """Make a job manager of the test's own, which flows use while it runs; its jobs end with the test."""
    options = {"settings": Settings(), **manager_options}
    plugins = list(options.pop("plugins", ()))
    if "recorder" in request.fixturenames:
        plugins.append(request.getfixturevalue("recorder"))
    with JobManager(plugins=plugins, **options) as made:
        try:
            yield made
        finally:
            made.shutdown(wait=False)
