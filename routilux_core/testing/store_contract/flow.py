"""Documents of flows are kept as long as a job refers to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core.testing.store_contract.sample import COMPLETED, NEW, START, commit, open_job, opening
from routilux_core.testing.store_contract.stage import Stage, same

if TYPE_CHECKING:
    from routilux_core.store import Store

FAR = START * 100
"""A time that comes after everything that is saved in a test."""
NEVER = 0.0


class FlowTests(Stage):
    """`save_flow`, `load_flow` and what `prune` does to them."""

    def test_each_version_is_kept(self, store: Store, again: Store) -> None:
        """By flow and fingerprint; what is not there is None."""
        big = bytes(range(256)) * 10_000
        store.save_flow("flow", "v1", b"one")
        store.save_flow("flow", "v2", big)
        store.save_flow("other", "v1", b"")
        for place in (store, again):
            same(place.load_flow("flow", "v1"), b"one", "the first version")
            assert place.load_flow("flow", "v2") == big, "a document of megabytes is not what was saved"
            same(place.load_flow("other", "v1"), b"", "an empty document")
            same(place.load_flow("flow", "v3"), None, "a version that is not there")
            same(place.load_flow("nobody", "v1"), None, "a flow that is not there")

    def test_the_same_again_changes_nothing(self, store: Store, again: Store) -> None:
        """Whoever saves it."""
        for place in (store, again, store):
            place.save_flow("flow", "v1", b"one")
        same(store.load_flow("flow", "v1"), b"one", "the document")

    def test_a_flow_stays_while_a_job_refers_to_it(self, store: Store) -> None:
        """Be the job over or not; the documents of other versions and flows go."""
        for flow_id, version in (("flow", "v1"), ("flow", "v2"), ("other", "v1")):
            store.save_flow(flow_id, version, b"document")
        head = evolve(NEW, fingerprint="v1")
        claim = open_job(store, "job", "ann", head=head)
        same(store.prune(FAR, FAR), 0, "the jobs pruned")
        same(store.load_flow("flow", "v1"), b"document", "the document that a job refers to")
        same(store.load_flow("flow", "v2"), None, "another version")
        same(store.load_flow("other", "v1"), None, "the same version of another flow")
        over = evolve(commit(claim, 1, status=COMPLETED), head=evolve(head, status=COMPLETED))
        store.commit([over])
        same(store.prune(START, FAR), 0, "the jobs pruned that ended later")
        same(store.load_flow("flow", "v1"), b"document", "the document of a job that is over")
        same(store.prune(FAR, FAR), 1, "the jobs pruned")
        same(store.load_flow("flow", "v1"), None, "the document that no job refers to any more")

    def test_a_flow_that_was_just_saved_stays(self, store: Store) -> None:
        """The job that refers to it may be about to come."""
        store.save_flow("flow", "v1", b"document")
        same(store.prune(FAR, NEVER), 0, "the jobs pruned")
        same(store.load_flow("flow", "v1"), b"document", "a new document")
        same(store.prune(NEVER, FAR), 0, "the jobs pruned")
        same(store.load_flow("flow", "v1"), None, "a document that has grown old")

    def test_a_flow_outlives_its_last_job(self, store: Store) -> None:
        """Where it was saved since: another job may be about to come."""
        store.save_flow("flow", "v1", b"document")
        over = evolve(NEW, fingerprint="v1", status=COMPLETED)
        store.commit([opening("job", "ann", head=over, release=True)])
        same(store.prune(FAR, NEVER), 1, "the jobs pruned")
        same(store.load_flow("flow", "v1"), b"document", "the document of a job that was pruned")
