"""Database: the connections to a server, and the statements that go through them."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from math import ceil
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool

from routilux_core import InvalidName, RoutiluxError, StoreError
from routilux_plugins.stores.postgres.connection import Silence, connection_class
from routilux_plugins.stores.postgres.refusal import refusal, unreachable
from routilux_plugins.stores.postgres.schema import make_tables
from routilux_plugins.stores.postgres.statement import placed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from psycopg import Connection

    from routilux_core import StoreURL
    from routilux_plugins.stores.postgres.settings import PostgresSettings

    Row = tuple[Any, ...]
    Run = Callable[[str, Sequence[Any]], list[Row]]

PROBES: dict[str, Any] = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""How it is found out that a host is gone, which says nothing."""
PORT, LAST_PORT = 5432, 65535
MOMENT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Database:
    """A pool of connections. Each statement is a transaction of its own, unless it is run in a `moment`."""

    def __init__(self, url: StoreURL, settings: PostgresSettings) -> None:
        self.name = str(url)
        self._schema = settings.schema
        self._process = os.getpid()
        self._closed = False
        place = _place(url)
        password = str(place.get("password") or "")
        chosen: dict[str, Any] = {
            **place,
            **{key: value for key in ("sslmode", "sslrootcert") if (value := getattr(settings, key))},
            **PROBES,
            "tcp_user_timeout": max(5000, ceil(settings.timeout * 1000)),
            "connect_timeout": max(2, ceil(settings.timeout)),
            "application_name": "routilux",
            "client_encoding": "utf8",
            "autocommit": True,
        }
        connection = connection_class(settings.timeout)
        self._prepare(connection, chosen, password)
        self._pool = ConnectionPool(
            connection_class=connection,
            kwargs=chosen,
            min_size=1,
            max_size=settings.connections,
            timeout=settings.timeout,
            reconnect_timeout=settings.timeout,
            name="routilux",
            open=True,
        )

    def _prepare(self, kind: type[Connection[Any]], chosen: dict[str, Any], password: str) -> None:
        """See that the server is there and lets us in, and make what is missing."""
        failure: Exception
        try:
            with kind.connect(**chosen) as connection:
                try:
                    make_tables(connection, self._schema, self.name)
                except psycopg.Error as error:
                    raise refusal(error, self.name) from error
        except psycopg.Error as error:
            failure = unreachable(error, self.name, password)
        else:
            return
        raise failure  # outside, so that what the driver said of a password is in no chain of errors

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement, and return its rows."""
        with self._connection(values) as connection:
            return self._run(connection, statement, values)

    @contextmanager
    def moment(self) -> Iterator[Run]:
        """See the database as it is at one moment."""
        with self._connection(()) as connection:
            connection.execute(MOMENT)
            try:
                yield lambda statement, values: self._run(connection, statement, values)
            finally:
                with suppress(psycopg.Error):
                    connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connections."""
        self._closed = True
        if self._process == os.getpid():
            self._pool.close()

    def _run(self, connection: Connection[Any], statement: str, values: Sequence[Any]) -> list[Row]:
        cursor = connection.execute(placed(statement, self._schema), values, binary=True)
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _connection(self, values: Sequence[Any]) -> Iterator[Connection[Any]]:
        if self._closed:
            raise StoreError(self.name, "it is closed; open it again")
        if self._process != os.getpid():
            raise StoreError(self.name, "it was opened by another process; open it again in this one")
        try:
            with self._pool.connection() as connection:
                yield connection
        except psycopg.Error as error:
            if self._closed:
                raise StoreError(self.name, "it is closed; open it again") from error
            if isinstance(error, psycopg.OperationalError) and connection_is_gone(error):
                self._check()
            raise refusal(error, self.name, values) from error
        except UnicodeEncodeError as error:
            if isinstance(error, RoutiluxError):
                raise
            raise InvalidName("id", error.object) from error

    def _check(self) -> None:
        """Let the pool find out which other connections went with a server that was stopped."""
        with suppress(psycopg.Error):
            self._pool.check()


def connection_is_gone(error: psycopg.OperationalError) -> bool:
    """Say whether an error tells of the connection, not of the statement or of a server that is silent."""
    if isinstance(error, Silence):
        return False
    return not error.sqlstate or error.sqlstate.startswith(("08", "57P"))


def _place(url: StoreURL) -> dict[str, Any]:
    """Return what a URL says of server, user and database."""
    wrong = "that is no place of a database"
    try:
        place = dict(conninfo_to_dict(url.reveal()))
        ports = str(place.get("port") or PORT).split(",")  # one for each host
        if all(port.isdecimal() and 0 < int(port) <= LAST_PORT for port in ports if port):
            return place
        wrong = f"its port is no number from 1 to {LAST_PORT}"  # and may be a part of a password
    except psycopg.Error:
        pass
    advice = "write postgresql://user:password@host:5432/database, with %40 for @ and %2F for / in a password"
    raise StoreError(str(url), f"{wrong}; {advice}")
