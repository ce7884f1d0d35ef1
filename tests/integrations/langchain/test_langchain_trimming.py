"""`trim_messages`: the signature of LangChain's, and none of the faults that are shown here."""

from __future__ import annotations

import inspect

import langchain_core.messages
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_openai_messages,
)
from langchain_core.prompts import ChatPromptTemplate

from langchain_threadkeep import trim_messages
from tests.integrations.langchain.chains import texts
from threadkeep.testing import assert_valid


def call(*ids):
    return AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": id} for id in ids])


SYSTEM, ASK = SystemMessage("be kind"), HumanMessage("weather?")
LOOP = [call("a"), ToolMessage("A", tool_call_id="a")]
TALK = [SYSTEM, ASK, *LOOP, AIMessage("warm"), HumanMessage("thanks")]


def per_message(message: BaseMessage) -> int:
    return 1


def kept(messages, most, token_counter=len, **options):
    return trim_messages(messages, max_tokens=most, token_counter=token_counter, **options)


def test_the_parameters_are_langchain_s():
    theirs = inspect.signature(langchain_core.messages.trim_messages).parameters
    ours = inspect.signature(trim_messages).parameters
    for name, parameter in theirs.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert ours[name].default == parameter.default
            assert ours[name].kind is parameter.kind


def test_where_nothing_is_at_stake_it_does_the_same():
    plain = [SYSTEM]
    for number in range(6):
        plain += [HumanMessage(f"q{number}"), AIMessage(f"a{number}")]
    for most in range(2, 14):
        options = {
            "max_tokens": most, "token_counter": len, "include_system": True, "start_on": "human",
            "end_on": ("human", AIMessage),
        }  # fmt: skip
        theirs = langchain_core.messages.trim_messages(plain, **options)
        if len(theirs) > 1:
            assert trim_messages(plain, **options) == theirs


def test_a_result_never_stands_without_its_call():
    assert kept(TALK, 3) == TALK[-2:]
    assert kept(TALK, 4) == TALK[-4:]
    upstream = langchain_core.messages.trim_messages(TALK, max_tokens=3, token_counter=len)
    assert upstream[0].type == "tool", "upstream mended this: say so in the how-to"


def test_from_the_front_a_call_never_stands_without_its_result():
    assert kept(TALK, 3, strategy="first") == TALK[:2]
    assert kept(TALK, 4, strategy="first") == TALK[:4]


def test_what_was_asked_last_stays_in_a_long_loop_of_tools():
    loop = [SYSTEM, ASK, *LOOP, call("b"), ToolMessage("B", tool_call_id="b")]
    found = kept(loop, 3, include_system=True, start_on="human")
    assert found == [SYSTEM, ASK, *loop[-2:]]
    assert langchain_core.messages.trim_messages(
        loop, max_tokens=3, token_counter=len, start_on="human"
    ) == [], "upstream mended this: say so in the how-to"  # fmt: skip


def test_the_last_result_stays_wherever_its_call_stands():
    first, second = call("a"), call("b")
    result_b, result_a = ToolMessage("B", tool_call_id="b"), ToolMessage("A", tool_call_id="a")
    found = kept([ASK, first, second, result_b, result_a], 1)
    assert found == [ASK, first, result_a, second, result_b]


@pytest.mark.parametrize("most", [0, 1, 2])
def test_a_prompt_is_never_empty(most):
    assert kept(TALK, most)[-1:] == TALK[-1:]
    assert kept(TALK, most, include_system=True) == [SYSTEM, TALK[-1]]
    assert kept(TALK, most, start_on="human") == TALK[-1:]
    assert kept([], most) == []


def test_all_system_messages_stay_where_they_stood():
    later = SystemMessage("now in French")
    found = kept([SYSTEM, ASK, AIMessage("x"), later, HumanMessage("y")], 3, include_system=True)
    assert found == [SYSTEM, later, HumanMessage("y")]


@pytest.mark.parametrize(
    "counter",
    [
        len,
        per_message,
        lambda messages: len(messages),
        lambda message: 1 if message.content is not None else 0,
    ],
    ids=["list", "annotated as text", "lambda of a list", "lambda of a message"],
)
def test_counters_of_lists_and_of_messages(counter):
    assert kept(TALK, 4, counter) == TALK[-4:]


def test_a_model_counts(monkeypatch):
    model = FakeListChatModel(responses=["x"])
    monkeypatch.setattr(
        FakeListChatModel, "get_num_tokens_from_messages", lambda self, messages: len(messages)
    )
    assert kept(TALK, 4, model) == TALK[-4:]


def test_a_model_with_options_bound_to_it_counts(monkeypatch):
    monkeypatch.setattr(
        FakeListChatModel, "get_num_tokens_from_messages", lambda self, messages: len(messages)
    )
    bound = FakeListChatModel(responses=["x"]).bind(stop=["."]).with_config(tags=["count"])
    assert kept(TALK, 4, bound) == TALK[-4:]


def test_counters_see_messages_in_their_order():
    def counter(messages):
        places = [TALK.index(message) for message in messages]
        assert places == sorted(places)
        return len(messages)

    assert kept(TALK, 4, counter) == TALK[-4:]


def test_what_a_prompt_costs_beside_its_messages_is_counted_once():
    assert kept(TALK, 5, lambda messages: len(messages) + 1) == TALK[-4:]
    assert kept(TALK, 6, lambda messages: len(messages) + 1) == TALK[-5:]


