"""Fixtures for tests of what is really installed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.downstream.environment import Environment
from tests.downstream.wheel import build_ours, build_wheel


@pytest.fixture(scope="session")
def core_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build_ours(tmp_path_factory.mktemp("core"))


@pytest.fixture(scope="module")
def environment(core_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A clean environment with the core, one for each module of tests."""
    return Environment(tmp_path_factory.mktemp("environment"), core_wheel)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a wheel of files given as text."""
    return partial(build_wheel, tmp_path_factory.mktemp("wheels"))
