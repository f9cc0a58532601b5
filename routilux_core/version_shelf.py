"""VersionShelf: the versions of flows that jobs of a store have, saved when they are new and read once."""

from __future__ import annotations

import threading
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from attrs import evolve

from routilux_core.damage import named
from routilux_core.document_errors import InvalidDocument
from routilux_core.flow_version import FlowVersion, read_version, version_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.flow import Flow
    from routilux_core.plan import Plan
    from routilux_core.store import Head, Store

FRESH = 600.0
"""Seconds after which a version is saved again, so that nobody takes it for unused."""

MOST = 1_000
"""So many fingerprints are remembered; others are read again."""


class VersionShelf:
    """Knows under which names the flows of one manager stand in its store."""

    def __init__(self, store: Store, ask: Callable[..., Any]) -> None:
        self._store = store
        self._ask = ask
        """How the store is asked that may not answer at once."""
        self._lock = threading.Lock()
        """Guards what follows."""
        self._saved: WeakKeyDictionary[Plan, dict[str, tuple[FlowVersion, float]]] = WeakKeyDictionary()
        self._lines: dict[tuple[str, str], tuple[str, ...]] = {}
        """The fingerprints that were met last."""
        self._flows: WeakValueDictionary[tuple[str, str], Flow] = WeakValueDictionary()

    def of(self, plan: Plan, before: str = "") -> FlowVersion:
        """Return the version of a plan's flow, which the store has then; `before` names that of its job."""
        with self._lock:
            saved = self._saved.setdefault(plan, {})
        found, saved_at = saved.get(before, (None, -inf))
        found = found or self._following(version_of(plan), before)
        if monotonic() - saved_at > FRESH:
            self._ask(self._store.save_flow, found.flow_id, found.name, found.content)
            self._learn(found)
            with self._lock:
                saved[before] = found, monotonic()
                self._flows[found.flow_id, found.name] = plan.flow
        return found

    def flow_of(self, flow_id: str, name: str) -> Flow:
        """Return the flow of that version: the one that was used here, or one that is made again."""
        known = self._flows.get((flow_id, name))
        if known is not None:
            return known
        made = self._named(flow_id, name).flow()
        with self._lock:
            return self._flows.setdefault((flow_id, name), made)

    def lines_of(self, head: Head, name: str) -> tuple[str, ...]:
        """Return the fingerprint of a version that a job has or had; its own version names those before."""
        lines = self._lines.get((head.flow_id, name))
        if lines is None:
            lines = self._read(head.flow_id, head.fingerprint).all_lines.get(name)
        return self._read(head.flow_id, name).lines if lines is None else lines

    def _following(self, found: FlowVersion, before: str) -> FlowVersion:
        """Return the version for a job that was of another one, and perhaps of others before."""
        if before in {"", found.name}:
            return found
        known = self._named(found.flow_id, before)
        if evolve(known, former={}).name == found.name:
            return known
        return evolve(found, former={**known.former, before: known.lines})

    def _named(self, flow_id: str, name: str) -> FlowVersion:
        """Read a version where no job is read that could be named with what is wrong."""
        with named(f"of flow {flow_id!r}"):
            return self._read(flow_id, name)

    def _read(self, flow_id: str, name: str) -> FlowVersion:
        content = self._ask(self._store.load_flow, flow_id, name)
        if content is None:
            raise InvalidDocument(f"version {name} of flow {flow_id!r}", "it is not there any more")
        found = read_version(flow_id, content)
        self._learn(found)
        return found

    def _learn(self, found: FlowVersion) -> None:
        with self._lock:
            for name, lines in found.all_lines.items():
                self._lines[found.flow_id, name] = lines
            while len(self._lines) > MOST:
                del self._lines[next(iter(self._lines))]
