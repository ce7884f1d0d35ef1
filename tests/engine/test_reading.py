"""What applications hand to `add`: known shapes are read, the rest is refused with what to do."""

from __future__ import annotations

import asyncio
import dataclasses
import typing

import pytest
from anthropic.types import Message, RawMessageStartEvent, TextBlock
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from openai.types.conversations.conversation_item import ConversationItem
from openai.types.responses import (
    ResponseCompletedEvent,
    ResponseFunctionWebSearch,
    ResponseOutputText,
    response_input_item,
    response_output_item,
)
from pydantic import BaseModel, ConfigDict

from threadkeep import Item, connect
from threadkeep.errors import InputError
from threadkeep.messages.checks import DATE_FIELDS, ROLES
from threadkeep.messages.schemas import RESPONSES_ITEM_TYPES

TEXT = {"role": "user", "content": "hi"}


@pytest.fixture
def memory():
    with connect("memory://") as memory:
        yield memory


@pytest.fixture
def chat(memory):
    return memory.session("chat")


def models(union):
    if hasattr(union, "model_fields"):
        yield union
    for part in typing.get_args(union):
        yield from models(part)


def literals(hint):
    if isinstance(hint, str):
        yield hint
    for part in typing.get_args(hint):
        yield from literals(part)


def types_of(union):
    fields = [model.model_fields.get("type") for model in models(union)]
    return {kind for field in fields if field for kind in literals(field.annotation)}


def refused(chat, hint, *messages, **options):
    with pytest.raises(InputError, match=hint) as caught:
        chat.add(*messages, **options)
    assert chat.items() == []
    return str(caught.value)


@pytest.mark.parametrize(
    "union",
    [
        response_input_item.ResponseInputItem,
        response_output_item.ResponseOutputItem,
        ConversationItem,
    ],
)
def test_every_item_type_of_the_sdk_is_known(union):
    assert types_of(union) <= RESPONSES_ITEM_TYPES


