"""Every message comes back equal, and other frameworks can read what it says."""

from __future__ import annotations

import copy
import json

from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.conversation import Conversation
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

import threadkeep
from pydantic_ai_threadkeep import ThreadkeepConversationStore
from tests.integrations.pydantic_ai.conftest import MESSAGES, PNG, many, run
from threadkeep.testing import assert_valid


@many
@given(st.lists(MESSAGES, max_size=4))
def test_every_message_comes_back_equal(messages):
    before = copy.deepcopy(messages)
    with threadkeep.connect("memory://") as memory:
        store = ThreadkeepConversationStore(memory)
        run(store.save(Conversation(conversation_id="c", messages=messages)))
        loaded = run(store.load("c"))
    assert messages == before
    assert loaded.messages == messages
    dumped = [ModelMessagesTypeAdapter.dump_json(list(m)) for m in (loaded.messages, messages)]
    assert dumped[0] == dumped[1]


@many
@given(st.lists(MESSAGES, max_size=3), st.data())
def test_of_a_message_that_was_forgotten_in_part_the_rest_is_there(messages, data):
    with threadkeep.connect("memory://") as memory:
        store = ThreadkeepConversationStore(memory)
        run(store.save(Conversation(conversation_id="c", messages=messages)))
        chat = memory.session("c")
        items = chat.items()
        gone = data.draw(st.sets(st.sampled_from([i.id for i in items]))) if items else set()
        chat.forget(*gone)
        loaded = run(store.load("c"))
        again = run(store.load_entries("c"))
    if not gone:
        assert loaded.messages == messages
    assert [entry.message for entry in again] == loaded.messages
    parts = [part for message in messages for part in message.parts]
    assert all(part in parts for message in loaded.messages for part in message.parts)


def test_a_turn_reads_as_one_of_any_framework(store, memory):
    messages = [
        ModelRequest(
            [
                SystemPromptPart("Be brief."),
                UserPromptPart(["Which?", BinaryContent(PNG, media_type="image/png")]),
            ]
        ),
        ModelResponse(
            [
                ThinkingPart("Hm.", signature="s"),
                TextPart("I look."),
                ToolCallPart("weather", '{"city": "Oslo"}', "call_1"),
                ToolCallPart("weather", {"city": "Rome"}, "call_2"),
            ]
        ),
        ModelRequest(
            [
                ToolReturnPart("weather", "21", "call_1"),
                ToolReturnPart("weather", {"degrees": 30}, "call_2"),
            ]
        ),
        ModelResponse([TextPart("Rome.")]),
    ]
    run(store.save(Conversation(conversation_id="c", messages=messages)))
    window = memory.session("c").window()
    roles = ["system", "user", "assistant", "tool", "tool", "assistant"]
    assert [item.role for item in window] == roles
    sent = window.to_openai()
    assert_valid(sent, "openai")
    assert [call["id"] for call in sent[2]["tool_calls"]] == ["call_1", "call_2"]
    assert json.loads(sent[2]["tool_calls"][0]["function"]["arguments"]) == {"city": "Oslo"}
    assert window[4].content == [{"type": "json", "value": {"degrees": 30}}]
    assert_valid(window.to_responses(), "responses")


def test_a_redacted_text_is_in_no_message(tmp_path):
    def redactor(text, kind):
        return text.replace("K4111", "****")

    with threadkeep.connect("memory://", redactor=redactor) as memory:
        store = ThreadkeepConversationStore(memory)
        messages = [
            ModelRequest([UserPromptPart("My card is K4111")]),
            ModelResponse([TextPart("Thanks")]),
        ]
        run(store.save(Conversation(conversation_id="c", messages=messages)))
        loaded = run(store.load("c"))
    assert loaded.messages[0].parts[0].content == "My card is ****"
    assert loaded.messages[1] == messages[1]
    assert "K4111" not in repr(loaded)
