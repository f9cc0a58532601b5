"""Stores with one bug each in how a commit takes a new job in, or gives a claim up."""

import time

from attrs import evolve

from routilux_core import Standing
from routilux_plugins.stores.memory.store import Memory

GAP = 0.0005
"""Seconds that another has to come between."""


class OpensOver(Memory):
    """Puts a new job in the place of one that has its id."""

    def commit(self, batch):
        for commit in batch:
            if commit.opens is not None:
                self._shelf.jobs.pop(commit.claim.job_id, None)
        return super().commit(batch)


class TakenFailsAll(Memory):
    """Lets one id that is taken fail the whole batch."""

    def commit(self, batch):
        with self._open() as shelf:
            taken = any(shelf.standing(one, "") is Standing.LOST for one in batch if one.opens is not None)
        return {commit.claim.job_id for commit in batch} if taken else super().commit(batch)


class OpeningOfOwner(Memory):
    """Takes every new job of an owner that has one of that id for the same job."""

    def commit(self, batch):
        jobs, known = self._shelf.jobs, []
        for commit in batch:
            there = jobs.get(commit.claim.job_id)
            if there and commit.opens is not None:
                head = evolve(commit.head, created_at=there.head.created_at)
                commit = evolve(commit, head=head)  # noqa: PLW2901 - that is the bug
            known.append(commit)
        return super().commit(known)


class TwoMakers(Memory):
    """Looks whether ids are free, and takes the new jobs in a moment later."""

    def commit(self, batch):
        with self._open() as shelf:
            new = [one for one in batch if shelf.standing(one, "") is Standing.NEW]
        time.sleep(GAP)
        with self._open() as shelf:
            for one in new:
                shelf.write(one, self._clock())
        return {one.claim.job_id for one in batch} - {one.claim.job_id for one in new}


class NoRelease(Memory):
    """Keeps the claim that is given up with a commit."""

    def commit(self, batch):
        return super().commit([evolve(commit, release=False) for commit in batch])


class NoReleaseOfNew(Memory):
    """Keeps the claim of a new job, though it is given up at once."""

    def commit(self, batch):
        return super().commit(
            [evolve(commit, release=commit.release and commit.opens is None) for commit in batch]
        )


class EpochReleased(Memory):
    """Forgets the epoch with the claim that is given up with a commit."""

    def commit(self, batch):
        lost = super().commit(batch)
        for commit in batch:
            if commit.release and commit.claim.job_id not in lost:
                self._shelf.jobs[commit.claim.job_id].epoch = 0
        return lost


class ReleaseOfOthers(Memory):
    """Takes a commit that gives a claim up as written, whoever has claimed the job since."""

    def commit(self, batch):
        lost = super().commit(batch)
        jobs = self._shelf.jobs
        there = {one.claim.job_id for one in batch if one.release and jobs[one.claim.job_id].last}
        return lost - there


PLANTED_OPENINGS = {
    OpensOver: ("test_a_taken_id_harms_nobody",),
    TakenFailsAll: ("test_a_taken_id_harms_nobody",),
    OpeningOfOwner: ("test_another_job_of_that_id_is_no_repetition",),
    TwoMakers: ("test_an_id_is_opened_by_one_of_many",),
    NoRelease: ("test_a_claim_is_given_up_with_a_commit", "test_a_head_alone_may_give_it_up"),
    NoReleaseOfNew: ("test_a_job_may_come_and_go_at_once",),
    EpochReleased: ("test_a_claim_is_given_up_with_a_commit",),
    ReleaseOfOthers: ("test_a_release_that_comes_after_anothers_claim_is_lost",),
}
"""Each bug, and the tests of the contract that find it."""
