"""Responses from streams and from Anthropic, and statuses that never go back."""

from __future__ import annotations

import threading

import pytest
from anthropic.types import Message, RawContentBlockDeltaEvent, TextDelta
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseCreatedEvent,
    ResponseOutputItemDoneEvent,
    ResponseTextDeltaEvent,
)

from tests.responses.conftest import answer
from threadkeep import connect
from threadkeep.errors import InputError

ITEM = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "hello", "annotations": []}],
}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 4},
}


def event(kind, status, output=(), **fields):
    response = answer("resp_1", status=status, output=list(output), **fields)
    return {"type": f"response.{kind}", "response": response}


def done(item, index=0):
    return {"type": "response.output_item.done", "output_index": index, "item": item}


DELTA = {"type": "response.output_text.delta", "delta": "hel", "output_index": 0}
BEGINNING = [event("created", "queued"), event("in_progress", "in_progress"), DELTA, done(ITEM)]


@pytest.fixture
def responses():
    with connect("memory://") as memory:
        yield memory.responses


@pytest.mark.parametrize("kind", ["completed", "incomplete", "failed"])
@pytest.mark.parametrize("shape", [list, iter, tuple, lambda events: events[-1]])
def test_stream_is_stored_as_its_last_event_says(responses, kind, shape):
    stored = responses.add(shape([*BEGINNING, event(kind, kind, [ITEM, CALL])]))
    assert responses.get("resp_1") == stored
    assert (stored.status, stored.text, stored.output) == (kind, "hello", [ITEM, CALL])
    assert [call["name"] for call in stored.tool_calls] == ["f"]


def test_stream_that_broke_off_is_incomplete_with_what_was_done(responses):
    stored = responses.add(iter([*BEGINNING, done(CALL, 1), DELTA]))
    assert (stored.status, stored.output) == ("incomplete", [ITEM, CALL])


def test_error_event_makes_it_failed(responses):
    error = {"type": "error", "code": "server_error", "message": "x", "param": None}
    stored = responses.add([*BEGINNING, error])
    assert (stored.status, stored.output) == ("failed", [ITEM])
    assert stored.extra["error"] == {"code": "server_error", "message": "x"}


def test_background_response_goes_on(responses):
    stored = responses.add([event("queued", "queued", background=True)])
    assert stored.status == "queued"


def test_events_of_the_sdk_are_read(responses):
    whole = Response.model_construct(**answer("resp_1", output=[ITEM]), created_at=1.0)
    begun = Response.model_construct(**answer("resp_1", status="in_progress", output=[]))
    item = ResponseOutputItemDoneEvent.model_construct(
        type="response.output_item.done", item=ITEM, output_index=0
    )
    events = [
        ResponseCreatedEvent.model_construct(type="response.created", response=begun),
        ResponseTextDeltaEvent.model_construct(type="response.output_text.delta", delta="h"),
        item,
        ResponseCompletedEvent.model_construct(type="response.completed", response=whole),
    ]
    assert responses.add(events[:3]).status == "incomplete"
    assert responses.add(events[-1]).status == "completed"
    assert responses.add(iter(events)).text == "hello"


async def _no_events():
    yield DELTA


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ([DELTA], "no event has the response"),
        ([], "no event has the response"),
        (DELTA, "has no response: pass all events, or the last one"),
        (_no_events(), r"\[event async for event in stream\]"),
        (
            [answer("resp_1")],
            r"response\[0\] is not an event.*'response'; a response is passed alone",
        ),
        ([{"object": "chat.completion.chunk"}], "get_final_completion"),
        ([{"type": "message_start", "message": CLAUDE}], "get_final_message"),
        (
            RawContentBlockDeltaEvent(
                type="content_block_delta", index=0, delta=TextDelta(type="text_delta", text="x")
            ),
            "get_final_message",
        ),
        (["x"], "not an event"),
        ([{"type": "response.created", "response": "x"}], "response must be a dict, got str"),
        (ITEM, "a message without a model"),
        (CALL, "not a response: pass the whole response"),
        ("resp_1", "must be a dict"),
    ],
    ids=range(13),
)
def test_what_is_no_response_is_refused(responses, source, hint):
    with pytest.raises(InputError, match=hint):
        responses.add(source)
    assert responses.list() == []


@pytest.mark.parametrize("message", [CLAUDE, Message.model_validate(CLAUDE)], ids=["dict", "sdk"])
def test_message_of_anthropic_is_a_response(responses, message):
    stored = responses.add(message, conversation="chat")
    assert (stored.id, stored.model, stored.status, stored.text) == (
        "msg_1", "claude", "completed", "hello",
    )  # fmt: skip
    assert stored.tool_calls == [{"id": "toolu_1", "name": "f", "args": {"a": 1}}]
    assert stored.tokens.total_tokens == 7
    assert stored.extra["stop_reason"] == "tool_use"
    assert responses.add({**CLAUDE, "stop_reason": "max_tokens"}).status == "incomplete"


def rank(status):
    return {"queued": 0, "in_progress": 0}.get(status, 1)


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(["queued", "in_progress", "completed", "failed", "cancelled"]), min_size=1
    )
)
def test_status_never_goes_back(statuses):
    with connect("memory://") as memory:
        seen = []
        for number, status in enumerate(statuses):
            text = {**ITEM, "content": [{"type": "output_text", "text": str(number)}]}
            stored = memory.responses.add(answer("resp_1", status=status, output=[text]))
            assert memory.responses.get("resp_1") == stored
            seen.append((stored.status, stored.text))
    last = 0
    for number, (status, shown) in enumerate(zip(statuses, seen, strict=True)):
        if rank(status) >= rank(statuses[last]):
            last = number
        assert shown == (statuses[last], str(last))


def test_update_without_a_status_leaves_it(responses):
    responses.add(answer("resp_1"))
    assert responses.add({"id": "resp_1", "metadata": {"a": "b"}}).status == "completed"


def test_late_event_of_another_writer_never_wins(tmp_path):
    for number in range(10):
        with connect(f"sqlite:///{tmp_path}/{number}.db") as memory:
            memory.responses.add(answer("resp_1", status="queued"))
            barrier = threading.Barrier(4)

            def write(status, memory=memory, barrier=barrier):
                barrier.wait()
                memory.responses.add(answer("resp_1", status=status))

            statuses = ["in_progress", "completed", "in_progress", "queued"]
            threads = [threading.Thread(target=write, args=(status,)) for status in statuses]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [response.status for response in memory.responses.list()] == ["completed"]