def test_counting_costs_what_is_kept_and_not_what_is_there():
    counted = 0

    def counter(messages):
        nonlocal counted
        counted += len(messages)
        return len(messages)

    many = [HumanMessage(str(n)) for n in range(10_000)]
    assert len(kept(many, 50, counter)) == 50
    assert counted < 400


def test_an_approximate_count_takes_media_by_a_flat_rate():
    image = HumanMessage([{"type": "image", "base64": "A" * 400_000, "mime_type": "image/png"}])
    messages = [image, AIMessage("nice"), HumanMessage("why?")]
    assert kept(messages, 3_000, "approximate") == messages
    args = {"text": "word " * 4_000}
    big = AIMessage([], tool_calls=[{"name": "f", "args": args, "id": "a"}])
    asked = [big, ToolMessage("A", tool_call_id="a"), HumanMessage("and?")]
    assert kept(asked, 3_000, "approximate") == asked[-1:]


class TestParts:
    def test_the_end_of_a_text(self):
        messages = [HumanMessage("one\ntwo\nthree"), AIMessage("x"), HumanMessage("y")]
        found = kept(messages, 7, words, allow_partial=True, text_splitter=splits)
        assert texts(found) == ["three", "x", "y"]
        assert texts(kept(messages, 2, words, allow_partial=True)) == ["x", "y"]

    def test_the_beginning_of_a_text(self):
        messages = [HumanMessage("y"), AIMessage("one\ntwo\nthree")]
        found = kept(messages, 8, words, allow_partial=True, strategy="first")
        assert texts(found) == ["y", "one\ntwo\n"]

    def test_of_what_was_said_last_if_it_alone_is_too_long(self):
        messages = [HumanMessage("x"), HumanMessage("one\ntwo\nthree")]
        assert texts(kept(messages, 8, words, allow_partial=True)) == ["two\nthree"]
        assert texts(kept(messages, 2, words, allow_partial=True)) == ["one\ntwo\nthree"]
        found = kept(messages[1:], 6, words, allow_partial=True, strategy="first")
        assert texts(found) == ["one\ntwo\n"]
        assert messages[1].content == "one\ntwo\nthree"

    def test_system_messages_are_not_cut(self):
        messages = [SystemMessage("one\ntwo"), HumanMessage("three\nfour")]
        found = kept(messages, 10, words, allow_partial=True, include_system=True)
        assert texts(found) == ["one\ntwo", "four"]

    def test_an_image_stays(self):
        image = {"type": "image", "url": "https://x/y.png"}
        messages = [HumanMessage([{"type": "text", "text": "one\ntwo"}, image]), HumanMessage("y")]
        found = kept(messages, 4, words, allow_partial=True)
        assert found[0].content == [{"type": "text", "text": "two"}, image]
        assert messages[0].content[0]["text"] == "one\ntwo"

    def test_a_call_is_not_cut(self):
        asked = call("a").model_copy(update={"content": "one\ntwo"})
        messages = [asked, ToolMessage("A", tool_call_id="a"), HumanMessage("y")]
        assert kept(messages, 4, words, allow_partial=True) == messages[-1:]


def words(messages):
    return sum(len(message.text.replace("\n", "")) for message in messages)


def splits(text):
    return text.splitlines(keepends=True)


def test_as_a_runnable():
    trim = trim_messages(max_tokens=2, token_counter=len)
    assert trim.invoke(TALK) == TALK[-2:]
    prompt = ChatPromptTemplate.from_messages([("human", "a"), ("ai", "b"), ("human", "c")])
    assert texts((prompt | trim).invoke({})) == ["b", "c"]
    assert texts(trim.invoke([("human", "a"), {"role": "ai", "content": "b"}, "c"])) == ["b", "c"]


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "middle"},
        {"strategy": "first", "start_on": "human"},
        {"strategy": "first", "include_system": True},
        {"token_counter": "exact"},
        {"token_counter": 5},
    ],
)
def test_what_makes_no_sense_is_said_at_once(options):
    with pytest.raises(ValueError):
        trim_messages(max_tokens=2, **{"token_counter": len, **options})


SAID = st.sampled_from(["human", "ai", "loop", "two", "torn", "orphan", "system"])


@given(st.lists(SAID, max_size=12), st.integers(0, 14), st.booleans())
def test_whatever_is_left_is_a_prompt_that_providers_take(said, most, system):
    messages = []
    for number, kind in enumerate(said):
        one, two = f"{number}a", f"{number}b"
        results = [ToolMessage("x", tool_call_id=id) for id in (one, two)]
        messages += {
            "human": [HumanMessage(f"h{number}")],
            "ai": [AIMessage(f"a{number}")],
            "system": [SystemMessage(f"s{number}")],
            "loop": [call(one), results[0]],
            "two": [call(one, two), *results],
            "torn": [call(one, two), results[0]],
            "orphan": [results[0]],
        }[kind]
    found = kept(messages, most, include_system=system)
    places = [messages.index(message) for message in found]
    assert places == sorted(places)
    if found and found[-1].type != "ai":
        assert_valid(convert_to_openai_messages(found), "openai")
    spoken = [message for message in messages if isinstance(message, HumanMessage)]
    assert not spoken or spoken[-1] in found
