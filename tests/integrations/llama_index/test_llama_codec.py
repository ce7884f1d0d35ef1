"""Every block type of LlamaIndex through a store and back, and what others read of it."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

import threadkeep
from llama_index.memory.threadkeep import codec
from threadkeep.errors import InputError
from threadkeep.testing import assert_valid

to_item: Any = codec.to_item
to_message: Any = codec.to_message

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BLOCKS = [
    TextBlock(text="words"),
    TextBlock(text=""),
    ImageBlock(image=PNG, image_mimetype="image/png", detail="low"),
    ImageBlock(url="https://example.org/a.png"),
    AudioBlock(audio=b"RIFF", format="wav"),
    VideoBlock(url="https://example.org/v.mp4", fps=2),
    VideoBlock(video=b"mp4", video_mimetype="video/mp4"),
    DocumentBlock(data=b"%PDF-1.4", title="a.pdf", document_mimetype="application/pdf"),
    DocumentBlock(url="https://example.org/d.pdf", title="d"),
    CachePoint(cache_control=CacheControl(type="ephemeral", ttl="1h")),
    CitableBlock(title="t", source="s", content=[TextBlock(text="cite me")]),
    CitationBlock(
        cited_content=TextBlock(text="cited"),
        source="s",
        title="t",
        additional_location_info={"start": 1},
    ),
    ThinkingBlock(content="hm", num_tokens=3, additional_information={"signature": "sig"}),
    ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs={"city": "Oslo"}),
    ToolCallBlock(tool_call_id=None, tool_name="weather", tool_kwargs='{"broken'),
]
MESSAGES = [
    *(ChatMessage(role="assistant", blocks=[block]) for block in BLOCKS),
    ChatMessage(role="assistant", blocks=BLOCKS),
    ChatMessage(role="user", content="plain"),
    ChatMessage(role="user", blocks=[]),
    ChatMessage(role="user", content=""),
    ChatMessage(role="user", blocks=[TextBlock(text="a"), TextBlock(text="b")]),
    ChatMessage(role="developer", content="be brief"),
    ChatMessage(role="chatbot", content="old name"),
    ChatMessage(role="model", content="gemini's name"),
    ChatMessage(role="tool", content="21", additional_kwargs={"tool_call_id": "c1", "name": "w"}),
    ChatMessage(role="function", content="21", additional_kwargs={"name": "w"}),
    ChatMessage(role="user", content="\x00 nul \ud83d half", additional_kwargs={"any": [1, None]}),
    ChatMessage(
        role="assistant",
        blocks=[],
        additional_kwargs={
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "n", "arguments": "{}"}}
            ]
        },
    ),
]


def kept(message):
    """The message through a real store, by JSON."""
    with threadkeep.connect("memory://") as memory:
        memory.session("chat").add(to_item(message))
        return to_message(memory.session("chat").items()[0])


@pytest.mark.parametrize("message", MESSAGES, ids=range(len(MESSAGES)))
def test_every_message_comes_back_equal(message):
    assert kept(message) == message


def test_what_comes_back_is_fresh():
    item = to_item(MESSAGES[len(BLOCKS)])
    to_message(item).blocks.clear()
    assert to_message(item) == MESSAGES[len(BLOCKS)]


def test_bytes_are_stored_once():
    data = base64.b64encode(b"x" * 30_000)
    item = to_item(ChatMessage(role="user", blocks=[ImageBlock(image=data), TextBlock(text="a")]))
    assert len(repr(item)) < 45_000


def test_a_stream_of_bytes_is_read_whole_and_left_at_its_beginning():
    stream = io.BytesIO(PNG)
    message = ChatMessage(role="user", blocks=[ImageBlock(image=stream)])
    stream.read(3)
    assert base64.b64decode(kept(message).blocks[0].image) == PNG
    assert stream.read() == PNG


def test_a_file_that_is_gone_hides_neither_the_message_nor_where_it_was(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    message = ChatMessage(role="user", blocks=[TextBlock(text="see"), ImageBlock(path=path)])
    item = to_item(message)
    assert to_message(item) == message
    path.unlink()
    back = to_message(item)
    assert back.content == "see"
    assert str(back.blocks[1].path) == str(path)


def test_a_block_of_tomorrow_is_named():
    item = to_item(
        ChatMessage(role="user", blocks=[CachePoint(cache_control=CacheControl(type="e"))])
    )
    item.raw["data"]["blocks"][0] = {"block_type": "hologram"}
    assert to_message(item).content == "[hologram]"


def test_what_is_not_json_is_refused_by_name():
    message = ChatMessage(role="user", content="a", additional_kwargs={"x": object()})
    with pytest.raises(InputError, match="message 3"):
        to_item(message, "message 3")


def test_others_read_words_thoughts_calls_and_results():
    call = ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs={"city": "Oslo"})
    image = ImageBlock(image=PNG, image_mimetype="image/png", detail="low")
    story = [
        ChatMessage(role="user", blocks=[TextBlock(text="See?"), image]),
        ChatMessage(role="assistant", blocks=[ThinkingBlock(content="hm"), call]),
        MESSAGES[len(BLOCKS) + 8],
    ]
    with threadkeep.connect("memory://") as memory:
        chat = memory.session("chat")
        chat.add(*map(to_item, story))
        asked, called, result = chat.items()
        shown: Any = asked.content[1]
        assert shown["base64"] == base64.b64encode(PNG).decode()
        assert called.tool_calls == [{"id": "c1", "name": "weather", "args": {"city": "Oslo"}}]
        assert called.content == [{"type": "reasoning", "reasoning": "hm"}]
        assert (result.tool_call_id, result.type, result.text) == ("c1", "tool_result", "21")
        window = chat.window()
        assert_valid(window.to_openai(), "openai")
        assert_valid(window.to_responses(), "responses")
        assert_valid(window.to_anthropic(), "anthropic")
        assert window.to_openai()[0]["content"][1]["type"] == "image_url"
