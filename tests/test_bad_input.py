"""What cannot be right is refused by name, with what it should be, and nothing is half written.

Messages that `add` refuses are in `tests/engine/test_add.py`; here is all that stands around them.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from threadkeep import Query, connect, policies
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import ConfigError, InputError, NotFound
from threadkeep.types import Item


@pytest.fixture
def backend():
    return MemoryBackend()


@pytest.fixture
def memory(backend):
    with connect(backend, clock=lambda: 1_700_000_000.0) as opened:
        yield opened


@pytest.fixture
def chat(memory):
    made = memory.session("chat", user="ada", metadata={"k": 1})
    made.add({"role": "user", "content": "one", "id": "m1"}, {"role": "user", "content": "two"})
    return made


def all_of(backend):
    """Everything in the store, record by record."""
    names, _ = backend.streams("")
    kinds = ("session", "item", "file", "fact")
    return {
        name: [backend.read(Query(name, kind), now=1_700_000_000.0)[0].records for kind in kinds]
        for name in sorted(names)
    }


CALL: dict[str, Any] = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def asking(**call):
    function = {**CALL["function"], **call.pop("function", {})}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{**CALL, **call, "function": function}],
    }


MESSAGES = [
    (asking(id=5), r"message 1\.tool_calls\[0\]\.id must be a str, got int"),
    (asking(function={"name": 5}), r"tool_calls\[0\]\.name must be a str, got int"),
    (asking(function={"name": None}), r"tool_calls\[0\]\.name must be a str, got NoneType"),
    (asking(function={"arguments": 5}), r"tool_calls\[0\]\.args must be a dict or a str, got int"),
    ({"role": "user", "content": [{"text": "x"}]}, r"content\[0\]\.type must be a str, got None"),
    ({"role": "user", "content": [{"type": "text"}]}, r"content\[0\]\.text must be a str"),
    ({"role": "user", "content": [{"type": "text", "text": 5}]}, r"\.text must be a str, got int"),
    ({"role": "user", "content": [None]}, r"content\[0\] must be a str or a dict, got NoneType"),
    ({"role": "user", "content": "x", "tool_call_id": 5}, "tool_call_id must be a str, got int"),
    ({"role": "user", "content": "x", "name": ["ada"]}, "name must be a str, got list"),
    ({"role": "user", "content": "x", "raw": "payload"}, "raw must be a dict, got str"),
    ({"role": "user", "content": "x", "status": True}, "status must be a str, got bool"),
    ({"type": "", "role": "user", "content": "x"}, "type is empty"),
    ({"type": "function_call", "call_id": 5, "name": "f", "arguments": "{}"}, "call_id must be a"),
    ({"choices": []}, "choices is empty"),
    ({"choices": [{"delta": {"content": "x"}}]}, r"choices\[0\]\.message is missing.*stream"),
    ({"object": "response", "output": [{"role": "user"}]}, r"output\[0\]\.content is missing"),
    (Item(tool_calls=[{"id": "c"}]), r"tool_calls\[0\]\.name must be a str"),
    (Item(content=[{"type": 5}]), r"content\[0\]\.type must be a str, got int"),
    (Item(role=""), "role is empty"),
    (Item(raw={"format": "x/1", "data": {1: 2}}), r"raw\.data: keys must be str, got 1"),
    ({"role": "user", "content": "x", "metadata": {"when": object()}}, r"\.when is a object"),
    ({"role": "user", "content": "x" * 64_000_001}, r"is 64,0.* bytes.*keep large files"),
    (5, "must be a str, a dict, an Item or a message object of .*, got int: pass a dict"),
    (None, "got NoneType"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "message"), MESSAGES, ids=lambda value: str(value)[:40])
def test_a_message_names_its_field_and_what_it_should_be(chat, backend, bad, message):
    before = all_of(backend)
    with pytest.raises(InputError, match=message):
        chat.add("before", bad, "after")
    assert all_of(backend) == before


@pytest.mark.parametrize(("bad", "message"), MESSAGES, ids=lambda value: str(value)[:40])
def test_so_does_a_replacement(chat, backend, bad, message):
    before = all_of(backend)
    with pytest.raises(InputError, match=re.sub(r"^message 1", "item", message)):
        chat.replace("m1", bad)
    assert all_of(backend) == before


VERBS = [
    (lambda chat: chat.add(*[{"role": "user", "content": "x", "id": "a"}] * 2), "the id 'a'"),
    (lambda chat: chat.items(last=-1), "last must be a whole number of at least 0, got -1"),
    (lambda chat: chat.items(limit="5"), "limit must be a whole number of at least 0, got '5'"),
    (lambda chat: chat.items(last=1, limit=1), "last= and limit= contradict each other"),
    (lambda chat: chat.items(after=1.5), "after must be an item's id or a seq, got float"),
    (lambda chat: chat.items(before=["m1"]), "before must be an item's id or a seq, got list"),
    (lambda chat: chat.rewind(before=None), "before"),
    (lambda chat: chat.clear(keep_last=-1), "keep_last must be a whole number of at least 0"),
    (lambda chat: chat.clear(keep_last=True), "keep_last must be a whole number of at least 0"),
    (lambda chat: chat.update(title=5), "title must be a str or None, got int"),
    (lambda chat: chat.update(metadata=["a"]), "metadata must be a dict, got list"),
    (lambda chat: chat.update(metadata={"a": {1}}), r"session\.metadata\.a is a set"),
    (lambda chat: chat.remove("m1", 5), "id must be a str, got int"),
    (lambda chat: chat.replace("m1", {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "a"}, {"type": "text", "text": "x"}]}),
     "item must be one item, got a message that makes 2"),
    (lambda chat: chat.remove(chat.items()[0]), "id must be a str, got Item; pass its id"),
    (lambda chat: chat.replace(chat.items()[0], "x"), "id must be a str, got Item; pass its id"),
    (lambda chat: chat.rewind(before=chat.items()[0]), "a seq, got Item; pass its id"),
    (lambda chat: chat.fork("new", upto=chat.items()[0]), "a seq, got Item; pass its id"),
    (lambda chat: chat.branch("new", at=chat.items()[0]), "a seq, got Item; pass its id"),
    (lambda chat: chat.fork(chat), "session id must be a str, got Session; pass its id"),
    (lambda chat: chat.fork(5), "session id must be a str, got int"),
    (lambda chat: chat.fork("", upto="m1"), "session id"),
    (lambda chat: chat.files.add({"url": 5}), "url"),
    (lambda chat: chat.files.add({"size": 5}), "url.*name|name.*url"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "message"), VERBS)
def test_a_verb_names_its_argument_and_changes_nothing(chat, backend, act, message):
    before = all_of(backend)
    with pytest.raises(InputError, match=message):
        act(chat)
    assert all_of(backend) == before


@pytest.mark.parametrize(
    "act",
    [
        lambda chat: chat.items(after="gone"),
        lambda chat: chat.items(before="gone"),
        lambda chat: chat.rewind(before="gone"),
        lambda chat: chat.replace("gone", "x"),
        lambda chat: chat.fork("other", upto="gone"),
    ],
)
def test_an_item_that_is_not_there_is_named(chat, backend, act):
    before = all_of(backend)
    with pytest.raises(NotFound, match="'gone'"):
        act(chat)
    assert all_of(backend) == before


WINDOWS = [
    ({"max_tokens": 0}, "max_tokens must be a whole number of at least 1, got 0"),
    ({"max_tokens": True}, "max_tokens must be"),
    ({"max_turns": -3}, "max_turns must be a whole number of at least 1, got -3"),
    ({"max_age": -1}, "max_age must be a number of seconds above 0, got -1"),
    ({"max_characters": "many"}, "max_characters must be"),
    ({"max_messages": 5, "step": "half"}, "step must be a number from 0 to below 1, got 'half'"),
    ({"max_messages": 5, "step": 1}, "step must be"),
    ({"max_tokens": 5, "counter": "tiktoken"}, "counter must be callable, got str"),
    ({"lookback": -1}, "lookback must be a whole number of at least 1, got -1"),
    ({"lookback": 10.0}, "lookback must be"),
    (
        {"policy": lambda items: None},
        "must take a list of Items and return those it keeps, got None",
    ),
    ({"policy": lambda item: True}, "and return those it keeps, got a bool"),
    ({"policy": "max_tokens"}, "must be a policy, a list of policies, or a dict"),
    ({"policy": [policies.max_turns]}, "max_turns makes a policy.*call it"),
    ({"policy": policies.keep_system}, "keep_system makes a policy.*call it"),
    ({"policy": {"max_message": 4}}, "no option 'max_message'; did you mean 'max_messages'"),
    ({"policy": [{"steps": 0.5}]}, "no option 'steps'; did you mean 'step'"),
]


def named(value):
    """A test's name without addresses, which differ from process to process."""
    return re.sub(" at 0x[0-9a-f]+", "", str(value))


