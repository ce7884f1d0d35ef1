"""LlamaIndex' messages and their dumps given to `chat.add`: stored as the adapter stores them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, MessageRole

import threadkeep
from llama_index.memory.threadkeep import codec
from tests.integrations.llama_index.test_llama_codec import BLOCKS, MESSAGES
from threadkeep.errors import InputError

to_item: Any = codec.to_item
to_message: Any = codec.to_message
DUMPS = {
    "object": lambda message: message,
    "model_dump": lambda message: message.model_dump(),
    "json": lambda message: message.model_dump(mode="json"),
}
extras = st.dictionaries(
    st.sampled_from(["name", "tool_call_id", "tool_calls", "x"]),
    st.sampled_from(
        ["a", 5, None, [{"id": "c", "function": {"name": "n", "arguments": "{}"}}], ["x"]]
    ),
)
messages = st.builds(
    ChatMessage,
    role=st.sampled_from(list(MessageRole)),
    blocks=st.lists(st.sampled_from(BLOCKS), max_size=3),
    additional_kwargs=extras,
)


@pytest.fixture(scope="module")
def memory():
    with threadkeep.connect("memory://") as memory:
        yield memory


def check(memory, message, dump):
    expected = to_item(message)
    chat = memory.session("chat")
    chat.delete()
    chat.add(dump(message))
    (item,) = chat.items()
    fields = ("type", "role", "name", "content", "tool_calls", "tool_call_id", "raw")
    assert {f: getattr(item, f) for f in fields} == {f: getattr(expected, f) for f in fields}
    if not any(hasattr(getattr(b, "image", None), "read") for b in message.blocks):
        assert to_message(item) == message


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
@pytest.mark.parametrize("message", MESSAGES, ids=range(len(MESSAGES)))
def test_sample_is_stored_as_by_the_adapter(memory, message, dump):
    check(memory, message, dump)


@settings(max_examples=100)
@given(message=messages, dump=st.sampled_from([*DUMPS.values()]))
def test_message_is_stored_as_by_the_adapter(memory, message, dump):
    check(memory, message, dump)


def test_dump_of_an_older_version_is_read(memory):
    chat = memory.session("older")
    older = {"role": "assistant", "content": "hi", "additional_kwargs": {}}
    (item,) = chat.add(older)
    assert (item.role, item.content, to_message(item).content) == ("assistant", "hi", "hi")


@pytest.mark.parametrize("dump", ["object", "model_dump"])
def test_open_file_is_read_whole_and_left_at_its_beginning(memory, dump):
    stream = io.BytesIO(b"\x89PNG")
    message = ChatMessage(role="user", blocks=[ImageBlock(image=stream)])
    stream.read(2)
    check(memory, message, DUMPS[dump])
    if dump == "object":
        assert stream.read() == b"\x89PNG"


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ({"role": "bot", "blocks": []}, "role 'bot' is unknown; did you mean 'assistant'"),
        ({"role": "user", "blocks": [5]}, r"blocks\[0\] must be a dict with a block_type"),
        ({"role": "user", "blocks": [{"block_type": "text"}]}, r"blocks\[0\]\.text must be a str"),
        ({"role": "user", "blocks": [], "additional_kwargs": 5}, "additional_kwargs must be"),
        (ChatMessage(role="user", content="x", additional_kwargs={"x": {1}}), "x is a set"),
        (ChatMessage(role="user", content="x", additional_kwargs={"x": float("nan")}), "as JSON"),
    ],
    ids=range(6),
)
def test_what_cannot_be_read_is_refused(memory, message, hint):
    chat = memory.session("refused")
    with pytest.raises(InputError, match=hint):
        chat.add(message)
    assert chat.items() == []
