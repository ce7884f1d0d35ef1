"""Messages as items, exact for the framework and readable for others; its provider beside ours."""

from __future__ import annotations

import asyncio
import json
import string
from typing import Any

import pytest
from agent_framework import Content, InMemoryHistoryProvider, Message
from hypothesis import given
from hypothesis import strategies as st

import threadkeep
from agent_framework_threadkeep import ThreadkeepHistoryProvider
from agent_framework_threadkeep.codec import to_items, to_messages
from tests.backends.conftest import REQUIRED, STORES
from tests.engine.doubles import Counting
from tests.integrations.agent_framework.conftest import dumps
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import ConfigError, InputError, NotOwner
from threadkeep.testing import assert_valid

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
names = st.text(string.ascii_lowercase, min_size=1, max_size=5)
json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(names, json_values, max_size=3)
pictures = st.binary(max_size=40).map(lambda data: Content.from_data(data, "image/png"))
urls = st.just(Content.from_uri("https://example.com/a.png", media_type="image/png"))
usages = st.builds(
    Content.from_usage,
    st.fixed_dictionaries({"input_token_count": st.integers(0, 9), "cached": st.integers(0, 9)}),
)
contents = st.one_of(
    texts.map(Content.from_text),
    st.builds(Content.from_text, texts, additional_properties=objects),
    st.builds(Content.from_text_reasoning, text=texts, protected_data=st.none() | texts),
    st.builds(Content.from_function_call, names, names, arguments=objects | texts),
    st.builds(
        Content.from_function_result,
        names,
        result=texts | objects | st.just([Content.from_text("a"), Content.from_text("b")]),
    ),
    st.builds(Content.from_function_result, names, result=st.lists(texts.map(Content.from_text))),
    st.builds(Content.from_function_result, names, result=st.lists(pictures, min_size=1)),
    pictures,
    urls,
    usages,
    st.builds(Content.from_error, message=texts, error_code=st.none() | names),
    st.builds(Content.from_hosted_file, names),
    st.builds(Content.from_mcp_server_tool_call, names, names, arguments=objects | texts),
    st.builds(
        Content.from_mcp_server_tool_result,
        names,
        output=texts | objects | st.lists(texts.map(Content.from_text), max_size=2),
    ),
)
messages = st.builds(
    Message,
    st.sampled_from(["user", "assistant", "system", "tool"]),
    st.lists(contents, max_size=4),
    author_name=st.none() | names,
    message_id=st.none() | names,
    additional_properties=st.none() | objects,
)


def fields(message):
    """What a message holds, also what its dump leaves out."""
    names = ("role", "contents", "author_name", "message_id", "additional_properties")
    return [getattr(message, name) for name in names]


@pytest.mark.proves("D22")
@given(st.lists(messages, max_size=4))
def test_messages_come_back_equal_from_a_store(said):
    with threadkeep.connect("memory://") as memory:
        chat = memory.session("chat")
        chat.add(*(item for message in said for item in to_items(message)))
        read = to_messages(chat.items())
        assert dumps(read) == dumps(said)
        assert list(map(fields, read)) == list(map(fields, said))
        chat.window().to_openai()  # other frameworks can read them


@given(messages, st.data())
def test_a_forgotten_item_takes_its_contents_along(message, data):
    items = to_items(message)
    gone = data.draw(st.sampled_from(items))
    left = [part for m in to_messages([i for i in items if i is not gone]) for part in m.contents]
    lost = [part for m in to_messages([gone]) for part in m.contents]
    assert len(left) == len(message.contents) - len(lost)


@pytest.mark.proves("D22")
@given(
    st.lists(st.tuples(st.booleans(), st.lists(messages, max_size=3)), max_size=5),
    st.data(),
)
def test_saving_adds_what_the_in_memory_provider_adds(batches, data):
    """Batches are new, or repeat the end of what is there, as a transcript that is saved whole."""
    with threadkeep.connect("memory://") as memory:
        ours, theirs = ThreadkeepHistoryProvider(memory), InMemoryHistoryProvider()
        state: dict[str, Any] = {}
        for is_replay, batch in batches:
            held = asyncio.run(theirs.get_messages("chat", state=state))
            start = data.draw(st.integers(0, len(held))) if is_replay else len(held)
            saved = [*held[start:], *batch]
            asyncio.run(theirs.save_messages("chat", saved, state=state))
            asyncio.run(ours.save_messages("chat", saved))
            expected = asyncio.run(theirs.get_messages("chat", state=state))
            assert dumps(asyncio.run(ours.get_messages("chat"))) == dumps(expected)


def test_a_transcript_is_recognised_where_a_redactor_changed_it():
    with threadkeep.connect("memory://", redactor=lambda text, _: text.replace("4", "*")) as memory:
        history = ThreadkeepHistoryProvider(memory)
        turn = [Message("user", ["Card 4"], message_id="m1"), Message("assistant", ["Thanks."])]
        asyncio.run(history.save_messages("chat", turn))
        asyncio.run(history.save_messages("chat", [*turn, Message("user", ["And 4?"])]))
        texts = [item.text for item in memory.session("chat").items()]
    assert texts == ["Card *", "Thanks.", "And *?"]


def test_a_transcript_is_redacted_where_it_is_new():
    redacted_texts = []

    def mask(text, _):
        redacted_texts.append(text)
        return text.replace("4", "*")

    def message(number):
        return Message(("user", "assistant")[number % 2], [f"{number:b}" if number else "Card 4"])

    with threadkeep.connect("memory://", redactor=mask) as memory:
        history = ThreadkeepHistoryProvider(memory)
        transcript = [message(number) for number in range(100)]
        asyncio.run(history.save_messages("chat", transcript))
        redacted_texts.clear()
        asyncio.run(history.save_messages("chat", [*transcript, Message("user", ["And 4?"])]))
        texts = [item.text for item in memory.session("chat").items()]
    assert texts[::100] == ["Card *", "And *?"]
    assert len(redacted_texts) <= 20


