"""A gigabyte is imported in the memory of its largest chat: measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pytest

from tests.importers.exports import simple_chatgpt

pytestmark = pytest.mark.soak
GIGABYTE = 2**30
MEGABYTES = 300
"""What a process of Python with the package may take at most, whatever it reads."""

SCRIPT = """
import json, resource, sys
import threadkeep
with threadkeep.connect(sys.argv[2]) as memory:
    report = threadkeep.import_chats(memory, sys.argv[1], user="ada", dry_run=sys.argv[3] == "dry")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"peak": peak, **report.to_dict()}))
"""
WORDS = " ".join(f"word{n}" for n in range(1_000))


def lines(path):
    """ShareGPT's lines; returns the number of chats."""
    turns = [{"from": "human" if n % 2 == 0 else "gpt", "value": WORDS} for n in range(20)]
    count = 0
    with path.open("w") as target:
        while target.tell() < GIGABYTE:
            target.write(json.dumps({"id": f"chat-{count}", "conversations": turns}) + "\n")
            count += 1
    return count


def zipped(path):
    """ChatGPT's export, whose one array is a gigabyte; returns the number of chats."""
    count, size = 0, 0
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive,
        archive.open("conversations.json", "w", force_zip64=True) as member,
    ):
        while size < GIGABYTE:
            chat = simple_chatgpt(f"c{count}", turns=20)
            for node in chat["mapping"].values():
                if node["message"]:
                    node["message"]["content"]["parts"] = [f"{count} {WORDS}"]
            size += member.write(b"[" if count == 0 else b",")
            size += member.write(json.dumps(chat).encode())
            count += 1
        member.write(b"]")
    return count


@pytest.fixture
def folder():
    """On a disk: a file in memory would count."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("mode", ["dry", "written"])
@pytest.mark.parametrize("make", [lines, zipped])
def test_a_gigabyte_is_read_in_bounded_memory(folder, make, mode):
    source = folder / ("export.zip" if make is zipped else "export.jsonl")
    count, began = make(source), time.monotonic()
    url = "none://" if mode == "dry" else f"sqlite:///{folder}/target.db"
    command = [sys.executable, "-c", SCRIPT, str(source), url, mode]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    print(f"{make.__name__} {mode}: {report['peak']} MB, {time.monotonic() - began:.0f} s")
    assert (report["sessions"], report["skipped_count"]) == (count, 0)
    assert report["messages"] == count * 20
    assert report["peak"] < MEGABYTES
