"""A process that does everything with jobs of a folder, and says what it has kept."""

import sys
from contextlib import closing
from pathlib import Path

from attrs import evolve

from routilux_core import Commit, Entry, Snapshot
from routilux_plugins.stores.files.store import Files
from tests.plugins.stores.job import HEAD, opening

SNAPSHOTS = 7
"""Every so many facts there is a snapshot."""


def say(*words: object) -> None:
    """Tell what is kept by now."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def step(claim: object, last: int) -> Commit:
    """Return the commit of one fact, which changes the head now and then and has a snapshot now and then."""
    snapshot = Snapshot(last, b"%d" % last * 50) if last % SNAPSHOTS == 0 else None
    head = evolve(HEAD, updated_at=float(last), note="why" if last % 5 == 0 else "")
    return Commit(claim=claim, head=head, entries=(Entry(last, last, b"%d" % last * 200),), snapshot=snapshot)


def write(path: str, early: str) -> None:
    """Write one fact after the other, leave requests, make jobs and delete them.

    With `early` it says what is kept before it is.
    """
    with closing(Files(Path(path))) as store:
        claim = store.claim("job", "writer", 600, dead={"writer"})
        last = store.history("job", limit=1_000_000)[-1].last
        while True:
            last += 1
            if early == "early":
                for number in range(last, last + 50):
                    say(number)
            store.commit([step(claim, last), opening(f"other-{last}", "writer", release=True)])
            say(last)
            store.request("job", "post", b"", f"r{last}")
            store.delete(f"other-{last}")
            store.renew([claim], 600)


def take(path: str, owner: str) -> None:
    """Take up what there is, write each job once, and say which."""
    with closing(Files(Path(path))) as store:
        while claims := store.claim_next(owner, 600, 2):
            entry = Entry(1, 1, owner.encode())
            lost = store.commit([Commit(claim=claim, head=HEAD, entries=(entry,)) for claim in claims])
            for claim in claims:
                if claim.job_id not in lost:
                    say(claim.job_id)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
