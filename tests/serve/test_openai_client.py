"""The official Python client of OpenAI, unchanged, against a server of ours; its types judge."""

from __future__ import annotations

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import OpenAI
from openai.types.conversations import ConversationItem
from openai.types.responses import Response as ClientResponse
from openai.types.responses import ResponseItem
from pydantic import TypeAdapter

from tests.serve.running import door as open_door
from threadkeep import Item
from threadkeep.serve import item_to_entries
from threadkeep.serve.entry_ids import entry_id, item_id

ITEM = TypeAdapter(ConversationItem)
EVERY_TYPE: list = [
    {"role": "user", "content": "Where?"},
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "this"},
            {"type": "input_image", "detail": "auto", "image_url": "https://x.org/a.png"},
        ],
    },
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
    {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "look", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "42"},
    {
        "type": "mcp_call",
        "id": "mcp_1",
        "name": "ask",
        "arguments": "{}",
        "server_label": "s",
    },
    {"type": "custom_tool_call", "call_id": "c2", "name": "run", "input": "x = 1"},
    {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
    {"role": "assistant", "content": "There."},
]


def judged(entry):
    """An entry as it went over the wire, valid by the client's own types."""
    return ITEM.validate_python(entry.model_dump(exclude_unset=True, by_alias=True))


@pytest.mark.proves("D17")
def test_conversations_of_the_official_client(stored_memory, tmp_path):
    with (
        open_door(stored_memory, tmp_path) as door,
        OpenAI(base_url=f"{door.url}/v1", api_key=door.ada, max_retries=0) as client,
    ):
        made = client.conversations.create(
            metadata={"topic": "trip"}, items=[{"role": "user", "content": "Hi"}]
        )
        assert made.object == "conversation"
        assert made.metadata == {"topic": "trip"}
        read = client.conversations.retrieve(made.id)
        assert (read.id, read.metadata) == (made.id, made.metadata)
        assert abs(read.created_at - made.created_at) <= 1  # by the server's clock
        changed = client.conversations.update(made.id, metadata={"place": "Rome"})
        assert changed.metadata == {"topic": "trip", "place": "Rome"}
        added = client.conversations.items.create(made.id, items=EVERY_TYPE)
        assert [judged(entry).type for entry in added.data] == [
            entry.get("type", "message") for entry in EVERY_TYPE
        ]
        listed = list(client.conversations.items.list(made.id, order="asc", limit=3))
        assert [entry.id for entry in listed][1:] == [entry.id for entry in added.data]
        newest = list(client.conversations.items.list(made.id, limit=2))
        assert [entry.id for entry in newest] == [entry.id for entry in listed][::-1]
        one = client.conversations.items.retrieve(listed[4].id, conversation_id=made.id)
        assert one == listed[4]
        after = client.conversations.items.delete(listed[0].id, conversation_id=made.id)
        assert after.id == made.id
        with pytest.raises(openai.NotFoundError):
            client.conversations.items.retrieve(listed[0].id, conversation_id=made.id)
        gone = client.conversations.delete(made.id)
        assert (gone.deleted, gone.object) == (True, "conversation.deleted")
        with pytest.raises(openai.NotFoundError):
            client.conversations.retrieve(made.id)


@pytest.mark.proves("D17")
def test_stored_responses_of_the_official_client(client, memory):
    given = ClientResponse.model_validate(
        {
            "id": "resp_1",
            "object": "response",
            "created_at": 1_700_000_000,
            "model": "gpt-5",
            "output": [
                {
                    "type": "message",
                    "id": "msg_1",
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "Ho", "annotations": []}],
                }
            ],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "status": "completed",
        }
    )
    memory.responses.add(given, user="ada", input=["Hi", {"role": "user", "content": "Ho?"}][1:])
    stored = client.responses.retrieve("resp_1")
    assert stored.output_text == "Ho"
    assert stored.output == given.output
    assert ClientResponse.model_validate(stored.model_dump()) == stored
    entries = list(client.responses.input_items.list("resp_1"))
    assert [entry.content[0].text for entry in entries] == ["Ho?"]
    TypeAdapter(ResponseItem).validate_python(entries[0].model_dump(exclude_unset=True))
    client.responses.delete("resp_1")
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve("resp_1")


