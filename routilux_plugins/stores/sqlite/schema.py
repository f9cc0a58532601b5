"""The tables of a file, and the number by which later versions know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import NewerStore, StoreError

if TYPE_CHECKING:
    from sqlite3 import Connection

SCHEMA = 1
MARK = 0x526F7574
"""What the header of a file says whose it is."""

# A step writes one row, at the end of what was written for its job: `entry.place` is the number of the job
# and, in its lower half, that of the last fact. The time of a job's last change stands with its last entry:
# `job.last` is the number of the last fact when the row of the job was written, and an entry that comes after
# it has the time that counts. A request that was answered stays, so that it is known when it comes again.
ALIVE = "(owner IS NOT NULL OR status IN ('pending', 'running'))"
"""What is true of few jobs among many, and has an index."""
TABLES = (
    """CREATE TABLE job (
        number INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL UNIQUE,
        flow_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        status TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        note BLOB NOT NULL,
        last INTEGER NOT NULL,
        owner TEXT,
        epoch INTEGER NOT NULL,
        until REAL NOT NULL
    )""",
    "CREATE INDEX job_by_age ON job (created_at, job_id)",
    "CREATE INDEX job_by_flow ON job (flow_id, created_at, job_id)",
    f"CREATE INDEX job_alive ON job (created_at, job_id) WHERE {ALIVE}",
    """CREATE TABLE entry (
        place INTEGER PRIMARY KEY,
        first INTEGER NOT NULL,
        updated_at REAL NOT NULL,
        content BLOB NOT NULL
    )""",
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


def make_tables(connection: Connection, store: str) -> None:
    """Make the tables of a new file; in a transaction that is the only one to write."""
    if not is_ours(connection, store):
        for statement in TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {MARK}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")


def is_ours(connection: Connection, store: str) -> bool:
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
