"""Private, throw-away database servers: own port, own folder, gone when the tests end.

However they end: see `supervisor`.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.servers.supervisor import SUPERVISOR

PATIENCE = 60.0
_TABLES = itertools.count(1)


class Instance:
    """A server's process, which can be killed and started again on what it left.

    Args:
        name: of its folder, for people who look.
        user: servers refuse root, so it runs as this one where the tests are root.
    """

    def __init__(self, name: str, user: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"threadkeep-{name}-"))
        self.port = free_port()
        self._name = name
        self._as = _identity(user)
        self._process: subprocess.Popen[bytes] | None = None
        SUPERVISOR.remove(self.folder)
        self.own(self.folder)
        atexit.register(self.remove)

    def own(self, path: Path) -> None:
        """Give a file or folder to the server's user."""
        if self._as:
            os.chown(path, self._as["user"], self._as["group"])

    def call(self, *command: object) -> None:
        """Run a command of the server's as its user, to the end."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **self._as,
        )
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"

    def start(self, command: Sequence[object], ready: Callable[[], object]) -> None:
        """Start the server and wait until `ready` does not raise."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                SUPERVISOR.command(command),
                cwd=self.folder,
                stdin=SUPERVISOR.pipe(),
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as,
            )
        end = time.monotonic() + PATIENCE
        while True:
            try:
                ready()
                return
            except Exception:
                gone = self._process.poll() is not None
                if gone or time.monotonic() > end:
                    raise AssertionError(f"{self._name} did not start: {self.log()}") from None
            time.sleep(0.05)

    def log(self) -> str:
        """The end of what the server wrote."""
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def signal(self, number: int) -> None:
        """Send a signal to the server's processes."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """End it without warning, and wait until it is gone."""
        if self._process is not None:
            children = _children(self._process.pid)
            self.signal(signal.SIGKILL)
            for child in children:  # PostgreSQL's have sessions of their own, and end a bit later
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            self._process.wait()
            SUPERVISOR.ended(self._process.pid)
            self._process = None

    def remove(self) -> None:
        """End it, and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def promised() -> list[str]:
    """The stores that THREADKEEP_TEST_REQUIRE names: if one is missing, its tests fail."""
    return os.environ.get("THREADKEEP_TEST_REQUIRE", "").replace(",", " ").split()


def absent(name: str, why: str) -> NoReturn:
    """Skip what needs a server that is not there, or fail if the environment promised it."""
    if name in promised():
        pytest.fail(f"{name} was promised by THREADKEEP_TEST_REQUIRE: {why}")
    pytest.skip(why)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def fresh_table() -> str:
    """A name that no other test takes."""
    return f"t_{os.getpid()}_{next(_TABLES)}"


def _children(pid: int) -> list[int]:
    """The processes that a process started, where the system tells."""
    with contextlib.suppress(OSError):
        return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return []


def _identity(user: str) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    found = pwd.getpwnam(user)
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
