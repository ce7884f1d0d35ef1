"""`ThreadkeepSession` by the four verbs of the SDK's protocol."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any, cast

import pytest
from agents import SessionSettings, SQLiteSession
from agents.memory import Session as SessionProtocol
from agents.memory.session import _session_accepts_wrapper
from agents.models.chatcmpl_converter import Converter
from agents.run_context import RunContextWrapper

import threadkeep
from openai_agents_threadkeep import ThreadkeepSession
from threadkeep.errors import BackendError, ConfigError, InputError, NotOwner
from threadkeep.testing import assert_valid

ITEMS = [
    {"content": "What is in this picture?", "role": "user"},
    {"type": "message", "role": "user", "content": "typed"},
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "and this?"},
            {"type": "input_image", "detail": "auto", "image_url": "https://example.org/a.png"},
            {"type": "input_file", "file_id": "file-1"},
        ],
    },
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "gAAAA==",
    },
    {
        "type": "function_call",
        "id": "__fake_id__",
        "call_id": "call_1",
        "name": "weather",
        "arguments": '{"city":  "Oslo"}',
        "status": "completed",
    },
    {"type": "function_call_output", "call_id": "call_1", "output": "21"},
    {
        "type": "message",
        "id": "__fake_id__",
        "role": "assistant",
        "status": "completed",
        "content": [
            {
                "type": "output_text",
                "text": "21",
                "annotations": [{"type": "url_citation", "url": "https://x"}],
                "logprobs": [],
            },
            {"type": "refusal", "refusal": "no"},
        ],
    },
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
    {"type": "mcp_call", "id": "mcp_1", "name": "n", "arguments": "{}", "server_label": "s"},
    {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}},
    {"type": "compaction", "id": "cmp_1", "encrypted_content": "opaque"},
    {"type": "item_reference", "id": "msg_9"},
    {"type": "of_tomorrow", "payload": {"deep": [1, None, 2.5]}},
    {"role": "user", "content": ""},
    {"role": "developer", "content": "be brief", "name": 7, "metadata": {"k": 1}, "created_at": 3},
    {"role": "user", "content": "\x00 nul and \ud83d half", "raw": 1, "seq": 2, "usage": []},
    {"neither": "type", "nor": "role"},
]


def run(awaitable):
    return asyncio.run(awaitable)


def told(text):
    return {"role": "user", "content": text}


def said(text):
    return {"role": "assistant", "content": text}


async def filled(session, count):
    await session.add_items([told(f"m{n}") for n in range(count)])


def test_is_a_session_of_the_sdk_that_takes_the_run_context(session):
    assert isinstance(session, SessionProtocol)
    assert _session_accepts_wrapper(session)


def test_has_no_private_hook_of_the_sdk_by_accident(session):
    hooks = (
        "run_compaction _get_items_with_generation _add_items_with_generation _defer_compaction "
        "_get_compaction_snapshot _atomic_replace_items _ignore_ids_for_matching"
    )
    assert [hook for hook in hooks.split() if hasattr(session, hook)] == []


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: str(item.get("type", item.get("role"))))
def test_every_item_comes_back_verbatim(session, item):
    async def story():
        await session.add_items([copy.deepcopy(item)])
        assert await session.get_items() == [item]
        assert await session.pop_item() == item
        assert await session.get_items() == []

    run(story())


def test_all_items_come_back_verbatim_in_order_with_their_keys_in_order(session):
    async def story():
        await session.add_items(copy.deepcopy(ITEMS))
        assert json.dumps(await session.get_items()) == json.dumps(ITEMS)
        assert [await session.pop_item() for _ in ITEMS] == ITEMS[::-1]
        assert await session.pop_item() is None

    run(story())


def test_items_of_one_fake_id_and_items_added_twice_all_stay(session):
    async def story():
        await session.add_items([*ITEMS, *ITEMS])
        await session.add_items(ITEMS)
        found = [dict(item) for item in await session.get_items()]
        plain: list[Any] = [item for item in ITEMS if "call_id" not in cast(Any, item)]
        assert [item for item in found if "call_id" not in item] == plain * 3
        assert [await session.pop_item() for _ in found] == ITEMS[::-1] * 3

    run(story())


def test_what_is_returned_is_fresh(session):
    async def story():
        await session.add_items(copy.deepcopy(ITEMS))
        (await session.get_items())[2]["content"].clear()
        assert await session.get_items() == ITEMS

    run(story())


def test_what_is_not_json_is_refused_as_a_whole(session):
    odd: Any = {"type": "odd", "x": object()}

    async def story():
        with pytest.raises(InputError, match="message 1"):
            await session.add_items(cast(Any, [told("a"), odd]))
        with pytest.raises(InputError, match="item 0 must be a dict"):
            await session.add_items(cast(Any, ["text"]))
        await session.add_items([])
        assert await session.get_items() == []

    run(story())


@pytest.mark.parametrize("limit", [None, 0, 1, 3, 5, 9, -1])
@pytest.mark.parametrize("default", [None, 0, 2, -1])
def test_limits_mean_what_they_mean_in_the_sdks_own_session(memory, limit, default):
    settings = SessionSettings(limit=default)

    async def both():
        theirs = SQLiteSession("chat", session_settings=settings)
        ours = ThreadkeepSession("chat", memory, session_settings=settings)
        try:
            for session in (theirs, ours):
                await filled(session, 5)
            assert await ours.get_items(limit) == await theirs.get_items(limit)
        finally:
            theirs.close()

    run(both())


def test_without_settings_there_are_those_of_the_sdk(memory):
    assert ThreadkeepSession("chat", memory).session_settings == SessionSettings()


def test_a_window_keeps_tool_groups_whole_and_is_taken_before_the_limit(memory):
    call: Any = ITEMS[4]
    output: Any = ITEMS[5]

    async def story():
        session = ThreadkeepSession("chat", memory, window={"max_messages": 3, "step": 0})
        before = [told("old"), said("well"), told("new")]
        await session.add_items([*before, call, output, told("newest")])
        assert await session.get_items() == [call, output, told("newest")]
        await session.pop_item()
        assert await session.get_items() == [told("new"), call, output]
        assert await session.get_items(1) == [output]
        whole = ThreadkeepSession("chat", memory)
        assert len(await whole.get_items()) == 5

    run(story())


def test_without_a_window_the_memorys_own_is_taken(tmp_path):
    async def story():
        with threadkeep.connect("memory://", window={"max_messages": 2}) as memory:
            session = ThreadkeepSession("chat", memory)
            for number in range(3):
                await session.add_items([told(str(number)), said(str(number))])
            assert await session.get_items() == [told("2"), said("2")]

    run(story())


def test_a_wrong_window_or_store_is_refused_at_construction(memory):
    with pytest.raises(ConfigError, match="max_token"):
        ThreadkeepSession("chat", memory, window={"max_token": 1})
    with pytest.raises(ConfigError, match="a Memory or a URL"):
        ThreadkeepSession("chat", b"memory://")  # type: ignore[arg-type]


def test_sessions_of_one_url_share_a_store_and_outlive_each_other(tmp_path):
    url = f"sqlite:///{tmp_path}/chat.db"

    async def story():
        first, second = (ThreadkeepSession("chat", url) for _ in range(2))
        assert first.memory is second.memory
        await filled(first, 1)
        first.close()
        with pytest.raises(BackendError, match="closed"):
            await first.get_items()
        assert await second.get_items() == [told("m0")]
        first.memory.close()

    run(story())


def test_a_closed_store_says_so(memory, session):
    memory.close()
    with pytest.raises(BackendError, match="closed"):
        run(session.add_items([told("x")]))


def test_pops_at_once_get_each_item_once(session):
    async def story():
        await filled(session, 24)
        popped = await asyncio.gather(*(session.pop_item() for _ in range(24)))
        assert sorted(item["content"] for item in popped) == sorted(f"m{n}" for n in range(24))
        assert await session.get_items() == []

    run(story())


def test_batches_at_once_land_whole(session):
    async def story():
        batches = [[told(f"{writer}.{n}") for n in range(5)] for writer in range(8)]
        await asyncio.gather(*(session.add_items(batch) for batch in batches))
        items = await session.get_items()
        found = [items[start : start + 5] for start in range(0, 40, 5)]
        assert sorted(found, key=str) == batches

    run(story())


def test_one_session_serves_one_event_loop_after_the_other(session):
    for number in range(3):
        run(session.add_items([told(str(number))]))
    assert len(run(session.get_items())) == 3


def test_clear_keeps_title_and_owner(memory):
    async def story():
        session = ThreadkeepSession("chat", memory, user="ada")
        await filled(session, 3)
        memory.session("chat").update(title="Trip")
        await session.clear_session()
        assert await session.get_items() == []
        info = memory.session("chat").info()
        assert (info.title, info.user) == ("Trip", "ada")

    run(story())


def test_a_record_that_cannot_be_read_hides_no_other(memory, session):
    from threadkeep.types import Record

    async def story():
        await filled(session, 2)
        stream = memory._engine.stream("session", "chat")
        broken = Record("item", "broken", "{not json", memory._engine.now())
        memory._engine.commit(stream, put=[broken], ttl=None)
        assert await session.get_items() == [told("m0"), told("m1")]
        assert await session.get_items(2) == [told("m0"), told("m1")]
        assert await session.pop_item() == told("m1")

    run(story())


def test_a_chat_model_reads_an_answer_that_another_framework_stored_in_parts(memory, session):
    parts = [{"type": "text", "text": text} for text in ("It is warm.", "Take a hat.")]
    memory.session("chat").add("Weather?", {"role": "assistant", "content": parts})
    items = run(session.get_items())
    assert_valid(items, "responses")
    answer = Converter.items_to_messages(items)[1]
    assert answer["content"] == "It is warm.\nTake a hat."


def test_an_answer_that_ends_with_a_refusal_is_read_as_one_text(memory, session):
    parts = [
        {"type": "output_text", "text": "It is warm."},
        {"type": "refusal", "refusal": "I cannot tell more."},
    ]
    memory.session("chat").add("Weather?", {"role": "assistant", "content": parts})
    items = run(session.get_items())
    assert_valid(items, "responses")
    answer = Converter.items_to_messages(items)[1]
    assert answer["content"] == "It is warm.\nI cannot tell more."


class TestWhoseItIs:
    def test_the_runs_context_goes_before_what_was_given_beforehand(self, memory):
        async def story():
            session = ThreadkeepSession("chat", memory, user="nobody")
            await session.add_items([told("x")], wrapper=RunContextWrapper({"user_id": "ada"}))
            assert memory.session("chat").info().user == "ada"
            with pytest.raises(NotOwner):
                await session.get_items()
            with pytest.raises(NotOwner):
                await session.pop_item(wrapper=RunContextWrapper({"user_id": "eve"}))
            with pytest.raises(NotOwner):
                await session.clear_session(wrapper=RunContextWrapper({"user_id": "eve"}))
            assert memory.user("ada").sessions()[0].id == "chat"

        run(story())

    def test_a_callable_goes_before_all(self, memory):
        async def story():
            session = ThreadkeepSession("chat", memory, user=lambda context: context and "bob")
            await session.add_items([told("x")], wrapper=RunContextWrapper({"user_id": "ada"}))
            assert memory.session("chat").info().user == "bob"

        run(story())
