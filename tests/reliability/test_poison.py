"""What ends its workers is counted in its job, whatever becomes of the process that runs the job meanwhile.

The control forgets the count with the process, and must be seen.
"""

import os
import signal
from random import Random

import pytest

from routilux_core import JobManager
from routilux_core.facts import ActivationReturned
from routilux_core.testing.executor_contract.meeting import Meeting
from tests.reliability import crashed
from tests.reliability.killing import Nursery
from tests.reliability.laws import Violation, check_all
from tests.reliability.mortal import JOB, PLUGINS, SETTINGS

ROUNDS = int(os.environ.get("TEST_POISONS", "1"))
MOST = 3
"""So many workers an activation may end."""
WIDTH = 5
PATIENCE = 20.0
GLANCE = 0.01
"""Seconds between two looks whether it is over."""


def let_die(nursery, meeting, dice, **what):
    """Kill the worker of the bad activation, or the process that has the job, until it is not started again.

    Return how many processes that had the job were killed.
    """
    home, homes, deaths = nursery.bear(**what), 0, 0
    while deaths < MOST:
        guest = meeting.guest()
        if dice.random() < 0.5:
            os.kill(home, signal.SIGKILL)
            nursery.rest([])
            assert guest.hear() is None  # the worker ends with its home
            home, homes = nursery.bear(**what), homes + 1
        else:
            os.kill(int(guest.word), signal.SIGKILL)
            deaths += 1
    while (said := nursery.hear(GLANCE)) is None:
        if meeting.visitor():
            raise Violation(f"it was started again after {deaths} deaths")
    assert said == "0"
    return homes


def attack(url, seed, bug="none"):
    options, executors = {"durability": "sync", "executor": "process"}, {"max_workers": 2, "max_starts": MOST}
    with Nursery() as nursery, Meeting(PATIENCE) as meeting:
        homes = let_die(
            nursery,
            meeting,
            Random(seed),  # noqa: S311 - who dies is no secret
            url=url,
            options=options,
            entry={"width": WIDTH, "meeting": meeting.address},
            flow="tests.reliability.crashed:poisoned",
            bug=bug,
            executors={"process": executors},
        )
    with JobManager(store=url, plugins=PLUGINS, discover=False, settings=SETTINGS) as manager:
        state = manager.load(JOB)
        check_all(crashed.poisoned(), state)
    assert state.status == "completed"
    assert sorted(payload["n"] for payload in state.results["poison.output"]) == [0, 1, 3, 4]
    assert [error.type for error in state.errors] == ["PoisonedActivation"]
    assert f"was started {MOST} times" in state.errors[0].message
    counted = [fact.deaths for fact in state.facts if isinstance(fact, ActivationReturned) and fact.deaths]
    assert counted == list(range(1, MOST + 1))
    return homes


def attack_all(folder, rounds, bug="none"):
    homes = sum(attack(f"sqlite:///{folder}/{seed}", seed, bug) for seed in range(rounds))
    return f"{rounds} activations failed after {MOST} deaths each; {homes} homes died meanwhile"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_poison_fails_after_as_many_deaths_as_ever(tmp_path, tell):
    seen = attack_all(tmp_path, ROUNDS)
    tell(seen)


@pytest.mark.slow
def test_a_count_that_is_lost_is_seen(tmp_path):
    with pytest.raises(Violation):
        attack_all(tmp_path, 10, bug="forgiving")
