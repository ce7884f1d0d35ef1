"""Ends servers when the process that started them is gone, however it went.

A pytest worker that is interrupted or killed runs no `atexit`. So each process that starts servers
has one supervisor, which reads from a pipe what was started; the pipe ends with the process, and
then the supervisor kills the servers' process groups and removes their folders.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

# Tells the pipe on stdin of its process, and then becomes the server: told this way round, there
# is no moment at which a server runs that nobody knows of.
_ANNOUNCE = 'echo "group $$" >&0; exec "$@" </dev/null'


class Supervisor:
    """The supervisor of this process, which is started with the first server."""

    def __init__(self) -> None:
        self._pipe: int | None = None
        self._processes: list[subprocess.Popen[bytes]] = []

    def pipe(self) -> int:
        """The pipe that `command` needs as stdin."""
        if self._pipe is None:
            read_end, self._pipe = os.pipe()
            process = subprocess.Popen(
                [sys.executable, "-ISB", __file__],
                stdin=read_end,
                stdout=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,  # out of the terminal's reach
            )
            os.close(read_end)
            self._processes.append(process)
            atexit.register(self._close, process)
        return self._pipe

    def command(self, server: Sequence[object]) -> list[str]:
        """The command that starts a server."""
        return ["/bin/sh", "-c", _ANNOUNCE, "server", *map(str, server)]

    def remove(self, folder: Path) -> None:
        """Have a folder removed at the end."""
        self._tell("folder", folder)

    def ended(self, group: int) -> None:
        """Leave a process group alone, whose number may be another's by now."""
        self._tell("ended", group)

    def forget(self) -> None:
        """In a forked child: neither keep the pipe open nor speak for the parent."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def _close(self, process: subprocess.Popen[bytes]) -> None:
        self.forget()
        process.wait()

    def _tell(self, kind: str, name: object) -> None:
        os.write(self.pipe(), f"{kind} {name}\n".encode())


SUPERVISOR = Supervisor()
os.register_at_fork(after_in_child=SUPERVISOR.forget)


def watch(lines: Iterable[str]) -> None:
    """Note what is told until the pipe ends; then end what runs, and remove its folders."""
    groups: list[str] = []
    folders: list[str] = []
    for line in lines:
        kind, _, name = line.rstrip("\n").partition(" ")
        if kind == "group":
            groups.append(name)
        elif kind == "ended":
            groups.remove(name)
        else:
            folders.append(name)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(group), signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(sys.stdin)
