"""`pending_approvals`: the calls of the last step that nobody has answered, whatever wrote them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.doubles import Counting
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import NotOwner
from threadkeep.types.approvals import PendingApproval


def chat_calls(*ids):
    calls = [
        {"id": id, "type": "function", "function": {"name": f"tool_{id}", "arguments": '{"n": 1}'}}
        for id in ids
    ]
    return [{"role": "assistant", "content": None, "tool_calls": calls}]


def response_calls(*ids):
    call = {"type": "function_call", "arguments": '{"n": 1}'}
    return [{**call, "call_id": id, "name": f"tool_{id}"} for id in ids]


def anthropic_calls(*ids):
    calls = [{"type": "tool_use", "id": id, "name": f"tool_{id}", "input": {"n": 1}} for id in ids]
    return [{"role": "assistant", "content": calls}]


def requests(*ids):
    request = {"type": "mcp_approval_request", "server_label": "wiki", "arguments": '{"n": 1}'}
    return [{**request, "id": id, "name": f"tool_{id}"} for id in ids]


def chat_result(id):
    return {"role": "tool", "tool_call_id": id, "content": "done"}


def response_result(id):
    return {"type": "function_call_output", "call_id": id, "output": "done"}


def anthropic_result(id):
    result = {"type": "tool_result", "tool_use_id": id, "content": "done"}
    return {"role": "user", "content": [result]}


def approval(id):
    return {"type": "mcp_approval_response", "approval_request_id": id, "approve": True}


SHAPES = {
    "chat": (chat_calls, chat_result),
    "responses": (response_calls, response_result),
    "anthropic": (anthropic_calls, anthropic_result),
    "mcp": (requests, approval),
}


@pytest.fixture
def chat():
    with connect("memory://") as memory:
        yield memory.session("chat", user="ada")


@pytest.mark.parametrize("shape", SHAPES)
def test_calls_are_pending_until_they_are_answered(chat, shape):
    calls, answer = SHAPES[shape]
    assert chat.pending_approvals() == []
    chat.add("Go.", *calls("a", "b"))
    assert [pending.id for pending in chat.pending_approvals()] == ["a", "b"]
    chat.add(answer("a"))
    assert [pending.id for pending in asyncio.run(chat.apending_approvals())] == ["b"]
    chat.add(answer("b"))
    assert chat.pending_approvals() == []


def test_a_pending_call_names_tool_arguments_date_and_item(chat):
    date = datetime(2026, 1, 2, tzinfo=UTC)
    item = chat.add("Go.", {**chat_calls("a")[0], "created_at": date})[1]
    (request,) = chat.add(*requests("b"))
    tool_call, mcp = chat.pending_approvals()
    arguments = {"n": 1}
    assert tool_call == PendingApproval("a", "tool_a", arguments, date, "tool_call", None, item.id)
    assert mcp == PendingApproval(
        "b", "tool_b", arguments, request.created_at, "mcp", "wiki", request.id
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_what_the_user_spoke_after_is_not_pending(chat, shape):
    chat.add("Go.", *SHAPES[shape][0]("a"), "Never mind.")
    assert chat.pending_approvals() == []


@pytest.mark.parametrize("arguments", ['{"n": NaN}', '{"n": ', "text"])
def test_arguments_that_are_no_json_object_stay_text(chat, arguments):
    call = {"type": "function_call", "call_id": "a", "name": "f", "arguments": arguments}
    chat.add("Go.", call, {**requests("b")[0], "arguments": arguments})
    assert [pending.arguments for pending in chat.pending_approvals()] == [arguments] * 2


def test_large_arguments_come_whole(chat):
    text = "word " * 50_000
    chat.add("Go.", {**response_calls("a")[0], "arguments": json.dumps({"text": text})})
    assert chat.pending_approvals()[0].arguments == {"text": text}


def test_hidden_calls_and_those_of_other_users_are_not_shown(chat):
    [_, item] = chat.add("Go.", *chat_calls("a"))
    chat.hide(item.id)
    assert chat.pending_approvals() == []
    with connect("memory://") as memory:
        memory.session("s", user="ada").add("Go.", *chat_calls("a"))
        with pytest.raises(NotOwner):
            memory.session("s", user="bob").pending_approvals()


@pytest.mark.parametrize("results", [0, 200])
def test_the_cost_is_that_of_the_last_step(results):
    backend = Counting(MemoryBackend())
    with connect(backend) as memory:
        chat = memory.session("s")
        for _ in range(40):
            chat.add(*["question"] * 50)
        ids = [str(number) for number in range(results + 1)]
        chat.add(*response_calls(*ids), *map(response_result, ids[1:]))
    with connect(backend) as memory:
        backend.reset()
        assert [p.id for p in memory.session("s").pending_approvals()] == ["0"]
        assert backend.records < 100 + 4 * results


STEPS = st.tuples(
    st.sampled_from(sorted(SHAPES)), st.integers(1, 3), st.lists(st.integers(0, 2)), st.booleans()
)


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=5))
def test_generated_runs_have_the_calls_pending_that_no_result_names(steps):
    with connect("memory://") as memory:
        chat, expected = memory.session("s"), []
        for number, (shape, count, answered, goes_on) in enumerate(steps):
            calls, answer = SHAPES[shape]
            ids = [f"c{number}.{index}" for index in range(count)]
            done = [ids[index] for index in dict.fromkeys(answered) if index < count]
            chat.add("Go.", *calls(*ids), *map(answer, done))
            if goes_on:
                chat.add({"role": "assistant", "content": "Done."}, "Thanks.")
            expected = [] if goes_on else [id for id in ids if id not in done]
        assert [pending.id for pending in chat.pending_approvals()] == expected
