"""A server as a process of this test session."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

PATIENCE = 30.0
NOBODY = "nobody"


class ServerProcess(ABC):
    """A server that can be stopped and started again, with all that it has kept."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="routilux-server-"))
        self.port = _free_port()
        self.process = None
        # A server may refuse to run as root.
        self.user = NOBODY if os.geteuid() == 0 else None
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        try:
            self.prepare()
            self.start()
        except BaseException as error:
            self.end()
            if isinstance(error, (OSError, AssertionError, subprocess.SubprocessError)):
                pytest.skip(f"{type(self).__name__} cannot be started on this machine: {error}")
            raise

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server needs before its first start."""

    @abstractmethod
    def command(self) -> list[str]:
        """What is run."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server can be used now."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the server, as an administrator does."""

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, user=self.user, group=None, cwd=self.folder
            )
        until = time.monotonic() + PATIENCE
        while not self.answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < until, "it does not answer"
            time.sleep(0.02)

    def freeze(self) -> None:
        """Let the server stand still: it is there, and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)
        self._tell_children(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on with all that was asked of it meanwhile."""
        self._tell_children(signal.SIGCONT)
        self.process.send_signal(signal.SIGCONT)

    def _tell_children(self, number: int) -> None:
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)],  # noqa: S607 - of the system
            capture_output=True,
            text=True,
            check=False,
        )
        for line in found.stdout.split():
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(int(line), number)

    def run(self, *command: object) -> None:
        """Run a program beside the server, as the same user."""
        subprocess.run(
            [*map(str, command)], check=True, capture_output=True, user=self.user, cwd=self.folder, timeout=60
        )

    def end(self) -> None:
        """Stop the server and forget what it has kept."""
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def package(name: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    found = find_spec(name)
    if found is None:
        pytest.skip(f"the package {name}, which has the server, is not installed")
    return Path(found.origin).parent
