"""Stores with one bug each, as an author may write them."""

import time
from itertools import chain

from attrs import evolve

from routilux_core import ClaimRefused, Request, Standing
from routilux_plugins.stores.memory.store import Memory
from tests.contracts.planted_openings import PLANTED_OPENINGS

GAP = 0.0005
"""Seconds that a reader has to come between."""


class NoFence(Memory):
    """Writes for whoever had the job once."""

    def commit(self, batch):
        present = []
        for commit in batch:
            record = self._shelf.jobs.get(commit.claim.job_id)
            claim = record.claim if record and record.claim else commit.claim
            present.append(evolve(commit, claim=claim))
        return super().commit(present)


class OwnerAlone(Memory):
    """Looks at the owner of a claim and not at its epoch."""

    def commit(self, batch):
        present = []
        for commit in batch:
            record = self._shelf.jobs.get(commit.claim.job_id)
            same = record and record.owner == commit.claim.owner
            present.append(evolve(commit, claim=record.claim) if same else commit)
        return super().commit(present)


class TwoTransactions(Memory):
    """Writes the heads first and the entries afterwards."""

    def commit(self, batch):
        lost = super().commit([evolve(commit, entries=(), handled=(), snapshot=None) for commit in batch])
        time.sleep(GAP)
        return lost | super().commit([commit for commit in batch if commit.claim.job_id not in lost])


class HalfBatch(Memory):
    """Writes the first jobs of a batch before it looks at the next ones."""

    def commit(self, batch):
        return set(chain.from_iterable(super(HalfBatch, self).commit([commit]) for commit in batch))


class NotFinal(Memory):
    """Lets a job that is over begin again."""

    def commit(self, batch):
        with self._open() as shelf:
            for commit in batch:
                record = shelf.jobs.get(commit.claim.job_id)
                if record and record.claim == commit.claim and record.head.status.final:
                    record.head = evolve(record.head, status=commit.head.status)
        return super().commit(batch)


class ForgottenRequest(Memory):
    """Lets requests go when they were read."""

    def requests(self, owner):
        found = super().requests(owner)
        with self._open() as shelf:
            for request in found:
                del shelf.jobs[request.job_id].requests[request.request_id]
        return found


class AllAnswered(Memory):
    """Takes every request as answered by any commit that answers one."""

    def commit(self, batch):
        every = [
            evolve(commit, handled=tuple(self._shelf.jobs[commit.claim.job_id].requests))
            if commit.handled
            else commit
            for commit in batch
        ]
        return super().commit(every)


class StaleFailsAll(Memory):
    """Lets one lost claim fail the whole batch."""

    def commit(self, batch):
        with self._open() as shelf:
            lost = any(shelf.standing(commit, "") is Standing.LOST for commit in batch)
        return {commit.claim.job_id for commit in batch} if lost else super().commit(batch)


class EpochReused(Memory):
    """Counts epochs anew when a job was released."""

    def release(self, claims):
        super().release(claims)
        for claim in claims:
            record = self._shelf.jobs.get(claim.job_id)
            if record and record.owner is None:
                record.epoch = 0


class EpochOfOwner(Memory):
    """Lets an owner that claims its job again have the same epoch."""

    def claim(self, job_id, owner, seconds, dead=()):
        record = self._shelf.jobs.get(job_id)
        if record and record.owner == owner and not record.head.status.final:
            record.until = self._clock() + seconds
            return record.claim
        return super().claim(job_id, owner, seconds, dead)


class NoExpiry(Memory):
    """Lets claims last for ever, since its clock stands still."""

    def __init__(self, shelf):
        super().__init__(shelf, clock=lambda: 0.0)


class StrictExpiry(Memory):
    """Takes a claim as lost as soon as its time has run out."""

    def renew(self, claims, seconds):
        now = self._clock()
        late = {one.job_id for one in claims if self._shelf.jobs[one.job_id].holder(now) is None}
        return late | super().renew([one for one in claims if one.job_id not in late], seconds)


class DoubledRequest(Memory):
    """Takes a request that it knows a second time."""

    def request(self, job_id, kind, content, request_id):
        super().request(job_id, kind, content, request_id)
        with self._job(job_id) as record:
            if request_id not in record.requests:
                record.requests[request_id] = Request(
                    job_id=job_id, request_id=request_id, kind=kind, content=content
                )


class GreedySnapshot(Memory):
    """Takes a snapshot for all that is there."""

    def load(self, job_id):
        kept = super().load(job_id)
        with self._job(job_id) as record:
            if record.snapshot and record.entries and record.entries[-1].last <= record.snapshot.number + 1:
                return evolve(kept, entries=())
        return kept


class ShortHistory(Memory):
    """Throws away what a snapshot stands for."""

    def commit(self, batch):
        lost = super().commit(batch)
        for commit in batch:
            if commit.snapshot:
                with self._job(commit.claim.job_id) as record:
                    record.entries = record.after(commit.snapshot.number)
        return lost