def test_parallel_results_are_items_of_their_own():
    results = [
        Content.from_function_result(f"call_{c}", result=f"{c}: 21") for c in ("Oslo", "Rome")
    ]
    message = Message("tool", results)
    first, second = to_items(message)
    assert (first.tool_call_id, first.content) == ("call_Oslo", "Oslo: 21")
    assert (second.tool_call_id, second.content) == ("call_Rome", "Rome: 21")
    assert "Rome" not in json.dumps(first.raw)
    assert "Oslo" not in json.dumps(second.raw)


def test_a_failed_result_keeps_that_it_failed_as_the_frameworks_dumps_do(history):
    result = Content.from_function_result("c", result="Error", exception="secret stack trace")
    asyncio.run(history.save_messages("chat", [Message("tool", [result])]))
    (read,) = asyncio.run(history.get_messages("chat"))
    assert read.contents[0].exception
    assert "secret" not in read.contents[0].exception
    assert history.memory.session("chat").items()[0].status == "error"


def test_the_result_of_an_mcp_server_comes_back_with_the_message_around_it(history):
    result = Content.from_mcp_server_tool_result("m", output=[Content.from_text("21 degrees")])
    call = Content.from_mcp_server_tool_call("m", "weather", server_name="sky", arguments="{}")
    answer = Message("assistant", [call, result, "Warm."], author_name="guide", message_id="m1")
    asyncio.run(history.save_messages("chat", [Message("user", ["How warm?"]), answer]))
    read = asyncio.run(history.get_messages("chat"))
    assert dumps(read[1:]) == [answer.to_dict()]


def test_an_object_that_is_no_json_becomes_its_fields_or_is_refused(history):
    call = Content.from_function_call("c", "weather", arguments={"day": {1, 2}})
    asyncio.run(history.save_messages("chat", [Message("assistant", [call])]))
    (read,) = asyncio.run(history.get_messages("chat"))
    assert read.contents[0].arguments == {"day": [1, 2]}
    bad = Content.from_function_call("c", "weather", arguments={"day": object()})
    with pytest.raises(InputError):
        asyncio.run(
            history.save_messages("chat", [Message("user", ["a"]), Message("assistant", [bad])])
        )
    assert len(asyncio.run(history.get_messages("chat"))) == 1


def test_sessions_of_others_are_refused(memory):
    ada, bob = (ThreadkeepHistoryProvider(memory, user=user) for user in ("ada", "bob"))
    asyncio.run(ada.save_messages("chat", [Message("user", ["mine"])]))
    for call in (bob.get_messages("chat"), bob.save_messages("chat", [Message("user", ["x"])])):
        with pytest.raises(NotOwner):
            asyncio.run(call)
    with pytest.raises(ConfigError, match="session_id"):
        asyncio.run(ada.get_messages(None))


def test_a_picture_is_stored_once_and_comes_back_whole(history, memory):
    picture = Content.from_data(bytes(range(256)) * 1_000, "image/png")
    message = Message("user", ["Look!", picture])
    asyncio.run(history.save_messages("chat", [message]))
    assert dumps(asyncio.run(history.get_messages("chat"))) == [message.to_dict()]
    (item,) = memory.session("chat").items()
    assert json.dumps(item.raw).count(item.content[1]["base64"][:99]) == 0


@pytest.mark.parametrize("length", [100, 10_000])
def test_the_cost_of_a_turn_does_not_grow_with_the_session(length):
    backend = Counting(MemoryBackend())
    with threadkeep.Memory(backend) as memory:
        turns = [{"role": ("user", "assistant")[n % 2], "content": f"m{n}"} for n in range(length)]
        memory.session("chat").add(*turns)
    with threadkeep.Memory(backend) as memory:  # another process: nothing is cached
        history = ThreadkeepHistoryProvider(memory, window={"max_messages": 10})
        backend.reset()
        assert 5 <= len(asyncio.run(history.get_messages("chat"))) <= 10
        assert backend.records <= 100
        backend.reset()
        asyncio.run(history.save_messages("chat", [Message("user", ["more"])]))
        assert backend.records <= 10
        assert len(backend.commits) == 1


@pytest.fixture(params=["postgres", "mysql", "redis", "redis-cluster", "mongodb"])
def server(request, tmp_path):
    try:
        backend = STORES[request.param](tmp_path).open()
    except pytest.skip.Exception:
        assert request.param not in REQUIRED, "promised by THREADKEEP_TEST_REQUIRE"
        raise
    with threadkeep.Memory(backend, owned=True) as memory:
        yield memory


@pytest.mark.slow
def test_every_server_gives_back_what_was_saved(server):
    history = ThreadkeepHistoryProvider(server, user="ada")
    call = Content.from_function_call("c", "weather", arguments={"city": "Orléans \x01"})
    turn = [
        Message("user", ["How warm?", Content.from_data(b"\x89PNG", "image/png")]),
        Message("assistant", [Content.from_text_reasoning(text="Hm."), call]),
        Message("tool", [Content.from_function_result("c", result="21")]),
        Message("assistant", ["Warm."], message_id="m1"),
    ]
    asyncio.run(history.save_messages("chat", turn))
    asyncio.run(history.save_messages("chat", [*turn, Message("user", ["Thanks."])]))
    read = asyncio.run(history.get_messages("chat"))
    assert dumps(read[:4]) == dumps(turn)
    assert [message.text for message in read[4:]] == ["Thanks."]
    assert_valid(server.session("chat").window().to_openai(), "openai")