@pytest.mark.parametrize("kind", sorted(RESPONSES_ITEM_TYPES - {"message", "item_reference"}))
def test_item_of_every_known_type_is_stored(chat, kind):
    (item,) = chat.add({"type": kind, "id": "x_1", "call_id": "c", "name": "f", "summary": []})
    assert item.type == kind


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ({"type": "fucntion_call", "name": "f"}, "did you mean 'function_call'"),
        ({"type": "brand_new", "x": 1}, "pass format='openai-responses'"),
        ({"type": "brand_new", **TEXT}, "type 'brand_new' is unknown"),
        ({"type": "text", "text": "x"}, "is a part of a message"),
        ({"type": "tool_use", "id": "a", "name": "f", "input": {}}, "is a part of a message"),
        ({"type": "web_search_tool_result", "content": []}, "is a part of a message"),
        ({"type": "response.completed", "response": {}}, r"event of a stream.*event\.response"),
        ({"type": "message_start", "message": {}}, "event of a stream"),
        ({"role": "bot", "content": "x"}, "did you mean 'assistant'"),
        ({"role": "usr", "content": "x"}, "did you mean 'user'"),
        ({"role": "User", "content": "x"}, "did you mean 'user'"),
        ({"role": "Ada", "content": "x"}, "known: ai, assistant.*own name goes into name="),
        ({"role": "Ada", "role_type": "user", "content": "x"}, "pass role_type as role"),
        ({"role": "model", "parts": [{"text": "x"}]}, "has parts in place of content"),
        ({"role": "user", "parts": [{"type": "text", "text": "x"}]}, "has parts"),
        ({**TEXT, "timestamp": "soon"}, "created_at is not a point in time"),
        ({**TEXT, "time": [5]}, "created_at must be epoch seconds"),
        pytest.param(object(), "got object: pass a dict with its role and content", id="an object"),
        (dataclasses.make_dataclass("Msg", ["role", "content"])("user", "x"), "s Msg: pass a dict"),
        (("user", 5), "is a tuple; add its entries"),
        (("nobody", "x"), "is a tuple; add its entries"),
        (([], "x"), "is a tuple; add its entries"),
        ({"role": [], "content": "x"}, "role must be a str, got list"),
        (RawMessageStartEvent.model_construct(type="message_start"), "event of a stream"),
        (TextBlock.model_construct(type="text", text="x"), "is a part of a message"),
        (ResponseOutputText.model_construct(type="output_text", text="x"), "a part of a message"),
        (ResponseCompletedEvent.model_construct(type="response.completed"), "event of a stream"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_unknown_is_refused_with_what_to_do(chat, message, hint):
    refused(chat, hint, message)
    with pytest.raises(InputError, match=hint):
        chat.set_items(message)
    with pytest.raises(InputError, match=hint.replace("message 0", "item")):
        chat.replace("x", message)


@settings(max_examples=150)
@given(st.text(max_size=50) | st.sampled_from(["AI", "Human", "bots", "assistent", "systems"]))
def test_any_other_role_and_type_is_refused(name):
    with connect("memory://") as memory:
        chat = memory.session("chat")
        if name not in ROLES:
            refused(chat, "role", {"role": name, "content": "x"})
        if name not in RESPONSES_ITEM_TYPES | {"tool_call", "tool_result", "notice"}:
            refused(chat, "type", {"type": name, "payload": "x"})


@pytest.mark.parametrize("role", sorted(ROLES))
def test_known_role_is_read(chat, role):
    meant = {"human": "user", "ai": "assistant", "model": "assistant", "chatbot": "assistant",
             "function": "tool"}.get(role, role)  # fmt: skip
    pair, plain = chat.add((role, "x"), {"role": role, "content": "x"})
    assert pair.role == plain.role == meant
    assert chat.add("x", role=role)[0].role == meant


def test_unknown_is_stored_with_a_format(chat):
    new = {"type": "brand_new", "id": "bn_1", "x": [1]}
    critic = {"role": "critic", "content": "x"}
    claude = {"role": "assistant", "content": [{"type": "text", "text": "x"}]}
    (first,) = chat.add(new, format="openai-responses")
    (second,) = chat.add(critic, format="openai-chat")
    (third,) = chat.add({**claude, "content": [{"type": "new_part"}]}, format="anthropic")
    chat.add(TEXT, "text", Item(content="i"), format="anthropic")
    assert (first.type, second.role, third.content[0]["type"]) == ("brand_new", "critic", "opaque")
    assert new.items() <= chat.window().to_responses()[0].items()


def test_format_says_which_api_an_ambiguous_dict_is_of(chat):
    parts = {"role": "assistant", "content": [{"type": "text", "text": "x"}]}
    message = {"role": "assistant", "content": "x", "id": "msg_1"}
    (as_chat,) = chat.add(parts, format="openai-chat")
    (as_response,) = chat.add(message, format="openai-responses")
    assert as_chat.raw is None
    assert as_response.raw["data"] == {"type": "message", **message}


def test_unknown_format_is_refused(chat):
    refused(chat, "format 'openai' is unknown; did you mean 'openai-chat'", TEXT, format="openai")
    refused(chat, "role is missing", {"content": "x"}, format="openai-responses")


def test_unknown_part_of_a_known_message_is_stored(chat):
    part = {"type": "hologram", "beam": 1}
    (item,) = chat.add({"role": "user", "content": [part]})
    assert item.content == [{"type": "opaque", "value": part}]


def test_object_of_an_sdk_is_stored_whatever_its_type(chat):
    search = ResponseFunctionWebSearch.model_construct(type="web_search_2_call", id="ws_1")
    assert chat.add(search)[0].type == "web_search_2_call"
    critic = ChatCompletionMessage.model_construct(role="critic", content="x")
    assert chat.add(critic)[0].role == "critic"
    text = TextBlock(type="text", text="hello")
    message = Message.model_construct(
        id="msg_1", type="message", role="assistant", model="claude", content=[text],
        stop_reason="end_turn",
    )  # fmt: skip
    assert chat.add(message)[0].text == "hello"
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "c"}}
    completion = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
    whole = ChatCompletion.model_validate({**completion, "choices": [choice]})
    assert chat.add(whole)[0].text == "c"


def test_whole_response_is_stored_whatever_is_in_it(chat):
    response = {"object": "response", "model": "m", "output": [{"type": "brand_new", "id": "b"}]}
    assert chat.add(response)[0].type == "brand_new"


class Own(BaseModel):
    model_config = ConfigDict(extra="allow")
    role: str
    content: str = "x"


def test_model_of_an_application_is_read_as_its_dict(chat):
    assert chat.add(Own(role="assistant"))[0].role == "assistant"
    with pytest.raises(InputError, match=r"message 0 \(Own\)\.role 'bot' is unknown"):
        chat.add(Own(role="bot"))


