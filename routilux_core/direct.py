"""Emitting outside a job: the connected handlers are called here and now, in the caller's thread."""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any

from routilux_core.binding import Style
from routilux_core.job_errors import NoActiveJob
from routilux_core.merge import APPEND
from routilux_core.plan import BoundSlot, compile_flow
from routilux_core.policy import Each

if TYPE_CHECKING:
    from routilux_core.flow import Flow
    from routilux_core.routine import Routine

Call = tuple[BoundSlot, dict[str, Any], str]

_WAITING: ContextVar[deque[Call] | None] = ContextVar("routilux_direct", default=None)


def emit_directly(routine: Routine, event: str, flow: Flow | None, data: dict[str, Any]) -> None:
    """Call the handlers that `event` reaches; what they emit comes after them, so depth does not matter."""
    calls = _calls(routine, event, _flow_of(routine, event) if flow is None else flow, data)
    waiting = _WAITING.get()
    if waiting is not None:
        waiting.extend(calls)
        return
    waiting = deque(calls)
    token = _WAITING.set(waiting)
    try:
        while waiting:
            _call(*waiting.popleft())
    finally:
        _WAITING.reset(token)


def _flow_of(routine: Routine, event: str) -> Flow:
    what = f"emit({event!r}) of routine {type(routine).__name__!r}"
    flows = list(routine.flows)
    if not flows:
        reason = "it runs in no job and belongs to no flow; add it to a flow, or run it in a job"
        raise NoActiveJob(what, reason)
    if len(flows) > 1:
        names = ", ".join(sorted(flow.flow_id for flow in flows))
        reason = f"it belongs to several flows ({names}); pass the flow: emit({event!r}, flow, ...)"
        raise NoActiveJob(what, reason)
    return flows[0]


def _calls(routine: Routine, event: str, flow: Flow, data: dict[str, Any]) -> list[Call]:
    plan = compile_flow(flow)
    places = plan.ids.get(id(routine), ())
    if len(places) != 1:
        reason = f"it is not in flow {flow.flow_id!r}; add it there, or pass the flow that has it"
        if places:
            there = f"it stands in flow {flow.flow_id!r} as {', '.join(places)}"
            reason = f"{there}; run a job, which knows which one is meant"
        raise NoActiveJob(f"emit({event!r}) of routine {type(routine).__name__!r}", reason)
    routes = plan.routes[places[0]].get(event, ())
    return [(route.slot, route.connection.rename(data), route.source) for route in routes]


def _call(slot: BoundSlot, data: dict[str, Any], source: str) -> None:
    if slot.binding is None:
        return
    payload = data
    if not isinstance(slot.policy, Each):
        payload = slot.policy.combine([payload])
    elif slot.merge == APPEND:
        payload = {name: [value] for name, value in payload.items()}
    elif callable(slot.merge):
        payload = slot.merge({}, payload)
    result = slot.handler(**slot.binding.arguments(payload, slot.target, source))
    if slot.style is Style.GENERATOR:
        for _ in result:
            pass
    elif slot.style is not Style.PLAIN:
        _run(result, slot.style)


def _run(result: Any, style: Style) -> None:
    """Run an async handler to its end; where the caller's thread runs a loop already, in another thread."""
    import asyncio  # noqa: PLC0415 - costly, and needed only where something is async
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as asyncio

    async def through() -> None:
        if style is Style.COROUTINE:
            await result
        else:
            async for _ in result:
                pass

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(through())
    else:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(copy_context().run, asyncio.run, through()).result()
