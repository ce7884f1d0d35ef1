"""A worker that is killed between the model's answer and the commit, on every kind of store."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.longterm.extraction.conftest import answer, fact
from tests.servers import postgres, redis
from tests.servers.instances import fresh_table
from threadkeep import connect

pytestmark = pytest.mark.slow

CHILD = Path(__file__).with_name("killed.py")
REPLY = answer(
    fact("Ada is allergic to nuts", 1), fact("Ada keeps a cat", 2), summary="Nuts and a cat."
)


def killed(url, model, moment):
    done = subprocess.run(
        [sys.executable, str(CHILD), url, model.base_url, moment],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -9, done.stderr.decode()


def later():
    return time.time() + 7_200


def story(url, serve, moment):
    """Say two things, let a worker die, and look what the next one makes of it."""
    model = serve(lambda request: REPLY)
    with connect(url) as memory:
        memory.session("chat", user="ada").add("I'm allergic to nuts.", "I keep a cat.")
    killed(url, model, moment)
    llm = {"model": "scripted", "api_key": "none", "base_url": model.base_url, "idle": 3_600}
    with connect(url, llm=llm, clock=later) as memory:
        memory.extract()
        found = [(one.text, one.seen) for one in memory.user("ada").facts.list(status=None)]
        summary = memory.session("chat", user="ada").summary()
        assert memory.extract().batches == 0
        memory.user("ada").forget()
    assert found == [("Ada is allergic to nuts", 1), ("Ada keeps a cat", 1)]
    assert summary is not None
    assert (summary.text, summary.version) == ("Nuts and a cat.", 1)
    return len(model.requests)


@pytest.mark.parametrize("scheme", ["sqlite", "file"])
def test_before_the_commit_the_next_worker_reads_it_again(tmp_path, serve, scheme):
    place = f"sqlite:///{tmp_path}/chat.db" if scheme == "sqlite" else f"file://{tmp_path}/chats"
    assert story(place, serve, "before") == 2


@pytest.mark.parametrize("scheme", ["sqlite", "file"])
def test_after_the_commit_nothing_is_read_twice(tmp_path, serve, scheme):
    place = f"sqlite:///{tmp_path}/chat.db" if scheme == "sqlite" else f"file://{tmp_path}/chats"
    assert story(place, serve, "after") == 1


def on_postgres(path):
    return f"{postgres.url()}?table_name={fresh_table()}"


def on_redis(path):
    return f"{redis.url()}"


SERVERS = {"postgres": on_postgres, "redis": on_redis}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("server", SERVERS)
def test_on_servers_too(tmp_path, serve, server, moment):
    calls = {"before": 2, "after": 1}
    assert story(SERVERS[server](tmp_path), serve, moment) == calls[moment]
