"""`python -m freight send | finish | whole`: half of a job, the other half, or all of it on one host."""

import json
import sys
from typing import Any

from freight import PARCELS, freight

from routilux_core import Converter, Flow, JobState

FLOW, JOB = "flow.json", "job.json"


def begin(flow: Flow) -> JobState:
    # The id is given, so that what is made from it (idempotency keys) can be compared.
    state = JobState(flow.flow_id, "shipment")
    return flow.execute("depot", {"count": PARCELS}, job_state=state)


def go_on(flow: Flow, state: JobState) -> JobState:
    flow.resume(state)
    if not flow.wait_for_completion(30):
        raise TimeoutError(state.status)
    return state


def summary(state: JobState) -> dict[str, Any]:
    """Return all that can be seen of a job but its times, with types; order counts where it is certain."""
    return {
        "status": str(state.status),
        "results": Converter().encode(dict(state.results)),
        "shared data": repr(dict(state.shared_data)),
        "shared log": repr(list(state.shared_log)),
        "outputs": repr([(one["output_type"], one["data"]) for one in state.output_log]),
        "stats": {name: state.stats(name) for name in state.routine_states},
        "routines": {name: [one["status"], one["activations"]] for name, one in state.routine_states.items()},
        "errors": [[one.type, one.message, one.routine_id, one.attempt] for one in state.errors],
        "pause points": [[one.reason, repr(one.checkpoint), one.pending] for one in state.pause_points],
        "history": sorted(
            repr((one.routine_id, one.event_name, one.data)) for one in state.execution_history
        ),
        "pending": [f"{one.routine_id}.{one.slot} {one.attempt}" for one in state.pending_tasks],
        "deferred": repr(list(state.deferred_events)),
    }


def main(what: str) -> None:
    if what == "finish":
        flow, state = Flow.load(FLOW), JobState.load(JOB)
    else:
        flow = freight()
        state = begin(flow)
    if what == "send":
        flow.save(FLOW)
        state.save(JOB)
    else:
        go_on(flow, state)
    json.dump(summary(state), sys.stdout)


main(sys.argv[1])
