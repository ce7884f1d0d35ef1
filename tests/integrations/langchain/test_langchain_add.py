"""LangChain's messages and their dumps given to `chat.add`: stored as the adapter stores them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.load import dumpd
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    message_chunk_to_message,
    message_to_dict,
)
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langchain_core.prompts import HumanMessagePromptTemplate

import threadkeep
from langchain_threadkeep import ThreadkeepChatMessageHistory
from langchain_threadkeep.codec import to_message
from tests.integrations.langchain.samples import MESSAGES, exactly
from threadkeep.errors import InputError

NOT_JSON = {"result with documents", "result with odd artifact", "dates", "log probabilities",
            "parts without a type"}  # fmt: skip
REFUSED = {"chat", "chat without a role", "remove"}
SAMPLES = {name: m for name, m in MESSAGES.items() if name not in NOT_JSON | REFUSED}
DUMPS = {
    "object": lambda message: message,
    "model_dump": lambda message: message.model_dump(),
    "messages_to_dict": message_to_dict,
    "dumpd": lambda message: json.loads(json.dumps(dumpd(message))),
}
NEUTRAL = ("type", "role", "name", "content", "tool_calls", "tool_call_id", "status", "model",
           "usage")  # fmt: skip

texts = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.sampled_from([None, "ada", "weather"])
ids = st.sampled_from([None, "m1", "m2", "m3", "__fake_id__"])
kwargs = st.dictionaries(st.sampled_from(["a", "b", "lc_source"]), st.integers() | texts)
parts = st.sampled_from(
    [
        "words",
        {"type": "text", "text": "t"},
        {"type": "text", "text": "long " * 30, "id": "x"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 80}},
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "hologram", "beam": [1, None]},
        {"text": "no type"},
        {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
    ]
)
contents = texts | st.lists(parts, max_size=4)
common = {"content": contents, "id": ids, "name": names, "additional_kwargs": kwargs}
calls = st.builds(
    tool_call,
    name=st.sampled_from(["f", "g"]),
    args=st.dictionaries(texts, st.integers() | texts, max_size=2),
    id=st.sampled_from(["c1", "c2", None]),
)
broken = st.builds(
    invalid_tool_call,
    name=st.sampled_from(["f", None]),
    args=st.sampled_from(["{", "{}", None]),
    id=st.sampled_from(["c3", None]),
    error=st.sampled_from([None, "not JSON"]),
)
usages = st.sampled_from([None, {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}])
metadata = st.sampled_from([{}, {"model_name": "gpt-5"}, {"model": "m", "finish_reason": "stop"}])
messages = st.one_of(
    st.builds(HumanMessage, **common),
    st.builds(HumanMessageChunk, **common),
    st.builds(SystemMessage, **common),
    st.builds(FunctionMessage, **{**common, "name": st.just("f")}),
    st.builds(
        ChatMessage, **common, role=st.sampled_from(["user", "assistant", "system", "developer"])
    ),
    st.builds(
        ToolMessage,
        **common,
        tool_call_id=st.sampled_from(["c1", "c2"]),
        status=st.sampled_from(["success", "error"]),
        artifact=st.sampled_from([None, {"rows": [1]}]),
    ),
    st.builds(
        AIMessage,
        **common,
        tool_calls=st.lists(calls, max_size=2),
        invalid_tool_calls=st.lists(broken, max_size=1),
        usage_metadata=usages,
        response_metadata=metadata,
    ),
    st.builds(AIMessageChunk, **common, usage_metadata=usages, response_metadata=metadata),
)


@pytest.fixture(scope="module")
def memory():
    with threadkeep.connect("memory://") as memory:
        yield memory


@pytest.fixture
def chat(memory, request):
    session = memory.session(request.node.name)
    session.delete()
    return session


def neutral(item):
    return {name: getattr(item, name) for name in NEUTRAL}


def stored_by_the_adapter(memory, messages):
    ThreadkeepChatMessageHistory("adapter", memory).add_messages(messages)
    items = memory.session("adapter").items()
    memory.session("adapter").delete()
    return items


@pytest.mark.parametrize(
    ("name", "dump"),
    [
        pytest.param(name, dump, id=f"{name}, {kind}")
        for name in SAMPLES
        for kind, dump in DUMPS.items()
        if (name, kind) != ("more fields", "dumpd")  # which leaves them out
    ],
)
def test_sample_is_stored_as_by_the_adapter(memory, chat, name, dump):
    (expected,) = stored_by_the_adapter(memory, [SAMPLES[name]])
    (added,) = chat.add(dump(SAMPLES[name]))
    assert neutral(added) == neutral(expected)
    assert exactly(to_message(chat.items()[0])) == exactly(SAMPLES[name])


@settings(max_examples=150)
@given(conversation=st.lists(messages, max_size=5), dump=st.sampled_from([*DUMPS.values()]))
def test_conversation_is_stored_as_by_the_adapter(memory, conversation, dump):
    expected = stored_by_the_adapter(memory, conversation)
    chat = memory.session("core")
    added = chat.add(*map(dump, conversation))
    chat.delete()
    assert [*map(neutral, added)] == [*map(neutral, expected)]
    for item, other, message in zip(added, expected, conversation, strict=True):
        whole = message_chunk_to_message(message) if "Chunk" in message.type else message
        assert exactly(to_message(item)) == exactly(whole)
        if any(f in other.id for f in ("m1", "m2", "m3")):
            assert item.id == other.id


def test_whole_state_added_again_is_no_news(chat):
    turn = [HumanMessage("q", id="h1"), AIMessage("a", id="a1")]
    chat.add(*turn)
    chat.add(*turn, HumanMessage("q2", id="h2"), AIMessage("cached", id="a1"))
    assert [item.text for item in chat.items()] == ["q", "a", "q2", "cached"]


@pytest.mark.parametrize("name", sorted(NOT_JSON - {"parts without a type"}))
def test_value_that_is_not_json_is_refused_with_the_adapter(chat, name):
    with pytest.raises(InputError, match=r"message 0.*is not JSON; ThreadkeepChatMessageHistory"):
        chat.add(MESSAGES[name])
    assert chat.items() == []


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        (RemoveMessage(id="m1"), r"RemoveMessage.*chat\.remove\(id\)"),
        (ChatMessage("x", role="bot"), "role 'bot' is unknown; did you mean 'assistant'"),
        (dumpd(HumanMessagePromptTemplate.from_template("{x}")), "not a message"),
        ({"lc": 1, "type": "constructor", "id": ["x"]}, "not a message"),
        ({"type": "human", "data": {"content": 5}}, "content must be a str"),
        ({"type": "ai", "data": {"content": "x", "tool_calls": [5]}}, "tool_calls must be a list"),
        ({"type": "ai", "content": "x", "additional_kwargs": 5}, "additional_kwargs must be"),
        ({"type": "tool", "content": "x", "tool_call_id": 5}, "tool_call_id must be a str"),
        ({"type": "human", "content": "x", "name": ["ada"]}, None),
    ],
    ids=str,
)
def test_what_is_no_message_is_refused(chat, message, hint):
    if hint is None:
        assert chat.add(message)[0].name is None
        return
    with pytest.raises(InputError, match=hint):
        chat.add(message)
    assert chat.items() == []
