"""LangSmith's runs: traced by LangChain, written by LangSmith's serializer, read back."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langsmith._internal._serde import dumps_json

from tests.importers.conftest import said
from threadkeep.importers.transcript import Transcript


class Model(GenericFakeChatModel):
    def bind_tools(self, tools, **options):
        return self


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def traced(saver, thread="t1"):
    """The runs of two turns, all of them, as `list_runs` has them: the newest first."""
    call = {"name": "add", "args": {"a": 1, "b": 2}, "id": "c1"}
    answers = iter([AIMessage("", tool_calls=[call]), AIMessage("3"), AIMessage("You are welcome")])
    agent = create_agent(
        Model(messages=answers), [add], system_prompt="Be brief", checkpointer=saver
    )
    runs = []
    for question in ("What is 1+2?", "Thanks"):
        collector = RunCollectorCallbackHandler(_schema_format="original+chat")  # LangSmith's
        agent.invoke(
            {"messages": [{"role": "user", "content": question}]},
            {
                "callbacks": [collector],
                "configurable": {"thread_id": thread},
                "metadata": {"thread_id": thread, "user_id": "ada"},
            },
        )
        runs += [run for root in collector.traced_runs for run in flat(root)]
    return [json.loads(dumps_json(run)) for run in reversed(runs)]


def flat(run):
    yield {name: getattr(run, name) for name in FIELDS}
    for child in run.child_runs:
        yield from flat(child)


FIELDS = (
    "id", "name", "run_type", "inputs", "outputs", "error", "extra", "start_time", "end_time",
    "parent_run_id", "trace_id", "dotted_order",
)  # fmt: skip
EXPECTED = [
    ("user", "What is 1+2?"), ("assistant", ""), ("tool", "3"), ("assistant", "3"),
    ("user", "Thanks"), ("assistant", "You are welcome"),
]  # fmt: skip


@pytest.mark.parametrize("kept", ["all", "roots"])
@pytest.mark.parametrize("as_lines", [True, False])
def test_the_runs_of_a_thread_are_one_session(bring, memory, kept, as_lines):
    runs = traced(InMemorySaver())
    if kept == "roots":
        runs = [run for run in runs if not run["parent_run_id"]]
    text = "".join(json.dumps(run) + "\n" for run in runs) if as_lines else json.dumps(runs)
    report = bring(text, user=None)
    assert (report.sessions, report.messages, report.skipped) == (1, 6, [])
    assert said(memory, "t1") == EXPECTED
    assert memory.session("t1").info().user == "ada"
    assert bring(text, user=None).existing == 6


def test_without_a_checkpointer_each_run_adds_its_own_turn(bring, memory):
    bring([run for run in traced(None) if not run["parent_run_id"]])
    assert said(memory, "t1") == EXPECTED


def test_calls_of_models_without_the_runs_around_them(bring, memory):
    runs = [run for run in traced(InMemorySaver()) if run["run_type"] in ("llm", "chat_model")]
    bring(runs)
    assert said(memory, "t1") == [("system", "Be brief"), *EXPECTED]


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ({"input": "Hi"}, {"output": "Hello"}),
        ({"question": "Hi"}, {"answer": "Hello"}),
        ({"messages": [{"role": "user", "content": "Hi"}]},
         {"choices": [{"message": {"role": "assistant", "content": "Hello"}}]}),
        ({"messages": [["human", "Hi"]]}, {"output": {"type": "ai", "content": "Hello"}}),
        ({"prompts": ["Hi"]}, {"generations": [[{"text": "Hello"}]]}),
        ({"messages": [[{"role": "user", "content": "Hi"}]]},
         {"role": "assistant", "content": "Hello"}),
    ],
)  # fmt: skip
def test_shapes_of_inputs_and_outputs(bring, memory, inputs, outputs):
    report = bring([{"id": "r1", "run_type": "chain", "inputs": inputs, "outputs": outputs}])
    assert report.skipped == []
    assert said(memory, "r1") == [("user", "Hi"), ("assistant", "Hello")]


def test_a_failed_run_keeps_its_question(bring, memory):
    bring([{"id": "r", "run_type": "chain", "inputs": {"input": "Hi"}, "outputs": None}])
    assert said(memory, "r") == [("user", "Hi")]


TURNS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), min_size=1, max_size=6)


@given(TURNS)
def test_cumulative_pieces_make_the_chat_once(turns):
    chat = [
        {"role": role, "content": text}
        for turn in turns
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]
    transcript = Transcript()
    for end in range(2, len(chat) + 1, 2):
        transcript.add(chat[: end - 1], "in", None)
        transcript.add(chat[:end], "out", None)
    assert [message.content for message in transcript.messages] == chat


@pytest.mark.parametrize("seed", range(5))
def test_runs_in_any_order_are_sorted_by_their_time(bring, memory, seed):
    runs = [
        {"id": str(n), "run_type": "chain", "start_time": f"2026-01-01T00:00:{n:02}",
         "inputs": {"input": f"q{n}"}, "outputs": {"output": f"a{n}"},
         "extra": {"metadata": {"thread_id": "t"}}}
        for n in range(20)
    ]  # fmt: skip
    random.Random(seed).shuffle(runs)
    bring(runs)
    texts = [text for _, text in said(memory, "t")]
    assert texts == [word for n in range(20) for word in (f"q{n}", f"a{n}")]
