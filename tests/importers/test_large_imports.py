"""A gigabyte is imported in the memory of its largest chat: measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import psycopg
import pytest
import redis as redis_driver
import sqlalchemy
from langchain_core.messages import HumanMessage, message_to_dict

from tests.importers import peers
from tests.importers.exports import simple_chatgpt
from tests.importers.test_databases_by_url import keys, maria, pg  # noqa: F401 - fixtures

pytestmark = pytest.mark.soak
GIGABYTE = 2**30
MEGABYTES = 300
"""What a process of Python with the package may take at most, whatever it reads."""

# VmHWM, since ru_maxrss begins at that of the process that started this one
SCRIPT = r"""
import json, re, sys
from pathlib import Path
import threadkeep
with threadkeep.connect(sys.argv[2]) as memory:
    report = threadkeep.import_chats(memory, sys.argv[1], user="ada", dry_run=sys.argv[3] == "dry")
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024
print(json.dumps({"peak": peak, **report.to_dict()}))
"""
WORDS = " ".join(f"word{n}" for n in range(1_000))


def measured(source, target, mode):
    """The report of an import, with the peak of its process in MB."""
    began = time.monotonic()
    command = [sys.executable, "-c", SCRIPT, str(source), target, mode]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    print(f"{mode}: {report['peak']} MB, {time.monotonic() - began:.0f} s")
    return report


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
    count = make(source)
    url = "none://" if mode == "dry" else f"sqlite:///{folder}/target.db"
    report = measured(source, url, mode)
    assert (report["sessions"], report["skipped_count"]) == (count, 0)
    assert report["messages"] == count * 20
    assert report["peak"] < MEGABYTES


ROWS = 100_000  # of a kilobyte, in one session
DUMP = json.dumps(message_to_dict(HumanMessage("word " * 200)))
TABLE = "CREATE TABLE message_store (id INTEGER PRIMARY KEY, session_id VARCHAR(9), message TEXT)"


def in_postgres(url):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute(
            "INSERT INTO message_store SELECT n, 's1', %s FROM generate_series(1, %s) n",
            (DUMP, ROWS),
        )


def in_mysql(url):
    engine = sqlalchemy.create_engine(peers.with_driver(url))
    insert = sqlalchemy.text("INSERT INTO message_store VALUES (:id, 's1', :dump)")
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(TABLE))
        for start in range(0, ROWS, 1_000):
            rows = [{"id": start + n, "dump": DUMP} for n in range(1_000)]
            connection.execute(insert, rows)
    engine.dispose()


def in_redis(url):
    with redis_driver.Redis.from_url(url) as client:
        for _ in range(ROWS // 1_000):
            client.lpush("message_store:s1", *[DUMP] * 1_000)


FILLED = {"pg": in_postgres, "maria": in_mysql, "keys": in_redis}


@pytest.mark.parametrize("server", FILLED)
def test_a_large_server_is_read_in_bounded_memory(server, request):
    url = request.getfixturevalue(server)
    FILLED[server](url)
    report = measured(url, "none://", "dry")
    assert (report["messages"], report["skipped_count"]) == (ROWS, 0)
    assert report["peak"] < MEGABYTES / 2
