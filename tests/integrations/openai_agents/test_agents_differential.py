"""`ThreadkeepSession` beside the SDK's own `SQLiteSession`, on generated programs of calls."""

from __future__ import annotations

import asyncio
import copy
import json
import os
from typing import Any

import pytest
from agents import SessionSettings, SQLiteSession
from hypothesis import given, settings
from hypothesis import strategies as st

import threadkeep
from openai_agents_threadkeep import ThreadkeepSession

EXAMPLES = int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "120"))
FEW = settings(max_examples=EXAMPLES)
MANY = settings(max_examples=5_000)
LIMITS = st.none() | st.integers(-1, 9)
TEXTS = st.text(max_size=8) | st.sampled_from(["q", "", "n\0l", "\ud83d", "ü"])
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
IDS = st.sampled_from(["__fake_id__", "msg_1", "msg_2", "", None])
FIELDS = st.dictionaries(
    st.sampled_from(["status", "id", "name", "metadata", "raw", "seq", "created_at", "extra"]),
    JSON,
    max_size=2,
)
ROLES = st.sampled_from(["user", "assistant", "system", "developer"])
ARGUMENTS = st.sampled_from(
    [
        "{}",
        '{"city": "Oslo"}',
        '{"x": NaN}',
        '{"bad": ',
        "1e400",
        "",
        '{"x": ' + "[" * 80 + "]" * 80 + "}",
    ]
)


def merged(fields, **known):
    return {**fields, **known}


def answer(id, text):
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def fresh_call(number, arguments, result):
    """A call and its result, of an id that no other has."""
    call = {"type": "function_call", "call_id": number, "name": "f", "arguments": arguments}
    output = {"type": "function_call_output", "call_id": number, "output": result}
    return [{**call, "id": "__fake_id__"}, output]


def reasoning(id, is_encrypted):
    item = {"id": id, "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
    return {**item, "encrypted_content": "gAAA"} if is_encrypted else item


MESSAGES = st.builds(
    merged, FIELDS, role=ROLES, content=TEXTS | st.just([{"type": "input_text", "text": "a"}])
)
SINGLES = st.one_of(
    st.builds(lambda role, text: {"role": role, "content": text}, ROLES, TEXTS),
    st.builds(lambda role, text: {"content": text, "role": role}, ROLES, TEXTS),
    MESSAGES,
    st.builds(answer, IDS, TEXTS),
    st.builds(reasoning, IDS, st.booleans()),
    st.builds(merged, FIELDS, type=st.sampled_from(["compaction", "odd", "item_reference"])),
    st.builds(lambda id, kind: {"id": id, "type": kind, "status": "completed"}, IDS,
              st.sampled_from(["web_search_call", "file_search_call", "mcp_list_tools"])),
)  # fmt: skip
CALLS = st.builds(fresh_call, st.uuids().map(str), ARGUMENTS, TEXTS)
BATCHES = st.lists(SINGLES.map(lambda item: [item]) | CALLS, max_size=4).map(
    lambda parts: [item for part in parts for item in part]
)
PROGRAMS = st.lists(
    st.tuples(st.sampled_from(["add", "add", "add", "pop", "pop", "clear", "reopen"]), BATCHES),
    max_size=10,
)


class Sessions:
    """Each call is made on the SDK's own session and on ours."""

    def __init__(self, memory, default_limit):
        self.options: dict[str, Any] = {"session_settings": SessionSettings(limit=default_limit)}
        self.memory = memory
        self.theirs = SQLiteSession("chat", **self.options)
        self.ours = ThreadkeepSession("chat", memory, **self.options)

    async def run(self, name, items):
        if name == "pop":
            assert exact(await self.ours.pop_item()) == exact(await self.theirs.pop_item())
        elif name == "reopen":
            self.ours = ThreadkeepSession("chat", self.memory, **self.options)
        elif name == "clear":
            await self.theirs.clear_session()
            await self.ours.clear_session()
        else:
            await self.theirs.add_items(copy.deepcopy(items))
            await self.ours.add_items(copy.deepcopy(items))

    async def assert_same(self, limit, shown=lambda items: items):
        ours, theirs = await self.ours.get_items(limit), await self.theirs.get_items(limit)
        assert exact(shown(ours)) == exact(shown(theirs))


def exact(items):
    """With the order of keys, and `1` apart from `1.0` and `True`."""
    return json.dumps(items)


def without_call_ids(items):
    """`shared call ids`: where several calls have one id, ours shows each by its own."""
    return [{key: value for key, value in item.items() if key != "call_id"} for item in items]


async def check(program, limit, default_limit, shown=lambda items: items):
    with threadkeep.connect("memory://") as memory:
        sessions = Sessions(memory, default_limit)
        try:
            for name, items in program:
                await sessions.run(name, items)
                await sessions.assert_same(limit, shown)
        finally:
            sessions.theirs.close()


@FEW
@given(PROGRAMS, LIMITS, LIMITS)
def test_session_answers_as_the_sdks_own(program, limit, default_limit):
    asyncio.run(check(program, limit, default_limit))


SHARED_CALLS = st.builds(fresh_call, st.sampled_from(["c1", "c2"]), ARGUMENTS, TEXTS)
SHARED_PROGRAMS = st.lists(
    st.tuples(st.sampled_from(["add", "add", "pop", "clear"]), SHARED_CALLS), max_size=8
)


@FEW
@given(SHARED_PROGRAMS, LIMITS)
def test_calls_that_share_an_id_differ_from_the_sdks_own_in_it_alone(program, limit):
    asyncio.run(check(program, limit, None, without_call_ids))


@pytest.mark.parametrize(
    ("number", "text"), [(float("nan"), "NaN"), (float("inf"), "Infinity"), (-1e999, "-Infinity")]
)
def test_numbers_that_json_does_not_have_are_stored_as_text(number, text):
    """`numbers`: the SDK's own stores them as Python's `json` spells them."""

    async def story():
        with threadkeep.connect("memory://") as memory:
            session = ThreadkeepSession("chat", memory)
            odd: list[Any] = [{"type": "odd", "x": number}]
            await session.add_items(odd)
            return await session.get_items()

    assert asyncio.run(story()) == [{"type": "odd", "x": text}]


@pytest.mark.soak
@MANY
@given(PROGRAMS, LIMITS, LIMITS)
def test_session_answers_as_the_sdks_own_in_many_programs(program, limit, default_limit):
    asyncio.run(check(program, limit, default_limit))