class TwoOwners(Memory):
    """Looks for free jobs, and claims them a moment later."""

    def claim_next(self, owner, seconds, limit, flows=None, dead=()):
        with self._open() as shelf:
            now = self._clock()
            free = shelf.free(flows, dead, now)[:limit]
        time.sleep(GAP)
        with self._open():
            return [record.grant(owner, now + seconds) for record in free]


class TakesPaused(Memory):
    """Takes up whatever is not over."""

    def claim_next(self, owner, seconds, limit, flows=None, dead=()):
        claims = super().claim_next(owner, seconds, limit, flows, dead)
        for job_id, record in list(self._shelf.jobs.items()):
            if record.head.status == "paused" and record.owner is None:
                claims.append(self.claim(job_id, owner, seconds))
        return claims


class RepeatIsLost(Memory):
    """Takes what was written already as lost."""

    def commit(self, batch):
        with self._open() as shelf:
            seen = {one.claim.job_id for one in batch if shelf.standing(one, "") is Standing.REPEATED}
        return seen | super().commit(batch)


class LooseRelease(Memory):
    """Releases a job for anybody who once had it."""

    def release(self, claims):
        jobs = self._shelf.jobs
        present = [jobs[one.job_id].claim or one for one in claims if one.job_id in jobs]
        super().release(present)


class LostTies(Memory):
    """Goes on with the next page after the time of the last job, whatever else was made then."""

    def jobs(self, flow_id=None, status=None, before=None, limit=100):
        return super().jobs(flow_id, status, before and (before[0], ""), limit)


class PrunesFlows(Memory):
    """Forgets the documents of flows with the last job that runs."""

    def prune(self, before, saved_before):
        pruned = super().prune(before, saved_before)
        with self._open() as shelf:
            used = {job.head.flow_id for job in shelf.jobs.values() if not job.head.status.final}
            for key in [key for key in shelf.flows if key[0] not in used]:
                del shelf.flows[key]
        return pruned


class PrunesNewFlows(Memory):
    """Forgets the documents of flows by the time that jobs are forgotten by."""

    def prune(self, before, saved_before):
        return super().prune(before, before)


class StillOpen(Memory):
    """Goes on when it is closed."""

    def close(self):
        """Nothing is to be let go of."""


class PathOfId(Memory):
    """Makes a name of an id as a careless path would, so that one job gets at another."""

    def load(self, job_id):
        return super().load(job_id.rpartition("/")[2])


class AnybodyDeletes(Memory):
    """Deletes what somebody has."""

    def delete(self, job_id):
        try:
            super().delete(job_id)
        except ClaimRefused:
            del self._shelf.jobs[job_id]


class UnknownClaimKept(Memory):
    """Takes a job that is not there as renewed."""

    def renew(self, claims, seconds):
        known = [one for one in claims if one.job_id in self._shelf.jobs]
        return super().renew(known, seconds)


PLANTED = {
    NoFence: (
        "test_a_stale_claim_writes_nothing",
        "test_owners_that_take_from_each_other_write_one_history",
    ),
    OwnerAlone: ("test_a_new_claim_ends_the_same_owners_former_one",),
    TwoTransactions: ("test_entries_that_go_astray_are_refused", "test_readers_see_whole_commits"),
    HalfBatch: ("test_entries_that_go_astray_are_refused",),
    NotFinal: ("test_a_final_status_never_changes",),
    ForgottenRequest: ("test_a_request_is_gone_with_the_commit_that_answers_it",),
    AllAnswered: ("test_a_request_is_gone_with_the_commit_that_answers_it",),
    StaleFailsAll: ("test_a_stale_claim_harms_no_neighbour",),
    EpochReused: ("test_an_epoch_is_never_used_twice",),
    EpochOfOwner: ("test_an_epoch_is_never_used_twice",),
    NoExpiry: ("test_a_claim_ends_by_itself",),
    StrictExpiry: ("test_a_late_renewal_holds",),
    DoubledRequest: ("test_an_answered_request_stays_known",),
    GreedySnapshot: ("test_a_snapshot_stands_for_what_was_before",),
    ShortHistory: ("test_a_snapshot_takes_nothing_from_the_history",),
    TwoOwners: ("test_each_job_is_given_to_one",),
    TakesPaused: ("test_only_what_should_run_is_taken",),
    RepeatIsLost: (
        "test_a_repeated_commit_is_written_once",
        "test_a_repeated_opening_is_written_once",
        "test_a_repeated_release_is_not_lost",
    ),
    LooseRelease: ("test_a_lost_claim_releases_nothing",),
    LostTies: ("test_pages_hold_every_job_once",),
    PrunesFlows: ("test_a_flow_stays_while_a_job_refers_to_it",),
    PrunesNewFlows: ("test_a_flow_that_was_just_saved_stays",),
    StillOpen: ("test_a_closed_store_says_so",),
    PathOfId: ("test_hostile_ids_find_nothing",),
    AnybodyDeletes: ("test_what_somebody_has_is_not_deleted",),
    UnknownClaimKept: ("test_what_is_lost_harms_no_other_renewal",),
    **PLANTED_OPENINGS,
}
"""Each bug, and the tests of the contract that find it."""
