"""Obeying: what a job does when somebody in another process asks it to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from routilux_core.activation_document import Reader
from routilux_core.engine import Answer
from routilux_core.identity import digest
from routilux_core.merge import checked_payload
from routilux_core.request_document import CANCEL, PAUSE, POST, RESUME, read_request
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.convert import Converter
    from routilux_core.engine import Engine
    from routilux_core.store import Request

log = logging.getLogger("routilux")


def obey(engine: Engine, request: Request, converter: Converter) -> None:
    """Do what a request asks for, in the job's turn; what cannot be done is logged: nobody waits."""
    answer = Answer()
    try:
        values = read_request(request.kind, request.content, Reader(converter))
        _KINDS[request.kind](engine, answer, request.request_id, **values)
    except Exception as error:  # noqa: BLE001 - as above
        answer.error = error
    if answer.error is not None:
        log.warning("job %s: a request to %s was refused: %s", request.job_id, request.kind, answer.error)


def goes_on(engine: Engine, request: Request) -> bool:
    """Tell whether a request wants a job resumed that is paused, which is more than a message to it."""
    return request.kind == RESUME and engine.over and engine.data.status is ExecutionStatus.PAUSED


def _pause(engine: Engine, answer: Answer, _: str, *, reason: Any, checkpoint: Any) -> None:
    engine.pause((reason, checkpoint), answer)


def _resume(engine: Engine, answer: Answer, _: str) -> None:
    engine.unpause(engine.plan.fingerprint, answer)


def _cancel(engine: Engine, answer: Answer, _: str, *, reason: Any) -> None:
    engine.cancel(reason, answer)


def _post(
    engine: Engine, answer: Answer, request_id: str, *, routine_id: str, slot: str, data: dict[str, Any]
) -> None:
    lineage = digest(f"{engine.data.root} post {request_id}")
    payload = checked_payload("the post", data)
    engine.post((engine.plan.slot(routine_id, slot), payload, lineage), answer)


_KINDS: dict[str, Callable[..., None]] = {PAUSE: _pause, RESUME: _resume, CANCEL: _cancel, POST: _post}
