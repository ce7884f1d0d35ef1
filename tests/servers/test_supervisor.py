"""No server outlives the tests that started it, however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.redis import program

PATIENCE = 30
ROOT = Path(__file__).parents[2]
TESTS = """
import contextlib, os, time
from tests.servers.redis import Redis

def test_that_takes_long():
    server = Redis()
    with open("new", "w") as file:
        file.write(f"{server.instance._process.pid} {server.instance.folder}")
    os.rename("new", "started")
    while True:  # as a test does that is busy when it is interrupted
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(60)
"""
CONFTEST = """
from execnet.gateway_base import WorkerPool
from xdist.workermanage import NodeManager

# A worker that does not listen is given a second where it would be given ten, and five and ten.
wait = WorkerPool.waitall
WorkerPool.waitall = lambda self, timeout=None: wait(self, timeout and 1)
NodeManager.EXIT_TIMEOUT = 1
"""
Kill = Callable[["subprocess.Popen[bytes]"], None]


def interrupt_all(run: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C in a terminal does."""
    os.killpg(run.pid, signal.SIGINT)


def interrupt_controller(run: subprocess.Popen[bytes]) -> None:
    run.send_signal(signal.SIGINT)


def terminate_controller(run: subprocess.Popen[bytes]) -> None:
    run.terminate()


def kill_all(run: subprocess.Popen[bytes]) -> None:
    os.killpg(run.pid, signal.SIGKILL)


def hear_interrupts() -> None:
    """As in a terminal: a shell that runs the tests in the background ignores them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def running_tests(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """pytest with a worker, in a process group of its own."""
    (folder / "test_servers.py").write_text(TESTS)
    (folder / "conftest.py").write_text(CONFTEST)
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    workers = ("-p", "xdist", "-n", "1", "-q", "-c", os.devnull, "--rootdir", ".")
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *workers, "test_servers.py"],
        cwd=folder,
        env={**os.environ, **plugins, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=hear_interrupts,
    ) as run:
        try:
            yield run
        finally:
            run.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    "end", [interrupt_all, interrupt_controller, terminate_controller, kill_all]
)
def test_no_server_is_left_behind(tmp_path: Path, end: Kill) -> None:
    program()
    started = tmp_path / "started"
    with running_tests(tmp_path) as run:
        wait_until(started.exists)
        pid, folder = started.read_text().split()
        assert is_alive(int(pid))
        end(run)
        run.wait(PATIENCE)
    wait_until(lambda: not is_alive(int(pid)))
    wait_until(lambda: not Path(folder).exists())


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s"
        time.sleep(0.05)
