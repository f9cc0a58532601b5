"""What goes to a handler and comes back."""

from __future__ import annotations

import math
import os
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from routilux_core.errors import RoutiluxError
from routilux_core.function import routine
from routilux_core.status import ExecutionStatus
from routilux_core.testing.executor_contract.sample import chain, fan
from routilux_core.testing.executor_contract.stage import Stage
from routilux_core.testing.executor_contract.traveller import echo, give_a_lock, process_number
from routilux_core.testing.executor_contract.workshop import told

if TYPE_CHECKING:
    from routilux_core.flow import Flow

RICH: dict[str, Any] = {
    "none": None,
    "truth": True,
    "number": 2**70,
    "infinite": -math.inf,
    "text": "Größe \U0001f40d",
    "bytes": b"\x00\xff",
    "list": [1, [2.5, {"deep": ()}]],
    "tuple": (1, (2,)),
    "set": {1, 2},
    "frozen": frozenset({"a"}),
    "numbered": {1: "one", (2, 3): "pair"},
    "moment": datetime(2024, 2, 29, 12, tzinfo=UTC),
    "day": date(2024, 2, 29),
    "span": timedelta(days=-1, microseconds=1),
    "decimal": Decimal("0.10"),
    "uuid": UUID(int=7),
}


class TravelTests(Stage):
    """Payloads and results, in this process and across its border."""

    def test_payloads_come_back_as_they_went(self) -> None:
        """Values of every type that payloads may hold keep their type."""
        state = self.workshop.complete(chain("rich", echo=echo()), "echo", {"value": RICH})
        found = state.results["echo.output"][0]["value"]
        for name, value in RICH.items():
            assert found[name] == value, f"{name} came back as {found[name]!r}"
            assert type(found[name]) is type(value), f"{name} came back as {type(found[name]).__name__}"

    def test_in_this_process_objects_go_as_they_are(self) -> None:
        """Nothing is copied that need not be."""
        self.needs_this_process()
        lock = threading.Lock()
        state = self.workshop.complete(chain("lock", echo=echo()), "echo", {"value": lock})
        assert state.results["echo.output"][0]["value"] is lock

    def test_handlers_run_in_other_processes(self) -> None:
        """Since that is what it is for."""
        self.needs_processes()
        flow = chain("where", fan=fan(), where=process_number())
        state = self.workshop.complete(flow, "fan", {"width": 20})
        assert os.getpid() not in {payload["process_id"] for payload in state.results["where.output"]}

    def test_a_payload_that_cannot_travel_is_named(self) -> None:
        """With its type, and the workers go on."""
        self.needs_processes()
        text = self._refusal(chain("lock", echo=echo()), "echo", {"value": {"deep": [threading.Lock()]}})
        assert "lock" in text, f"the error does not name the type: {text}"

    def test_a_result_that_cannot_travel_is_named(self) -> None:
        """Also with its type."""
        self.needs_processes()
        text = self._refusal(chain("lock", give=give_a_lock()), "give", {})
        assert "lock" in text, f"the error does not name the type: {text}"

    def test_a_handler_that_cannot_travel_is_named(self) -> None:
        """One that other processes cannot import, since it was defined inside a function."""
        self.needs_processes()

        @routine
        def local(n: int) -> dict[str, int]:
            return {"n": n}

        text = self._refusal(chain("local", local=local()), "local", {"n": 1})
        assert "local" in text, f"the error does not name the routine: {text}"

    def _refusal(self, flow: Flow, entry: str, fields: dict[str, Any]) -> str:
        try:
            state = self.workshop.run(flow, entry, fields)
        except RoutiluxError as error:
            return str(error)
        assert state.status is ExecutionStatus.FAILED, f"the job is {state.status}, and nothing was refused"
        self.workshop.complete(chain("after", fan=fan()), "fan", {"width": 20})
        return told(state)
