"""The official JavaScript client against a server of ours.

`THREADKEEP_TEST_NPM` names a folder in which `npm install openai` was run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.serve.running import door as open_door
from threadkeep.testing import ScriptedModel

SCRIPT = Path(__file__).with_name("openai_client.mjs")
FOLDER = os.environ.get("THREADKEEP_TEST_NPM", "")
NODE = shutil.which("node")


@pytest.mark.slow
@pytest.mark.skipif(
    NODE is None or not (Path(FOLDER) / "node_modules" / "openai").is_dir(),
    reason="needs node, and THREADKEEP_TEST_NPM, a folder with the npm package openai",
)
def test_the_javascript_client(memory, tmp_path):
    with (
        ScriptedModel(["one", "two", "three", "four"]) as model,
        open_door(memory, tmp_path, upstream=model.base_url) as door,
    ):
        run = subprocess.run(
            [str(NODE), str(SCRIPT), FOLDER, f"{door.url}/v1", door.ada],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (run.returncode, run.stdout.strip()) == (0, "ok"), run.stderr
