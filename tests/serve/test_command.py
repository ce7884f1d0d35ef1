"""`threadkeep serve` as a process: its key, its start page, its end, and what it refuses."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import httpx
import pytest

from threadkeep import connect

COMMAND = [sys.executable, "-m", "threadkeep", "serve"]


def environment():
    return {key: value for key, value in os.environ.items() if not key.startswith("THREADKEEP_")}


@pytest.mark.slow
def test_the_command_serves_until_it_is_told_to_stop(tmp_path):
    with connect(tmp_path / "chat.db") as memory:
        memory.session("chat", user="ada").add("Hi")
    store = ["--history-backend", "sqlite", "--path", str(tmp_path / "chat.db")]
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *store], stdout=subprocess.PIPE, text=True, env=environment()
    )
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        url = re.search(r"http://127.0.0.1:\d+", lines[0])[0]
        key, start = lines[1].split()[-1], lines[2].split()[-1]
        found = httpx.get(
            f"{url}/v1/conversations/chat/items", headers={"authorization": f"Bearer {key}"}
        )
        assert found.json()["data"][0]["content"][0]["text"] == "Hi"
        assert httpx.get(start).status_code == 303
        assert httpx.get(start).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--host", "0.0.0.0"], "--keys"),
        (["--host", "0.0.0.0", "--keys", "keys"], "--allow-host"),
        (["--keys", "keys", "--no-token"], "--no-token"),
        (["--keys", "none"], "none"),
        (["--upstream", "ftp://x"], "upstream"),
        (["--upstream-key-file", "keys"], "--upstream"),
    ],
    ids=["open", "nameless", "both", "no-file", "no-http", "no-upstream"],
)
@pytest.mark.slow
def test_what_would_let_strangers_in_or_cannot_work_is_refused(tmp_path, flags, reason):
    keys = [*COMMAND, "keys", "add", "ada", "--keys", "keys"]
    subprocess.run(keys, cwd=tmp_path, env=environment(), check=True, capture_output=True)
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
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [("serve", "starlette", "serve"), ("mcp", "mcp", "mcp")],
    ids=["serve", "mcp"],
)
def test_a_missing_package_names_its_extra(module, missing, extra):
    code = f"import sys; sys.modules[{missing!r}] = None\nimport threadkeep.{module}"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert "MissingExtra" in run.stderr
    assert f"threadkeep[{extra}]" in run.stderr.splitlines()[-1]
