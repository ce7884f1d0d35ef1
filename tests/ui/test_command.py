"""`threadkeep ui` as a process: its token, its end, and what it refuses."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

from tests.serve.test_command import environment
from tests.ui import fetch
from threadkeep import connect

COMMAND = [sys.executable, "-m", "threadkeep", "ui"]


@pytest.mark.slow
def test_the_command_shows_a_store_until_it_is_told_to_stop(tmp_path):
    with connect(tmp_path / "chat.db") as memory:
        memory.session("chat", user="ada").add("Hi")
    store = ["--history-backend", "sqlite", "--path", str(tmp_path / "chat.db")]
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *store], stdout=subprocess.PIPE, text=True, env=environment()
    )
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        url = re.search(r"http://127.0.0.1:\d+", lines[0])[0]
        with fetch.Client(follow_redirects=True) as browser:
            page = browser.get(lines[2].split()[-1])
            assert page.status_code == 200
            assert "ada" in page.text
            assert "read-only" in page.text
        assert fetch.get(url).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(
    ("flags", "reason"),
    [(["--host", "0.0.0.0"], "--keys"), (["--host", "0.0.0.0", "--no-token"], "--keys")],
    ids=["open", "no-token"],
)
@pytest.mark.slow
def test_strangers_are_not_let_in(tmp_path, flags, reason):
    run = subprocess.run(
        [*COMMAND, "--port", "0", *flags],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 2
    assert reason in run.stderr


@pytest.mark.slow
def test_a_store_that_is_not_there_is_not_made(tmp_path):
    run = subprocess.run(
        [*COMMAND, "--port", "0", "--url", f"sqlite:///{tmp_path}/none.db"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 1
    assert "does not exist" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_names_its_extra():
    code = "import sys; sys.modules['jinja2'] = None\nimport threadkeep.ui"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert "MissingExtra" in run.stderr
    assert "threadkeep[ui]" in run.stderr.splitlines()[-1]
