"""Every command of ours that the documentation shows works, in the order of its page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, commands, name
from threadkeep import connect

RUN = [page for page in PAGES if commands(page)]


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=name)
def test_the_commands_run(page: Path, tmp_path: Path) -> None:
    with connect(tmp_path / "chat.db") as memory:
        memory.session("chat-42", user="ada").add("Hello")
    run = subprocess.run(
        ["sh", "-euxc", commands(page)],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr


def test_there_are_commands_to_run() -> None:
    assert {"command-line.md", "copy.md"} <= {page.name for page in RUN}


def environment(home: Path) -> dict[str, str]:
    """That of a reader who has just installed threadkeep."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("THREADKEEP_")}
    here = str(Path(sys.executable).parent)
    return {**kept, "HOME": str(home), "PATH": f"{here}{os.pathsep}{kept['PATH']}"}
