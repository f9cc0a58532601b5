"""Server: the connections to a Redis server, the scripts that run there, and what its errors mean."""

from __future__ import annotations

import os
import re
import threading
from contextlib import contextmanager
from hashlib import sha1
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from routilux_core import NewerStore, StoreError, StoreUnavailable
from routilux_plugins.stores.redis.row import to_bytes, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core import StoreURL
    from routilux_plugins.stores.redis.settings import RedisSettings

SCHEMA = 1
LASTING = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.NoPermissionError,
)
"""Errors of a connection that will not be had by waiting."""
PASSING = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.BusyLoadingError,
    exceptions.ReadOnlyError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
)
PASSING_CODES = {"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "NOREPLICAS", "READONLY", "TRYAGAIN"}
"""The same, and others for which the driver has no class, or of which a script or a pipeline tells."""
CODE = re.compile("(?:^|-|: )([A-Z]+) ")
"""What is said of an error begins with its code; some older servers and the driver put words before it."""
FULL = "its memory is full; make room, and nothing that was kept is lost"
UNSAVED = "it cannot save to its disk; make room there, and nothing that was kept is lost"
SCRIPTS = files("routilux_plugins.stores.redis") / "scripts"


class Server:
    """A client with its connections. Every change is one script, so one round trip, all of it or nothing."""

    def __init__(self, url: StoreURL, settings: RedisSettings) -> None:
        self.name = str(url)
        self.prefix = settings.prefix.encode() + b":"
        self._process = os.getpid()
        self._closed = False
        self._lock = threading.Lock()
        self._inside = 0
        """How many are in the midst of something."""
        self._scripts: dict[str, tuple[str, bytes]] = {}
        self._client = redis.Redis(connection_pool=self._pool(url, settings))
        try:
            self._check(settings)
        except BaseException:
            self.close()
            raise

    def _pool(self, url: StoreURL, settings: RedisSettings) -> redis.ConnectionPool:
        try:
            database = urlsplit(url.reveal()).path.strip("/")
            if database:
                int(database)  # which the driver reads as 0 where it is no number
            return redis.ConnectionPool.from_url(
                url.reveal(),
                protocol=2,
                socket_timeout=settings.timeout,
                socket_connect_timeout=settings.timeout,
                # The one who asks tries again: only that one knows whether what comes twice counts once.
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            pass
        raise StoreError(self.name, "that is no place of a server; write redis://user:password@host:6379/0")

    def _check(self, settings: RedisSettings) -> None:
        with self.client() as client:
            client.set(self.key("schema"), SCHEMA, nx=True)
            found = client.get(self.key("schema")) or b""
            about = client.info("persistence") | client.info("memory")
            with client.pipeline() as pipeline:
                pipeline.get(self.key("schema")).execute()
        if not found.isdigit():
            raise StoreError(
                self.name, f"another program has keys that begin with {settings.prefix!r}; choose ?prefix="
            )
        if int(found) > SCHEMA:
            reason = f"it was written by a later version, with schema {int(found)}"
            raise NewerStore(self.name, reason, int(found), SCHEMA)
        self._check_rights()
        if settings.volatile:
            return
        meant = "or say ?volatile=true if jobs may be lost"
        if not about.get("aof_enabled"):
            raise StoreError(
                self.name, f"the server keeps no log of what it is told; set appendonly yes, {meant}"
            )
        policy = about.get("maxmemory_policy", "noeviction")
        if about.get("maxmemory") and policy != "noeviction":
            raise StoreError(
                self.name, f"the server throws out keys ({policy}); set maxmemory-policy noeviction, {meant}"
            )

    def _check_rights(self) -> None:
        """See that a script will not end in its midst, with half of a change made."""
        digest, script = self._script("rights")
        with self.client() as client:
            client.execute_command("EVAL", script, 0, self.prefix)
            missing = client.execute_command("EVALSHA", digest, 0, self.prefix)
        if missing:
            names = [to_text(name).lower() for name in missing]
            rights = " ".join(f"+{name}" for name in names)
            raise StoreError(
                self.name,
                f"its user may not run {', '.join(names)}; say ACL SETUSER for that user, with {rights}",
            )

    def key(self, name: str, *parts: str) -> bytes:
        """Return a key of ours."""
        return self.prefix + b":".join([name.encode(), *map(to_bytes, parts)])

    def run(self, name: str, *values: Any) -> Any:
        """Run a script."""
        digest, script = self._script(name)
        encoded = [to_bytes(value) if isinstance(value, str) else value for value in values]
        with self.client() as client:
            try:
                return client.execute_command("EVALSHA", digest, 0, self.prefix, *encoded)
            except exceptions.NoScriptError:
                return client.execute_command("EVAL", script, 0, self.prefix, *encoded)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Have the client, with errors of ours. Its own types leave open whether there is text or bytes."""
        if self._process != os.getpid():
            raise StoreError(self.name, "it was opened by another process; open it again in this one")
        with self._lock:
            if self._closed:
                raise StoreError(self.name, "it is closed; open it again")
            self._inside += 1
        try:
            yield self._client
        except exceptions.RedisError as error:
            raise self._refusal(error) from error
        finally:
            with self._lock:
                self._inside -= 1
            self._disconnect()

    def close(self) -> None:
        """Close the connections, when nobody is in the midst of something any more."""
        self._closed = True
        if self._process == os.getpid():
            self._disconnect()

    def _disconnect(self) -> None:
        if self._closed and not self._inside:
            self._client.connection_pool.disconnect()

    def _script(self, name: str) -> tuple[str, bytes]:
        if name not in self._scripts:
            text = b"\n".join((SCRIPTS / f"{part}.lua").read_bytes() for part in ("common", name))
            self._scripts[name] = sha1(text, usedforsecurity=False).hexdigest(), text
        return self._scripts[name]

    def _refusal(self, error: exceptions.RedisError) -> StoreError:
        said = " ".join(str(error).split()) or type(error).__name__
        codes = {*CODE.findall(said)}
        if isinstance(error, LASTING) or "NOPERM" in codes:
            return StoreError(self.name, f"{said}; check the URL and the rights of its user")
        if isinstance(error, PASSING) or codes & PASSING_CODES:
            advice = (
                "; see that the server runs, and that the URL names it" if "connecting to" in said else ""
            )
            return StoreUnavailable(self.name, said.rstrip(".") + advice)
        if isinstance(error, exceptions.OutOfMemoryError) or "OOM" in codes:
            return StoreError(self.name, FULL)
        if "MISCONF" in codes:
            return StoreError(self.name, UNSAVED)
        return StoreError(self.name, said)
