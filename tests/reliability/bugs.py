"""Bugs in how jobs are kept, to be planted: each is a function that is given a way to replace things."""

from time import sleep

from attrs import evolve

from routilux_core import Commit, Entry, ExecutionStatus, Job
from routilux_core.journal import Journal
from routilux_core.keeping import Keeping
from routilux_core.plain_bytes import dumps, loads
from routilux_core.renewal import Renewal
from routilux_core.stored_job import StoredJobs

MOMENT = 0.001
"""Seconds in which something may happen between the halves of what is written."""


def none(_put):
    """Plant nothing."""


def early(put):
    """Let work start before what it follows from is in the store."""
    put(Journal, "holds", property(lambda _: False))


def halves(put):
    """Write the first half of what happened by itself."""
    whole = Journal.commit

    def halved(journal, draft):
        commit = whole(journal, draft)
        parts = [half for entry in commit.entries for half in _halves(entry)]
        if len(parts) > 1:
            store = journal.committer._writing._store  # noqa: SLF001 - the bug stands beside what it breaks
            head = evolve(commit.head, status=ExecutionStatus.RUNNING)
            store.commit([evolve(commit, head=head, entries=tuple(parts[:1]), release=False)])
            sleep(MOMENT)
            commit = evolve(commit, entries=tuple(parts[1:]), opens=None)
        return commit

    put(Journal, "commit", halved)


def _halves(entry):
    schema, *content = loads(entry.content)
    places = [place for place, plain in enumerate(content) if type(plain) is not float]
    if len(places) == 1:
        return [entry]
    count = len(places) // 2
    middle, last = places[count], entry.first + count - 1
    at = next(plain for plain in reversed(content[:middle]) if type(plain) is float)
    return [
        Entry(entry.first, last, dumps([schema, *content[:middle]])),
        Entry(last + 1, entry.last, dumps([schema, at, *content[middle:]])),
    ]


def tailless(put):
    """Take a job up without looking at what was written last."""
    recall, continued = Keeping.recall, StoredJobs._continued  # noqa: SLF001 - as above
    recalling = []

    def shortened(jobs, job, flow_id, entries):
        return continued(jobs, job, flow_id, list(entries)[:-1] if recalling else entries)

    def forgetful(*given, **options):
        recalling.append(True)
        try:
            return recall(*given, **options)
        finally:
            recalling.pop()

    put(StoredJobs, "_continued", shortened)
    put(Keeping, "recall", forgetful)


def unfenced(put):
    """Let those write who have no claim any more, and who do not look whether they have."""
    put(Renewal, "renew", lambda _: None)
    settled = Commit._settled  # noqa: SLF001 - as above
    put(
        Commit,
        "_settled",
        lambda commit, head, last, *_: settled(commit, head, last, commit.claim.epoch, commit.claim.owner),
    )


def forgiving(put):
    """Take a job up without knowing what has ended its workers before."""
    recall = Keeping.recall

    def forgetful(keeping, state, *given, **options):
        recalled = recall(keeping, state, *given, **options)
        state._data.deaths.clear()  # noqa: SLF001 - as above
        return recalled

    put(Keeping, "recall", forgetful)


def restless(put):
    """Do not pause a job that was interrupted."""
    put(Job, "pause_quietly", lambda *_: None)


BUGS = {bug.__name__: bug for bug in (none, early, halves, tailless, unfenced, forgiving, restless)}