def test_stored_items_of_any_type_and_role_are_added_again(chat, memory):
    odd = Item(type="brand_new", role="critic", content="x")
    (stored,) = chat.add(odd)
    (copied,) = memory.session("copy").add(*chat.items())
    assert (copied.type, copied.role, copied.id) == ("brand_new", "critic", stored.id)


def test_one_text_with_a_role_a_name_and_metadata(chat):
    (item,) = chat.add("hello", role="assistant", name="bot", metadata={"k": 1})
    assert (item.role, item.name, item.text, item.metadata) == (
        "assistant", "bot", "hello", {"k": 1},
    )  # fmt: skip
    (named,) = asyncio.run(chat.aadd("hi", name="ada"))
    assert (named.role, named.name) == ("user", "ada")
    (parts,) = chat.add([{"type": "text", "text": "x"}], role="user")
    assert parts.text == "x"
    assert chat.items() == [item, named, parts]


@pytest.mark.parametrize(
    ("messages", "options", "hint"),
    [
        (("a", "b"), {"role": "user"}, "role= belongs to one text"),
        ((), {"metadata": {"a": 1}}, "metadata= belongs to one text"),
        ((TEXT,), {"role": "user"}, "in a dict, the fields are keys of it"),
        ((Item(),), {"name": "ada"}, "name= belongs to one text"),
        (("a",), {"role": "bot"}, "role 'bot' is unknown; did you mean 'assistant'"),
        (("a",), {"role": ""}, "role is empty"),
        (("a",), {"role": 5}, "role must be a str, got int"),
        (("a",), {"name": 5}, "name must be a str, got int"),
        (("a",), {"metadata": [1]}, "metadata must be a dict, got list"),
        (("user", "hi"), {}, r"write add\(text, role='user'\)"),
        (("assistant", "hi"), {}, r"write add\(text, role='assistant'\)"),
    ],
    ids=str,
)
def test_fields_of_one_text_are_checked(chat, messages, options, hint):
    refused(chat, hint, *messages, **options)


def test_words_that_are_roles_are_texts_otherwise(chat):
    assert [item.text for item in chat.add("user", "hi", "x")] == ["user", "hi", "x"]
    assert [item.text for item in chat.add("system")] == ["system"]


def test_refusal_never_shows_a_text(chat):
    long = "secret " * 50
    for message in ({"type": long, "x": 1}, {"role": long, "content": long}, {"parts": [long]}):
        assert len(refused(chat, "message 0", message)) < 350


values = st.recursive(
    st.none() | st.integers() | st.sampled_from(["", "x", "human", "HumanMessage", "text"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "text", "content", "data", "id"]), inner)
    ),
    max_leaves=4,
)
kinds = st.sampled_from(["human", "ai", "tool", "chat", "constructor", "AIMessageChunk"])
langchain_keys = (
    "data content role additional_kwargs response_metadata id name tool_calls "
    "invalid_tool_calls usage_metadata lc kwargs tool_call_id status"
)
block_keys = "text image url content additional_information cited_content tool_kwargs path title"
block_types = "text image tool_call thinking citable citation document x"
blocks = st.fixed_dictionaries(
    {"block_type": st.sampled_from(block_types.split())},
    optional=dict.fromkeys(block_keys.split(), values),
)
framework_dumps = st.fixed_dictionaries(
    {"type": kinds}, optional=dict.fromkeys(langchain_keys.split(), values)
) | st.fixed_dictionaries(
    {"role": values | st.just("user")},
    optional={"blocks": st.lists(blocks, max_size=2), "additional_kwargs": values},
)


@settings(max_examples=200)
@given(framework_dumps)
@example({"type": "human", "content": [{"type": []}]})
def test_dump_of_any_content_is_read_or_refused(dump):
    with connect("memory://") as memory:
        chat = memory.session("chat")
        try:
            chat.add(dump)
        except InputError:
            assert chat.items() == []
        window = chat.window()
        window.to_openai(), window.to_responses(), window.to_anthropic()


@pytest.mark.parametrize("name", DATE_FIELDS)
@pytest.mark.parametrize("date", ["2024-05-06T07:08:09Z", 1714979289, 1714979289000])
def test_a_date_under_the_name_of_another_library_is_kept(chat, name, date):
    (item,) = chat.add({**TEXT, name: date})
    assert item.created_at.timestamp() == 1714979289
    assert chat.window().to_openai() == [TEXT]


def test_created_at_takes_precedence_over_other_names(chat):
    (item,) = chat.add({**TEXT, "created_at": 5, "timestamp": 6})
    assert item.created_at.timestamp() == 5
