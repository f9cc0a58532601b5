"""A process that writes jobs of a store, and says what it has kept."""

import sys
from pathlib import Path

from routilux_core import Commit, Entry
from routilux_plugins.stores.sqlite.store import Sqlite
from tests.plugins.stores.job import HEAD, ending, opening


def write(path: str, every: str) -> None:
    """Write one entry after the other, `every` so many in one commit.

    With each commit a job is taken in, and the one before it ends.
    """
    store = Sqlite(Path(path))
    claim = store.claim("job", "writer", 600, dead={"writer"})
    last = store.load("job").entries[-1].last
    entries: list[Entry] = []
    previous = 0
    while True:
        last += 1
        entries.append(Entry(last, last, b"%d" % last * 200))
        if len(entries) == int(every):
            others = [opening(f"other-{last}", entries=[Entry(1, 1, b"begun")])]
            if previous:
                others.append(ending(f"other-{previous}"))
            store.commit([*others, Commit(claim=claim, head=HEAD, entries=tuple(entries))])
            entries.clear()
            previous = last
        sys.stdout.write(f"{last}\n")
        sys.stdout.flush()


def take(path: str, owner: str) -> None:
    """Take up what there is, write each job once, and say which."""
    store = Sqlite(Path(path))
    while claims := store.claim_next(owner, 600, 2):
        lost = store.commit(
            [Commit(claim=claim, head=HEAD, entries=(Entry(1, 1, owner.encode()),)) for claim in claims]
        )
        sys.stdout.writelines(f"{claim.job_id}\n" for claim in claims if claim.job_id not in lost)
    sys.stdout.flush()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
