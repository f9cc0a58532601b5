"""Hearing: how a job takes what somebody in another process asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.desk import Message
from routilux_core.parting import Parting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routilux_core.store import Request


class Hearing(Parting):
    """A job that others may steer through the store.

    A request that is not obeyed here stays in the store, for whoever has the job next.
    """

    __slots__ = ()

    def hear(self, request: Request) -> None:
        """Take what somebody elsewhere asks of the job, once."""
        for message in self.heard([request]):
            self.leave_message(message)

    def heard(self, requests: Iterable[Request]) -> list[Message]:
        """Return the messages that have those requests obeyed which have not come before."""
        journal, messages = self.journal, list[Message]()
        for request in requests:
            if journal is not None and request.request_id not in journal.heard:
                journal.heard.add(request.request_id)
                messages.append((self._obey, request, None))
        return messages

    def _obey(self, request: Request, _: object) -> None:
        from routilux_core.obeying import goes_on, obey  # noqa: PLC0415 - costly, and only for jobs that others steer

        engine = self.engine
        closed = engine.closed
        if closed and not self.data.status.final:
            return
        if goes_on(engine, request):
            self._resume_soon()  # which answers it
            return
        obey(engine, request, self.manager.converter)
        if self.journal is not None and not closed:
            self.journal.answered.append(request.request_id)

    def _resume_soon(self) -> None:
        if not self.after_pause(self._resume):
            self.manager.clerk.ask(self._resume)

    def _resume(self) -> None:
        self.manager.resume_state(self.engine.plan.flow, self.job_state)
