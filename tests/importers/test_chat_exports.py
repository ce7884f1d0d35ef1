"""Exports of chat products become sessions: branches, dates, tools, files; twice is as once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.importers import exports
from tests.importers.conftest import said
from threadkeep.testing import assert_valid


@pytest.mark.proves("D20")
def test_chatgpt_shows_the_current_branch_and_hides_the_others(bring, memory):
    node = exports.chatgpt_node
    conversation = exports.chatgpt(
        "c1",
        node("r", None, "system", None),
        node("q", "r", "user", "Which tea?"),
        node("a1", "q", "assistant", "Green."),
        node("a2", "q", "assistant", "Black.", metadata={"model_slug": "gpt-5"}),
        node("q2", "a2", "user", "Why?"),
    )
    report = bring([conversation])
    assert (report.sessions, report.new_sessions, report.messages) == (1, 1, 4)
    assert report.skipped_count == 0
    shown = [("user", "Which tea?"), ("assistant", "Black."), ("user", "Why?")]
    assert said(memory, "chatgpt-c1") == shown
    assert ("assistant", "Green.") in said(memory, "chatgpt-c1", hidden=True)
    info = memory.session("chatgpt-c1").info()
    assert (info.title, info.user) == ("Tea", "ada")
    assert info.created_at == datetime.fromtimestamp(1_700_000_000.123, UTC)
    assert memory.session("chatgpt-c1").items()[1].model == "gpt-5"

    conversation["current_node"] = "a1"  # the user went back to the other answer
    again = bring([conversation])
    assert (again.messages, again.existing, again.new_sessions) == (0, 4, 0)
    assert said(memory, "chatgpt-c1") == [("user", "Which tea?"), ("assistant", "Green.")]


def test_chatgpt_tools_thoughts_and_images(bring, memory):
    node = exports.chatgpt_node
    image = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_1"}
    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "Sum", "content": "Adding"}]}
    report = bring(
        [
            exports.chatgpt(
                "t",
                node("r", None, "system", None),
                node("q", "r", "user", "", content={
                    "content_type": "multimodal_text", "parts": [image, "Add 1 and 2"]}),
                node("th", "q", "assistant", "", content=thoughts),
                node("call", "th", "assistant", "", recipient="python",
                     content={"content_type": "code", "text": "1+2"}),
                node("out", "call", "tool", "", name="python",
                     content={"content_type": "execution_output", "text": "3"}),
                node("out2", "out", "tool", "more", name="python"),
                node("end", "out2", "assistant", "It is 3."),
            )
        ]
    )  # fmt: skip
    assert report.skipped == []
    chat = memory.session("chatgpt-t")
    assert [item.type for item in chat.items()][-3:] == ["message", "tool_result", "message"]
    call = chat.items()[-3]
    assert call.tool_calls == [{"id": "call", "name": "python", "args": {"input": "1+2"}}]
    assert chat.items()[-2].text == "3\n\nmore"
    assert_valid(chat.window().to_openai(), provider="openai")
    assert [file.url for file in chat.files.list()] == ["sediment://file_1"]


def test_claude_tools_attachments_and_branches(bring, memory):
    blocks = [
        {"type": "thinking", "thinking": "Look it up"},
        {"type": "tool_use", "id": None, "name": "search", "input": {"q": "ferry"}},
        {"type": "tool_result", "name": "search", "content": [{"type": "text", "text": "At 8"}]},
        {"type": "text", "text": "It leaves at 8."},
    ]
    attachment = {"file_name": "plan.txt", "file_type": "txt", "extracted_content": "Monday"}
    report = bring(
        [
            exports.claude(
                "k1",
                exports.claude_message("m1", "human", "When?", attachments=[attachment]),
                exports.claude_message("m2", "assistant", "", content=blocks, parent="m1"),
                exports.claude_message("m3", "assistant", "No idea.", parent="m1"),
                current_leaf_message_uuid="m2",
            )
        ]
    )
    assert report.skipped == []
    chat = memory.session("claude-k1")
    assert [item.role for item in chat.items()] == ["user", "assistant", "tool", "assistant"]
    assert "Monday" in chat.items()[0].text
    assert chat.items()[0].created_at == datetime(2025, 3, 4, 5, 6, 7, 890123, UTC)
    assert ("assistant", "No idea.") in said(memory, "claude-k1", hidden=True)
    assert_valid(chat.window().to_anthropic(), provider="anthropic")
    assert [file.name for file in chat.files.list()] == ["plan.txt"]


def test_data_sets_of_chats(bring, memory):
    sharegpt = {"id": "s1", "conversations": [
        {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}  # fmt: skip
    lmsys = {"conversation_id": "l1", "model": "vicuna-13b", "language": "English",
             "conversation": [{"role": "user", "content": "A"},
                              {"role": "assistant", "content": "B"}]}  # fmt: skip
    wildchat = {
        "conversation_hash": "w1",
        "model": "gpt-4",
        "timestamp": None,
        "conversation": [{"role": "user", "content": "C", "turn_identifier": 7}],
    }
    assert bring(exports.lines([sharegpt, lmsys, wildchat]), name="a.jsonl").sessions == 3
    assert said(memory, "sharegpt-s1") == [("user", "Hi"), ("assistant", "Hello")]
    assert memory.session("sharegpt-l1").items()[1].model == "vicuna-13b"
    assert said(memory, "sharegpt-w1") == [("user", "C")]


def test_fine_tuning_lines_with_tools(bring, memory):
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    chats = [
        {"messages": [{"role": "system", "content": "Be kind"},
                      {"role": "user", "content": f"Question {n}"},
                      {"role": "assistant", "content": None, "tool_calls": [call], "weight": 0},
                      {"role": "tool", "tool_call_id": "c1", "content": "ok"},
                      {"role": "assistant", "content": "Done"}]}
        for n in range(3)
    ]  # fmt: skip
    report = bring(exports.lines(chats), name="train.jsonl")
    assert (report.sessions, report.messages, report.skipped_count) == (3, 15, 0)
    assert bring(exports.lines(chats), name="renamed.jsonl").existing == 15
    (first, *_) = memory.sessions(user="ada")
    assert_valid(memory.session(first.id).window().to_openai(), provider="openai")


def test_ui_messages(bring, memory):
    tool = {"type": "tool-weather", "toolCallId": "t1", "state": "output-available",
            "input": {"city": "Oslo"}, "output": {"degrees": 3}}  # fmt: skip
    report = bring(
        [
            {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Oslo?"}]},
            {"id": "a1", "role": "assistant", "metadata": {"createdAt": 1_700_000_000_000},
             "parts": [{"type": "step-start"}, tool, {"type": "text", "text": "Cold."}]},
        ],
        name="chat-9.json",
    )  # fmt: skip
    assert (report.messages, report.skipped) == (4, [])
    chat = memory.session("chat-9")
    assert [item.role for item in chat.items()] == ["user", "assistant", "tool", "assistant"]
    assert chat.items()[1].created_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert_valid(chat.window().to_openai(), provider="openai")


@pytest.mark.proves("D20")
def test_claude_code_and_its_sub_agents(bring, memory):
    tool_use = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a.py"}
    turns = [
        ("user", "List"),
        ("assistant", [{"type": "text", "text": "I look."}, tool_use]),
        ("user", [result]),
        ("assistant", [{"type": "text", "text": "a.py"}]),
    ]
    transcript = list(exports.claude_code("s1", *turns))
    side = {**transcript[1], "isSidechain": True, "agentId": "a7", "uuid": "x1"}
    text = exports.lines([*transcript[:3], side, *transcript[3:], {"type": "mystery"}])
    report = bring(text, name="s1.jsonl")
    assert report.sessions == 2
    assert [skipped.reason for skipped in report.skipped] == ["unknown line of type 'mystery'"]
    chat = memory.session("s1")
    assert [item.role for item in chat.items()] == ["user", "assistant", "tool", "assistant"]
    assert_valid(chat.window().to_anthropic(), provider="anthropic")
    assert said(memory, "s1/a7") == [("user", "List")]
    assert memory.session("s1/a7").info().agent == "a7"
    assert [info.id for info in memory.sessions()] == ["s1"]
    assert [info.id for info in memory.sessions(parent="s1")] == ["s1/a7"]
    assert chat.info().metadata["git_branch"] == "main"


def test_codex_says_nothing_twice(bring, memory):
    report = bring(exports.lines(exports.codex("r1")), name="rollout.jsonl")
    assert report.skipped == []
    items = memory.session("codex-r1").items()
    assert [item.type for item in items] == [
        "message", "reasoning", "function_call", "function_call_output", "message",
    ]  # fmt: skip
    assert_valid(memory.session("codex-r1").window().to_responses(), provider="responses")


def test_older_codex_lines_are_bare_items(bring, memory):
    head = {"id": "old", "timestamp": "2025-05-07T17:24:21.597Z", "instructions": None}
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    report = bring(exports.lines([head, item, {"record_type": "state"}]), name="r.jsonl")
    assert report.skipped == []
    assert said(memory, "codex-old") == [("user", "Hi")]
