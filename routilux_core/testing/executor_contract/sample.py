"""What the kit runs: routines that any process can import, and flows of them."""

from __future__ import annotations

from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from routilux_core.context import ExecutionContext  # noqa: TC001 - a handler's annotations are looked at
from routilux_core.current import get_execution_context
from routilux_core.flow import Flow
from routilux_core.function import routine
from routilux_core.policy import batch
from routilux_core.routine import Routine
from routilux_core.slot import Event, slot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def chain(flow_id: str, max_workers: int | None = None, /, **routines: Routine) -> Flow:
    """Return a flow of routines, each one's `output` connected to the next one's `trigger`."""
    flow, before = Flow(flow_id, max_workers=max_workers), None
    for name, made in routines.items():
        flow.add_routine(made, name)
        if before is not None:
            flow.connect(before, "output", name, "trigger")
        before = name
    return flow


def here() -> ExecutionContext:
    """Return the context, which is there in every handler."""
    context = get_execution_context()
    if context is None:
        raise LookupError("a handler runs without its context")
    return context


# -- all kinds of handlers ---------------------------------------------------------------------------------


@routine
def fan(width: int, **more: Any) -> Iterator[dict[str, Any]]:
    """Give the numbers below `width`, one by one."""
    for n in range(width):
        yield {"n": n, **more}


class Spread(Routine):
    """Gives the numbers below `width`, all together."""

    output = Event("n")

    @slot
    def trigger(self, width: int) -> None:
        """Give them."""
        for n in range(width):
            self.emit("output", n=n)


@routine
def double(n: int) -> dict[str, int]:
    """Double it."""
    return {"n": 2 * n}


@routine
async def increase(n: int) -> dict[str, int]:
    """Add one, on an event loop."""
    import asyncio  # noqa: PLC0415 - costly, and needed only where something is async

    await asyncio.sleep(0)
    return {"n": n + 1}


@routine
async def both(n: int) -> AsyncIterator[dict[str, int]]:
    """Give two numbers, on an event loop."""
    import asyncio  # noqa: PLC0415 - costly, and needed only where something is async

    for number in (n, -n):
        await asyncio.sleep(0)
        yield {"n": number}


@routine(when=batch(7))
def gather(n: list[int]) -> dict[str, int]:
    """Count seven at a time."""
    return {"size": len(n)}


class Counter(Routine):
    """Counts and notes what comes."""

    output = Event("n")

    @slot
    def trigger(self, n: int) -> None:
        """Count it."""
        self.increment_stat("calls")
        here().job_state.append_to_shared_log(n)
        self.emit("output", n=n)


@routine
def note(path: str, n: int) -> None:
    """Write a line to a file, which tells of every call, its effects taken or not."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{n}\n")


@routine
def pause_a_moment(seconds: float) -> None:
    """Wait for something that takes a little while."""
    sleep(seconds)


# -- context -----------------------------------------------------------------------------------------------


@routine
def report(n: int, mark: str = "") -> dict[str, Any]:
    """Tell what the context says, before and after others had their turn."""
    first = _seen(here())
    sleep(0)
    return {"n": n, "mark": mark, "same": first == _seen(here()), **first}


@routine
async def report_async(n: int, mark: str = "") -> dict[str, Any]:
    """Do the same on an event loop."""
    import asyncio  # noqa: PLC0415 - costly, and needed only where something is async

    first = _seen(here())
    await asyncio.sleep(0)
    return {"n": n, "mark": mark, "same": first == _seen(here()), **first}


def _seen(context: ExecutionContext) -> dict[str, Any]:
    return {
        "routine_id": context.routine_id,
        "attempt": context.attempt,
        "key": context.idempotency_key,
        "cancelled": context.cancelled,
    }


class Unsteady(Routine):
    """Has every kind of effect, and fails at its first attempts."""

    output = Event("attempt", "key", "read")

    @slot
    def trigger(self, failures: int) -> None:
        """Do everything."""
        context = here()
        state, attempt = context.job_state, context.attempt
        self.send_output("tried", attempt=attempt)
        state.update_shared_data("last", attempt)
        state.append_to_shared_log(attempt)
        self.set_stat("attempt", attempt)
        self.increment_stat("calls")
        self.emit("output", attempt=attempt, key=context.idempotency_key, read=state.get_shared_data("last"))
        self.emit_deferred_event("output", attempt=-attempt, key="", read=None)
        if attempt <= failures:
            raise OSError(f"no luck at attempt {attempt}")


@routine
def halting(failures: int) -> Iterator[dict[str, int]]:
    """Give three items, and fail after the second at its first attempts."""
    yield {"n": 1}
    yield {"n": 2}
    if here().attempt <= failures:
        raise OSError("halted")
    yield {"n": 3}


@routine
def add_up(n: int) -> None:
    """Change a value that all change."""
    here().job_state.modify_shared_data("sum", lambda before: before + n, 0)


@routine
def read(key: str) -> dict[str, Any]:
    """Give what is shared."""
    return {"value": here().job_state.get_shared_data(key)}


# -- failing -----------------------------------------------------------------------------------------------


class Awkward(Exception):
    """An error that cannot be made again from its text."""

    def __init__(self, code: int, *, where: str) -> None:
        super().__init__(f"code {code} at {where}")
        self.code = code


@routine
def fail_at(n: int, bad: int) -> dict[str, int]:
    """Fail for one number, and pass the others on."""
    if n == bad:
        raise ZeroDivisionError(f"{n} is bad")
    return {"n": n}


@routine
def fail_awkwardly() -> None:
    """Raise an error that cannot be made again from its text."""
    raise Awkward(7, where="here")


@routine
def leave() -> None:
    """Ask the interpreter to exit."""
    raise SystemExit(3)


# -- jobs within jobs --------------------------------------------------------------------------------------


@routine
def descend(depth: int) -> dict[str, int]:
    """Run the same flow in this handler, `depth` times inside itself."""
    if not depth:
        return {"depth": 0}
    flow = chain("inner", descend=descend())
    state = flow.execute("descend", {"depth": depth - 1}, raise_on_error=True)
    return {"depth": 1 + state.results["descend.output"][0]["depth"]}


@routine
async def descend_async(depth: int) -> dict[str, int]:
    """Do the same by awaiting it."""
    if not depth:
        return {"depth": 0}
    flow = chain("inner", descend=descend_async())
    state = await flow.execute_async("descend", {"depth": depth - 1}, raise_on_error=True)
    return {"depth": 1 + state.results["descend.output"][0]["depth"]}


@routine
def ask_inside(n: int, width: int = 5) -> dict[str, int]:
    """Let another flow do the work."""
    flow = chain("asked", fan=fan(), double=double())
    state = flow.execute("fan", {"width": width}, raise_on_error=True)
    return {"n": n, "sum": sum(payload["n"] for payload in state.results["double.output"])}


@routine
def pause_here(n: int) -> dict[str, int]:
    """Ask for a pause, and go on to the end."""
    here().job.pause("as planned", checkpoint={"n": n})
    return {"n": n}
