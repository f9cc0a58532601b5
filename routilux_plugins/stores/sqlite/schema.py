"""The tables of a file, and the number by which later versions know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import NewerStore, StoreError

if TYPE_CHECKING:
    from sqlite3 import Connection, Cursor

SCHEMA = 1
MARK = 0x526F7574
"""What the header of a file says whose it is."""

PAGE = 2048
"""Bytes of a page of a new file."""
SPAN = 1 << 32
"""So far apart are the rows of two jobs."""
ACTIVE = "('pending', 'running')"
"""What is looked for by its status, be it owned or not."""
# A transaction costs by the pages that it writes, each of them whole. So pages are small, and a job and its
# entries lie side by side in one table: the row of the job at a multiple of `SPAN`, each entry as far
# behind it as the number of its last fact says. A step writes one row. The time of the last change stands
# with the last entry: `last` is the number of the last fact when the row of the job was written, and an
# entry that comes after it has the time that counts. The last entry of a job that is over is in the row
# itself. Each index is another page, so one has to do for all lists. A request that was answered stays, so
# that it is known when it comes again.
TABLES = (
    """CREATE TABLE journal (
        place INTEGER PRIMARY KEY,
        updated_at REAL NOT NULL,
        first INTEGER,
        content BLOB,
        job_id TEXT,
        flow_id TEXT,
        fingerprint TEXT,
        status TEXT,
        created_at REAL,
        note BLOB,
        last INTEGER,
        owner TEXT,
        epoch INTEGER,
        until REAL
    )""",
    "CREATE UNIQUE INDEX job_by_id ON journal (job_id) WHERE job_id NOTNULL",
    "CREATE INDEX job_by_age ON journal (status, flow_id, created_at) WHERE status NOTNULL",
    f"CREATE INDEX job_owned ON journal (owner) WHERE owner NOTNULL AND status NOT IN {ACTIVE}",
    "CREATE TABLE snapshot (job INTEGER PRIMARY KEY, number INTEGER NOT NULL, content BLOB NOT NULL)",
    """CREATE TABLE request (
        number INTEGER PRIMARY KEY,
        job INTEGER NOT NULL,
        request_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        content BLOB NOT NULL,
        waiting INTEGER NOT NULL,
        UNIQUE (job, request_id)
    )""",
    "CREATE INDEX request_waiting ON request (job, number) WHERE waiting",
    """CREATE TABLE flow (
        flow_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        document BLOB NOT NULL,
        saved_at REAL NOT NULL,
        PRIMARY KEY (flow_id, fingerprint)
    )""",
)


def make_tables(cursor: Cursor, store: str) -> None:
    """Make the tables of a new file; in a transaction that is the only one to write."""
    if not is_ours(cursor, store):
        for statement in TABLES:
            cursor.execute(statement)
        cursor.execute(f"PRAGMA application_id = {MARK}")
        cursor.execute(f"PRAGMA user_version = {SCHEMA}")


def is_ours(connection: Connection | Cursor, store: str) -> bool:
    """Say whether a file has our tables, or none; refuse those of others and of later versions."""
    [[mark]] = connection.execute("PRAGMA application_id")
    [[version]] = connection.execute("PRAGMA user_version")
    if mark == MARK:
        if version > SCHEMA:
            raise NewerStore(
                store, f"it was written by a later version, with schema {version}", version, SCHEMA
            )
        return True
    if mark or version or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise StoreError(store, "it is a database of another program; choose another file")
    return False