@pytest.mark.parametrize(("options", "message"), WINDOWS, ids=named)
def test_a_window_names_the_limit_that_makes_no_sense(chat, backend, options, message):
    before = all_of(backend)
    with pytest.raises((ConfigError, InputError), match=message):
        chat.window(**options)
    assert all_of(backend) == before


def test_what_is_not_a_policy_is_named_as_it_was_given(chat):
    with pytest.raises(ConfigError, match=r"^policy must be a policy, .* got str"):
        chat.window(policy="max_tokens")


@pytest.mark.parametrize(("options", "message"), WINDOWS[-5:], ids=named)
@pytest.mark.parametrize("name", ["window", "retain"])
def test_so_does_the_window_of_a_memory(name, options, message):
    with pytest.raises(ConfigError, match=message):
        connect("memory://", **{name: options["policy"]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"windows": 5}, "did you mean 'window'"),
        ({"namespce": "x"}, "did you mean 'namespace'"),
        ({"ttl": "soon"}, "ttl"),
        ({"ttl": -1}, "ttl"),
        ({"namespace": 5}, "namespace"),
        ({"clock": 5}, "clock"),
    ],
    ids=str,
)
def test_a_memory_names_the_option_that_is_wrong(options, message):
    with pytest.raises((ConfigError, InputError), match=message):
        connect("memory://", **options)


@pytest.mark.parametrize("wrong", [5, None, b"x", ["a"], ""], ids=repr)
def test_a_session_and_a_user_have_names(memory, wrong):
    with pytest.raises(InputError, match="session id"):
        memory.session(wrong)
    if wrong != 5:  # the user of its text
        with pytest.raises(ConfigError, match="user"):
            memory.user(wrong)
