"""A process that is killed between the writes of a step: the thread resumes, nothing is twice."""

from __future__ import annotations

import subprocess
import sys

import pytest

from langchain_threadkeep import ThreadkeepSaver
from tests.integrations.langchain.saver.conftest import config
from tests.integrations.langchain.saver.crash_child import graph_of, say
from tests.servers import postgres, redis
from tests.servers.instances import fresh_table
from threadkeep import connect

TURN_1 = ["question 1", "answer 1", "review 1"]
TURN_2 = ["question 2", "answer 2", "review 2"]
CHILD = "tests.integrations.langchain.saver.crash_child"


def sqlite_url(path):
    return f"sqlite:///{path}/chat.db"


def postgres_url(path):
    url = postgres.url()
    return f"{url}{'&' if '?' in url else '?'}table_name={fresh_table()}"


def redis_url(path):
    url = redis.url()
    return f"{url}{'&' if '?' in url else '?'}prefix={fresh_table()}"


URLS = {"sqlite": sqlite_url, "postgres": postgres_url, "redis": redis_url}


@pytest.mark.proves("D16")
@pytest.mark.parametrize(
    ("store", "durability"),
    [*((store, "sync") for store in URLS), ("sqlite", "async"), ("sqlite", "exit")],
)
def test_thread_resumes_after_a_kill_at_any_write(tmp_path, store, durability):
    points = range(12) if store == "sqlite" else range(1, 12, 3)
    urls = {}
    for last in points:
        (tmp_path / str(last)).mkdir()
        urls[str(last)] = URLS[store](tmp_path / str(last))
        with connect(urls[str(last)]) as memory:
            say(graph_of(ThreadkeepSaver(memory)), 1)
    cases = [f"{point}={url}" for point, url in urls.items()]
    done = subprocess.run(
        [sys.executable, "-m", CHILD, durability, *cases],
        capture_output=True,
        text=True,
        check=True,
    )
    codes = dict(line.split() for line in done.stdout.splitlines())
    assert set(codes.values()) <= {"0", "-9"}, done.stderr
    assert "-9" in codes.values()
    for point, url in urls.items():
        with connect(url) as memory:
            check_resumption(memory, finished=codes[point] == "0")


def check_resumption(memory, *, finished):
    graph = graph_of(ThreadkeepSaver(memory))
    state = graph.get_state(config())
    said = [message.text for message in state.values["messages"]]
    assert said == (TURN_1 + TURN_2)[: len(said)]
    assert len(said) >= 3
    assert "threadkeep_missing" not in state.metadata
    if state.next:
        graph.invoke(None, config())
    elif not finished:
        say(graph_of(ThreadkeepSaver(memory, on_conflict="last")), 2)
    said = [message.text for message in graph.get_state(config()).values["messages"]]
    assert said == TURN_1 + TURN_2
    assert [item.text for item in memory.session("t").items()] == TURN_1 + TURN_2
