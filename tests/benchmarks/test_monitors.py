"""What our monitors may cost per activation, beyond a monitor that does nothing."""

import pytest

from tests.benchmarks.monitors import Watched, cases, measured, nothing

ROUNDS = 5


def beyond(found, times):
    """The best of each, since other work on the machine only adds."""
    base = min(times[found[0].name])
    return {one.name: min(times[one.name]) - base for one in found}


@pytest.mark.speed
@pytest.mark.slow
def test_our_monitors_keep_below_their_goals(tmp_path, tell):
    """In one run, measured in turns."""
    found = [one for one in cases(tmp_path) if one.goal is not None or one.monitors == [nothing]]
    costs = beyond(found, measured(found, ROUNDS))
    tell("; ".join(f"{name} {cost:.2f} us" for name, cost in costs.items()))
    assert [one.name for one in found if one.goal is not None and costs[one.name] > one.goal] == []


@pytest.mark.speed
def test_a_monitor_that_costs_too_much_is_found():
    """The control: many times the work of counting."""

    def slow(job, fact):
        sum(range(2_000))

    found = [Watched("nothing", [nothing]), Watched("slow", [slow], 3)]
    assert beyond(found, measured(found, 3))["slow"] > 3
