"""The tables and functions of a database, and the number by which later versions know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import NewerStore, StoreError
from routilux_plugins.stores.postgres.function import FUNCTIONS
from routilux_plugins.stores.postgres.statement import placed

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

SCHEMA = 1
LOCK = 0x526F7574
"""What those wait for who would make the tables at the same time."""

# No index has a column that every step changes: PostgreSQL then writes the row of a job anew on its own page,
# for which that has room. `job.last` is the number of the job's last fact. A request that was answered stays,
# so that it is known when it comes again. What is any text is kept as bytes.
TABLES = (
    """CREATE TABLE $.job (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        job_id text COLLATE "C" NOT NULL UNIQUE,
        flow_id text COLLATE "C" NOT NULL,
        fingerprint text NOT NULL,
        status text NOT NULL,
        created_at double precision NOT NULL,
        updated_at double precision NOT NULL,
        note bytea NOT NULL,
        last bigint NOT NULL,
        owner text,
        epoch bigint NOT NULL,
        until double precision NOT NULL
    ) WITH (fillfactor = 50)""",
    "CREATE INDEX job_by_age ON $.job (created_at, job_id)",
    "CREATE INDEX job_by_flow ON $.job (flow_id, created_at, job_id)",
    "CREATE INDEX job_by_status ON $.job (status, created_at, job_id)",
    "CREATE INDEX job_alive ON $.job (created_at, job_id) WHERE status IN ('pending', 'running')",
    "CREATE INDEX job_owned ON $.job (owner) WHERE owner IS NOT NULL",
    """CREATE TABLE $.entry (
        job bigint NOT NULL,
        last bigint NOT NULL,
        first bigint NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (job, last)
    )""",
    "CREATE TABLE $.snapshot (job bigint PRIMARY KEY, number bigint NOT NULL, content bytea NOT NULL)",
    """CREATE TABLE $.request (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        job bigint NOT NULL,
        request_id text NOT NULL,
        kind bytea NOT NULL,
        content bytea NOT NULL,
        waiting boolean NOT NULL,
        UNIQUE (job, request_id)
    )""",
    "CREATE INDEX request_waiting ON $.request (job, number) WHERE waiting",
    """CREATE TABLE $.flow (
        flow_id text COLLATE "C" NOT NULL,
        fingerprint text NOT NULL,
        document bytea NOT NULL,
        saved_at double precision NOT NULL,
        PRIMARY KEY (flow_id, fingerprint)
    )""",
    "CREATE TABLE $.routilux (schema integer NOT NULL)",
    f"INSERT INTO $.routilux VALUES ({SCHEMA})",  # noqa: S608 - of a constant
)
TABLES_THERE = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r'"


def make_tables(connection: Connection[Any], schema: str, store: str) -> None:
    """Make the tables if there are none; one process after the other."""
    if is_ours(connection, schema, store):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if is_ours(connection, schema, store):
            return
        if connection.execute("SELECT to_regnamespace(%s) IS NULL", (f'"{schema}"',)).fetchone() == (True,):
            connection.execute(placed("CREATE SCHEMA $", schema))
        for statement in (*TABLES, *FUNCTIONS):
            connection.execute(placed(statement, schema))


def is_ours(connection: Connection[Any], schema: str, store: str) -> bool:
    """Say whether a schema has our tables, or none; refuse those of others and of later versions."""
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise StoreError(store, "the database keeps no UTF-8; make one with ENCODING 'UTF8'")
    there = {name for (name,) in connection.execute(TABLES_THERE, (f'"{schema}"',))}
    if not there:
        return False
    if "routilux" not in there:
        raise StoreError(store, f"its schema {schema!r} has tables of another program; name one by ?schema=")
    row = connection.execute(placed("SELECT schema FROM $.routilux", schema)).fetchone()
    version = row[0] if row else SCHEMA
    if version > SCHEMA:
        reason = f"it was written by a later version, with schema {version}"
        raise NewerStore(store, reason, version, SCHEMA)
    return True
