"""The ways that are compared do their jobs, and the documentation has the lines counted here.

Each way runs as a program of its own, twice where something must survive a restart. mem0 and
LangMem run where they are installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from examples.side_by_side.count import JOBS, PEERS, lines_of, table
from tests.examples.openai_with_embeddings import OpenAIWithEmbeddings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "comparison.md"

CHATS = {
    ("own_loop", "with_threadkeep"): "from openai import OpenAI; way(OpenAI(), said)",
    ("own_loop", "with_langchain"): (
        "from langchain_openai import ChatOpenAI; way(ChatOpenAI(), said)"
    ),
    ("own_loop", "with_openai_agents"): (
        "import asyncio; from openai import AsyncOpenAI; asyncio.run(way(AsyncOpenAI(), said))"
    ),
    **dict.fromkeys(
        [("langchain_agent", "with_threadkeep"), ("langchain_agent", "with_langgraph")],
        "from langchain_openai import ChatOpenAI\n"
        "way(ChatOpenAI(), {'messages': [('user', said)]})",
    ),
    **dict.fromkeys(
        [("llama_index_chat", "with_threadkeep"), ("llama_index_chat", "with_llama_index")],
        "from llama_index.core.llms import MockLLM; print(way(MockLLM(), said))",
    ),
    **dict.fromkeys(
        [("openai_agents_run", "with_threadkeep"), ("openai_agents_run", "with_openai_agents")],
        "from agents import Agent; way(Agent('guide', model='gpt-5'), said)",
    ),
}
TURNS = """
from langchain_openai import ChatOpenAI

def turn(said, thread):
    config = {"configurable": {"thread_id": thread, "user_id": "ada"}}
    return {"messages": [("user", said)]}, config

turns = [turn("I am allergic to nuts", "monday"), turn(said, "tuesday")]
"""
THREADS = {
    "with_threadkeep": "way(ChatOpenAI(), turns)",
    "with_langmem": (
        "embed = lambda texts: [[1.0] * 4 for _ in texts]\n"
        "way(ChatOpenAI(), {'dims': 4, 'embed': embed}, turns)"
    ),
}
SAVE = {
    "with_threadkeep": ("save_memory", {"text": "I am allergic to nuts"}),
    "with_langmem": ("manage_memory", {"content": "I am allergic to nuts", "action": "create"}),
}
SEARCHES = {
    ("search_messages", "with_threadkeep"): "print(way(said, 'nuts'))",
    ("search_messages", "with_mem0"): "print(way(said, 'nuts'))",
    ("extract_facts", "with_threadkeep"): (
        "from threadkeep.testing import ScriptedLearner\n"
        "print(way(ScriptedLearner({'nuts': 'The user is allergic to nuts'}), said, 'nuts'))"
    ),
    ("extract_facts", "with_mem0"): "print(way(said, 'nuts'))",
}


@pytest.mark.slow
@pytest.mark.parametrize(("job", "way"), CHATS)
def test_a_chat_survives_a_restart(job: str, way: str, tmp_path: Path) -> None:
    with OpenAIWithEmbeddings(lambda _: "Hello Ada.") as model:
        run(job, way, CHATS[job, way], "I am Ada.", tmp_path, model)
        printed = run(job, way, CHATS[job, way], "Who am I?", tmp_path, model)
    prompt = printed + json.dumps(model.requests[-1:])
    assert prompt.index("I am Ada.") < prompt.index("Who am I?")


@pytest.mark.slow
@pytest.mark.parametrize("way", THREADS)
def test_a_fact_saved_in_one_thread_is_known_in_another(way: str, tmp_path: Path) -> None:
    skip_without_peer(way)
    name, args = SAVE[way]
    replies: list[Any] = [{"tool_calls": [{"name": name, "args": args}]}, "Noted"]
    if way == "with_langmem":  # its agent knows what it searches for
        replies += [{"tool_calls": [{"name": "search_memory", "args": {"query": "food"}}]}]
    with OpenAIWithEmbeddings([*replies, "No nuts"]) as model:
        run("facts_over_threads", way, TURNS + THREADS[way], "What may I eat?", tmp_path, model)
    prompt = model.requests[-1]["messages"]
    assert "I am allergic to nuts" in json.dumps(prompt)
    assert [message["content"] for message in prompt if message["role"] == "user"] == [
        "What may I eat?"
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("job", "way"), SEARCHES)
def test_a_search_finds_it(job: str, way: str, tmp_path: Path) -> None:
    skip_without_peer(way)
    said = "I am allergic to nuts"
    fact = {"memory": [{"text": "The user is allergic to nuts"}]}
    with OpenAIWithEmbeddings(lambda _: json.dumps(fact)) as model:
        printed = run(job, way, SEARCHES[job, way], said, tmp_path, model)
    assert "allergic to nuts" in printed
    assert ("The user" in printed) is (job == "extract_facts")


def test_threadkeep_needs_the_fewest_lines() -> None:
    """Except where a script waits for extraction, which an application leaves to the background."""
    more = [job for job in JOBS if lines_of(job)["with_threadkeep"] > min(lines_of(job).values())]
    assert more == ["extract_facts"]


def test_every_way_is_run_and_named() -> None:
    ways = {(job, way) for job in JOBS for way in lines_of(job)}
    run_here = {*CHATS, *SEARCHES, *(("facts_over_threads", way) for way in THREADS)}
    assert ways == run_here
    assert {way for _, way in ways} == {*PEERS, "with_threadkeep"}


def test_the_documentation_has_these_lines() -> None:
    assert table() in PAGE.read_text("utf-8")


def test_imports_docstrings_and_handing_out_count_for_nothing() -> None:
    assert lines_of("search_messages") == {"with_threadkeep": 3, "with_mem0": 3}
    assert lines_of("own_loop")["with_threadkeep"] == 4


def run(job: str, way: str, code: str, said: str, folder: Path, model: OpenAIWithEmbeddings) -> str:
    """What a program prints that does a job in one way."""
    program = (
        f"import sys; from examples.side_by_side.{job} import {way} as way; said = sys.argv[1]"
    )
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}\n{code}", said],
        cwd=folder,
        env=environment(folder, model),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def environment(folder: Path, model: OpenAIWithEmbeddings) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("THREADKEEP_")},
        "HOME": str(folder),
        "MEM0_TELEMETRY": "False",
        "OPENAI_AGENTS_DISABLE_TRACING": "1",
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": model.base_url,
        "PYTHONPATH": str(ROOT),
    }


def skip_without_peer(way: str) -> None:
    peer = way.removeprefix("with_")
    if peer in ("mem0", "langmem") and find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
