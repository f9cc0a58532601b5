"""A process is stopped for longer than its claims last, and goes on when another one has its job.

The control plants a store that lets it write all the same, and must be seen.
"""

import os
import signal
from random import Random

import pytest

from routilux_core import JobManager
from tests.reliability import crashed
from tests.reliability.killing import STORES, Nursery, calm
from tests.reliability.laws import Violation, check_all
from tests.reliability.mortal import JOB, PLUGINS, SETTINGS

ROUNDS = int(os.environ.get("TEST_ROUNDS", "1"))
"""How often a job has to be taken over on each store."""
LIFE = 0.2
"""How many seconds a claim lasts."""
LOOKS = 0.05
"""Seconds between two looks for what nobody has."""
AT_MOST = 5 * LIFE
"""A process is stopped for so long; it may hold a lock that the other one needs."""
MOMENT = 0.1
WIDTH = 8


def meet(manager, first, second, dice, **what):
    """Stop a process while it runs a job, and let it go on when the other one has that, or at last.

    Return whether the job was taken over.
    """
    number = first.bear(role="lose", claim_seconds=LIFE, **what)
    heard = [first.hear()]
    while JOB not in [job.job_id for job in manager.jobs()]:
        heard.append(first.hear(LOOKS))
    second.bear(role="take_over", scan_seconds=LOOKS, **what)
    heard.append(first.hear(dice.random() * MOMENT))
    os.kill(number, signal.SIGSTOP)
    try:
        said = [second.hear(AT_MOST)]
        if said == ["has it"]:
            said.append(second.hear(dice.random() * MOMENT))
    finally:
        os.kill(number, signal.SIGCONT)
    said, heard = second.rest(said), first.rest(heard)
    taken = "has it" in said
    if said[-1] != "0" or heard != ["has it", "lost" if taken else "kept", "0"]:
        raise Violation(f"the first said {heard}, the second {said}")
    return taken


def attack(url, folder, rounds, bug="none"):
    """Let a job be taken over so many times, and see that it comes to the end that it would have had."""
    dice, taken, count, flow = Random(url.partition(":")[0]), 0, 0, crashed.mixed()  # noqa: S311 - no secret
    with (
        JobManager(store=url, plugins=PLUGINS, discover=False, settings=SETTINGS) as manager,
        Nursery() as first,
        Nursery() as second,
    ):
        while taken < rounds:
            note, count = folder / f"note-{count}", count + 1
            options = {"durability": "sync", "executor": dice.choice(["sequential", "pooled"])}
            what = {"url": url, "options": options, "entry": {"width": WIDTH}, "note": str(note), "bug": bug}
            taken += meet(manager, first, second, dice, **what)
            state = manager.load(JOB)
            check_all(flow, state)
            if crashed.story(state) != calm(WIDTH):
                raise Violation("it came to another end")
            manager.delete(JOB)
    return f"{taken} of {count} jobs were taken over; 0 stale commits were taken"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", STORES)
def test_who_was_stopped_for_too_long_notices_by_itself(kind, url, tmp_path, tell):
    seen = attack(url, tmp_path, ROUNDS)
    tell(f"{kind}: {seen}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_control_is_seen(url, tmp_path):
    with pytest.raises(Violation):
        attack(url, tmp_path, 10, bug="unfenced")
