"""Server-sent events, read as the official client reads them, whatever the chunks."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from threadkeep.serve.chat_answers import ChatAnswer, completion_response
from threadkeep.serve.record import Turn
from threadkeep.serve.response_events import ResponseAnswer, ResponseRewriter
from threadkeep.serve.sse import EventReader, MalformedStream, ServerEvent, event_bytes

LINES = st.one_of(
    st.sampled_from(["data: {}", "data:", "data: a: b", "event: x", "event:", ": c", "id: 1", ""]),
    st.text("dat: xeé\t", max_size=8),
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
STREAMS = st.lists(st.tuples(st.lists(LINES, max_size=3), ENDS), max_size=4).map(
    lambda blocks: "".join(
        "".join(line + end for line in lines) + end for lines, end in blocks
    ).encode()
)


@settings(max_examples=100)
@given(stream=STREAMS, cuts=st.lists(st.integers(0, 200), max_size=5))
def test_events_are_those_of_the_official_client(stream, cuts):
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader, read = EventReader(), []
    for begin, end in itertools.pairwise(edges):
        read += reader.feed(stream[begin:end])
    decoded = [event for event in SSEDecoder().iter_bytes(iter([stream])) if event.data]
    assert [(event.name, event.data) for event in read if event.data] == [
        (event.event or "", event.data) for event in decoded
    ]


KEYS = (
    "id",
    "type",
    "role",
    "content",
    "delta",
    "index",
    "function",
    "arguments",
    "tool_calls",
    "output",
    "item",
    "name",
    "finish_reason",
    "message",
    "status",
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 9), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "response.created",
        "response.output_item.added",
        "response.output_text.delta",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.output_item.done",
        "response.completed",
        "response.failed",
        "error",
    ]
)
EVENTS = st.fixed_dictionaries(
    {"type": KINDS},
    optional={
        "response": VALUES,
        "item": VALUES,
        "item_id": VALUES,
        "delta": VALUES,
        "output_index": VALUES,
        "content_index": VALUES,
        "sequence_number": VALUES,
    },
)


@settings(max_examples=100)
@given(events=st.lists(EVENTS, max_size=6))
def test_any_events_of_a_response_give_one_that_is_json(events):
    turn = Turn(None, "openai-responses", "Hi", conversation="c", previous=None)
    rewriter, answer = ResponseRewriter(turn), ResponseAnswer()
    for event in events:
        rewritten = rewriter.event(event)
        event_bytes(rewritten)
        answer.take(rewritten)
        if isinstance(event.get("response"), dict):
            assert rewritten["response"]["id"] == turn.response_id
    response = answer.response()
    assert json.loads(json.dumps(response)) == response
    assert isinstance(response["output"], list)
    assert answer.is_done or response["status"] == "incomplete"


@settings(max_examples=100)
@given(chunks=st.lists(st.fixed_dictionaries({}, optional={"choices": VALUES, "id": VALUES})))
def test_any_chunks_of_a_chat_give_a_message_that_is_json(chunks):
    answer = ChatAnswer()
    for chunk in chunks:
        with suppress(MalformedStream):
            answer.take(ServerEvent("", json.dumps(chunk)))
        with suppress(MalformedStream):
            json.dumps(completion_response(chunk))
    json.dumps([answer.message(), answer.response()])


@settings(max_examples=100)
@given(pieces=st.lists(st.text(max_size=5), max_size=6))
def test_deltas_add_up_to_the_whole_text(pieces):
    answer = ChatAnswer()
    for piece in pieces:
        choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
        answer.take(ServerEvent("", json.dumps({"choices": [choice]})))
    message = answer.message()
    assert (message or {}).get("content") == ("".join(pieces) if pieces else None)
    assert answer.response()["status"] == "incomplete"
