"""Ids, texts and contents that are meant to do harm do none."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from routilux_core.errors import InvalidName, RoutiluxError
from routilux_core.store import Entry, Snapshot
from routilux_core.testing.store_contract.sample import LONG, NEW, PAUSED, commit, entries, head, open_job
from routilux_core.testing.store_contract.stage import Stage, raises, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from routilux_core.store import Store

IDS = (
    "",
    ".",
    "..",
    "../neighbour",
    "/neighbour",
    "neighbour/../neighbour",
    "neighbour\0",
    "neighbour\n",
    "NEIGHBOUR",
    "neighbour:",
    "neighbour*",
    "{neighbour}",
    "%",
    "_",
    "neighbou_",
    "'; DROP TABLE job; --",
    '"; DELETE FROM entry; --',
    "neighbour' OR '1'='1",
    "\\",
    "\ud800",
    "\N{SNOWMAN}",
    "x" * 100_000,
)
TEXTS = (
    "'",
    '"',
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "\N{SNOWMAN}\U0001f600",
    "\\x00",
    "%s",
    "\r\n",
    "null",
)
CONTENTS = (b"", b"\0", b"\0" * 1000, b"'", b"\r\n", b"\xff\xfe\xed\xa0\x80", bytes(range(256)), b"null")


class HostileTests(Stage):
    """A job `neighbour` has to stay as it is."""

    def test_contents_are_any_bytes(self, store: Store) -> None:
        """In entries, snapshots, requests and flows."""
        for number, content in enumerate(CONTENTS):
            job_id = f"job-{number}"
            claim = open_job(store, job_id, "ann", entries=[Entry(1, 1, content)])
            store.commit([commit(claim, 2, after=1, snapshot=Snapshot(0, content))])
            store.request(job_id, "post", content, "r")
            store.save_flow("flow", str(number), content)
            kept = store.load(job_id)
            same((kept.snapshot, kept.entries[0].content), (Snapshot(0, content), content), "the contents")
            same(store.waiting_requests(job_id)[0].content, content, "the content of a request")
            same(store.load_flow("flow", str(number)), content, "the document of a flow")

    def test_notes_are_any_text(self, store: Store, again: Store) -> None:
        """They hold what an error said."""
        claim = open_job(store, "job", "ann")
        for note in (*TEXTS, "long " * 100_000):
            store.commit([commit(claim, status=PAUSED, note=note)])
            same(again.load("job").head.note, note, "the note that is loaded")
            same(again.jobs()[0].head.note, note, "the note that is listed")

    def test_hostile_job_ids_do_no_harm(self, store: Store) -> None:
        """Each is a job of its own, or refused as no name."""
        with self._neighbour(store):
            for job_id in IDS:
                self._job_or_refusal(store, job_id)

    def test_hostile_ids_find_nothing(self, store: Store) -> None:
        """Where there is no such job, none is found, and nobody else's is deleted."""
        calls: tuple[Callable[[str], object], ...] = (
            store.load,
            store.history,
            store.delete,
            store.waiting_requests,
            lambda job_id: store.claim(job_id, "ann", LONG),
            lambda job_id: store.request(job_id, "pause", b"", "r"),
        )
        with self._neighbour(store):
            for job_id in IDS:
                for call in calls:
                    with raises((RoutiluxError,), f"asking for job {job_id[:40]!r}"):
                        call(job_id)

    def test_hostile_flow_ids_do_no_harm(self, store: Store) -> None:
        """Each is a flow of its own, or refused as no name."""
        store.save_flow("flow", "v1", b"document")
        with self._neighbour(store):
            for number, flow_id in enumerate(IDS):
                try:
                    store.save_flow(flow_id, "v1", b"hostile")
                    same(store.load_flow(flow_id, "v1"), b"hostile", "the document of a hostile flow")
                    store.submit(f"job-{number}", head(flow_id=flow_id), ())
                    found = [job.job_id for job in store.jobs(flow_id)]
                    same(found, [f"job-{number}"], f"the jobs of flow {flow_id[:40]!r}")
                    same(store.load(f"job-{number}").head.flow_id, flow_id, "the flow of its job")
                except InvalidName:
                    continue
        same(store.load_flow("flow", "v1"), b"document", "the document of a neighbour")

    def test_hostile_owners_and_requests_do_no_harm(self, store: Store) -> None:
        """Each is itself, or refused as no name."""
        with self._neighbour(store):
            for number, text in enumerate(IDS):
                job_id = f"job-{number}"
                store.submit(job_id, NEW, ())
                try:
                    claim = store.claim(job_id, text, LONG)
                    same(text in store.owners(), True, f"owner {text[:40]!r} being one of the owners")
                    store.request(job_id, "post", b"", text)
                    found = [(one.job_id, one.request_id) for one in store.requests(text)]
                    same(found, [(job_id, text)], f"the requests for owner {text[:40]!r}")
                    same(store.commit([commit(claim, 1, handled=(text,))]), set(), "the jobs lost")
                    same(store.requests(text), [], f"the requests for owner {text[:40]!r} when answered")
                except InvalidName:
                    continue

    def _job_or_refusal(self, store: Store, job_id: str) -> None:
        try:
            claim = open_job(store, job_id, "ann", entries=entries(1))
        except InvalidName:
            return
        same(store.commit([commit(claim, 2, after=1)]), set(), f"the jobs lost of {job_id[:40]!r}")
        same(store.load(job_id).entries, entries(2), f"the entries of {job_id[:40]!r}")
        store.release([claim])
        store.delete(job_id)

    @contextmanager
    def _neighbour(self, store: Store) -> Iterator[None]:
        """Have a job that is the same before and after."""
        open_job(store, "neighbour", "neighbour", head=head(flow_id="neighbours"), entries=entries(5))
        before = store.load("neighbour")
        yield
        same(store.load("neighbour"), before, "the neighbour")