def test_errors_are_those_the_client_expects(client, door):
    with pytest.raises(openai.NotFoundError) as missing:
        client.conversations.retrieve("conv_none")
    assert missing.value.type == "invalid_request_error"
    with pytest.raises(openai.BadRequestError) as refused:
        client.conversations.create(items=[{"role": "user", "content": "x"}] * 21)
    assert "21 items" in refused.value.message
    with pytest.raises(openai.BadRequestError) as unknown:
        client.conversations.create(extra_body={"colour": "red"})
    assert unknown.value.param == "colour"
    stranger = OpenAI(base_url=f"{door.url}/v1", api_key="tk_no", max_retries=0)
    with stranger, pytest.raises(openai.AuthenticationError) as unauthenticated:
        stranger.conversations.create()
    assert unauthenticated.value.code == "invalid_api_key"


def test_an_idempotency_key_stores_an_item_once(client):
    id = client.conversations.create().id
    for _ in range(2):
        client.conversations.items.create(
            id,
            items=[{"role": "user", "content": "once"}],
            extra_headers={"Idempotency-Key": "k1"},
        )
    assert [entry.id for entry in client.conversations.items.list(id)] == ["msg~k1"]


def test_a_message_with_calls_is_several_entries_in_whole_pages(client, memory):
    chat = memory.session("chat/1", user="ada")
    call = {"type": "function", "function": {"name": "look", "arguments": "{}"}}
    chat.add(
        "Hi",
        {
            "role": "assistant",
            "content": "Let me see",
            "tool_calls": [{"id": "c1", **call}, {"id": "c2", **call}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "tool", "tool_call_id": "c2", "content": "2"},
    )
    for order in ("asc", "desc"):
        pages = list(client.conversations.items.list("chat/1", order=order, limit=2))
        types = [judged(entry).type for entry in pages]
        expected = ["message"] * 2 + ["function_call"] * 2 + ["function_call_output"] * 2
        assert types == (expected if order == "asc" else expected[::-1])
    second = pages[2]
    assert client.conversations.items.retrieve(second.id, conversation_id="chat/1") == second


BLOCKS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, st.text(max_size=8)),
    st.just({"type": "image", "url": "https://x.org/a.png"}),
    st.builds(lambda text: {"type": "reasoning", "reasoning": text}, st.text(max_size=8)),
    st.just({"type": "json", "value": {"a": 1}}),
    st.just({"type": "file", "url": "https://x.org/a.pdf"}),
    st.just({"type": "opaque", "value": {"strange": True}}),
)
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text("abc", min_size=1, max_size=3),
            "name": st.text("fgh", min_size=1, max_size=3),
            "args": st.one_of(st.just({}), st.just({"a": [1]}), st.text(max_size=5)),
        }
    ),
    max_size=2,
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    role=st.sampled_from(["user", "assistant", "system", "developer", "tool"]),
    content=st.one_of(st.text(max_size=10), st.lists(BLOCKS, max_size=3)),
    calls=CALLS,
    type=st.sampled_from(["message", "reasoning", "notice"]),
)
def test_every_item_is_entries_of_the_clients_types(role, content, calls, type):
    item = Item(
        id="it",
        role=role,
        type=type,
        content=content,
        tool_calls=calls if role == "assistant" else [],
        tool_call_id="c" if role == "tool" else None,
    )
    entries = item_to_entries(item)
    for entry in entries:
        ITEM.validate_python(entry)
    assert {item_id(entry["id"])[0] for entry in entries} == {"it"}
    assert len({entry["id"] for entry in entries}) == len(entries)


IDS = st.one_of(
    st.text(min_size=1, max_size=12),
    st.from_regex(r"((msg|rs|fc|item)[~_]){0,3}[a-z]{1,3}(~[0-9]{1,3}){0,2}", fullmatch=True),
)


@settings(max_examples=500)
@given(
    id=IDS,
    kind=st.sampled_from(["message", "reasoning", "function_call", "web_search_call"]),
    number=st.integers(0, 999),
)
def test_the_id_of_an_entry_leads_back_to_its_item(id, kind, number):
    made = entry_id(id, kind, number)
    assert item_id(made) == (id, number)
    assert made.startswith(
        {"message": "msg", "reasoning": "rs", "function_call": "fc"}.get(kind, "")
    )
