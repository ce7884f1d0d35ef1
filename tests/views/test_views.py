"""The views say what the verbs say, past our code, of everything that lives and of nothing else."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from threadkeep.api import sql_views
from threadkeep.errors import BackendError
from threadkeep.types import Record

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
HOSTILE = 'NUL \0\0 half \ud83d pair \U0001f9f5 \\u0000 \\\0 \\ud83d end\' "quoted" {json} 100% :x'
SHOWN = HOSTILE.replace("\0", "\ufffd").replace("\ud83d", "\ue83d")
YESTERDAY = time.time() - 86_400.0


@pytest.fixture
def memory(store):
    with store.open() as memory:
        filled(memory)
        sql_views.create(memory)
        yield memory
        sql_views.drop(memory)


def filled(memory):
    """Sessions of all kinds, responses of two models and days, feedback of both ratings."""
    chat = memory.session("chat/\u00e9 1", user="ada", agent="guide")
    chat.add("Hello", {"role": "assistant", "content": None, "tool_calls": [CALL]})
    chat.add({"role": "tool", "tool_call_id": "c1", "content": "42"}, HOSTILE)
    chat.add({"role": "user", "content": [{"type": "text", "text": "Look"}], "name": "Ada"})
    chat.add({"role": "assistant", "content": "Then", "created_at": YESTERDAY, "model": "gpt-5"})
    memory.session("nobody's").add("Hi")
    for n, (model, at) in enumerate([("gpt-5", YESTERDAY), ("gpt-5", None), (None, None)]):
        usage = {"prompt_tokens": 10 + n, "completion_tokens": 1}
        said = {"id": f"r{n}", "model": model, "usage": usage, "metadata": {"k": "v"}}
        output = [{"role": "assistant", "content": HOSTILE}]
        memory.responses.add(
            said | {"output": output, "created_at": at},
            conversation=chat.id, user="ada", input=HOSTILE, safety_identifier="s",
        )  # fmt: skip
    memory.feedback.add("r0", rating="positive", comment=HOSTILE, author="bob")
    memory.feedback.add("r0", rating="negative")
    memory.feedback.add("r2", rating="positive")


def moment(value):
    """A time of any driver, as an aware one."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def near(value, expected):
    return abs(moment(value).timestamp() - expected.timestamp()) < 0.002


def day(value):
    return value if isinstance(value, str) else f"{value:%Y-%m-%d}"


@pytest.mark.proves("B58")
def test_messages_are_what_items_says(store, memory):
    items = memory.session("chat/\u00e9 1").items()
    rows = store.rows("messages", "WHERE user_id = 'ada' ORDER BY seq")
    assert len(rows) == len(items) == 6
    for row, item in zip(rows, items, strict=True):
        assert (row["namespace"], row["session_id"]) == ("default", "chat/\u00e9 1")
        assert row["agent"] == "guide"
        told = (row["id"], row["seq"], row["type"], row["role"], row["name"], row["model"])
        assert told == (item.id, item.seq, item.type, item.role, item.name, item.model)
        assert row["tool_call_id"] == item.tool_call_id
        assert near(row["created_at"], item.created_at)
    contents = [row["content"] for row in rows]
    assert contents[0] == "Hello"
    assert contents[3] == SHOWN
    assert json.loads(contents[4]) == items[4].content
    assert json.loads(rows[1]["tool_calls"]) == items[1].tool_calls
    assert [r["content"] for r in store.rows("messages", "WHERE user_id IS NULL")] == ["Hi"]


@pytest.mark.proves("B58")
def test_responses_are_what_list_says(store, memory):
    listed = {one.id: one for one in memory.responses.list(user="ada")}
    rows = store.rows("responses")
    assert {row["id"] for row in rows} == listed.keys()
    for row in rows:
        one = listed[row["id"]]
        assert (row["session_id"], row["user_id"]) == (one.conversation, one.user)
        assert (row["model"], row["safety_identifier"]) == (one.model, "s")
        counts = (row["input_tokens"], row["output_tokens"], row["total_tokens"])
        assert counts == (one.tokens.input_tokens, 1, one.tokens.total_tokens)
        assert json.loads(row["metadata"]) == {"k": "v"}
        assert row["input"] == SHOWN
        assert json.loads(row["output"])[0]["content"] == SHOWN
        assert near(row["created_at"], one.created_at)


@pytest.mark.proves("B58")
@pytest.mark.parametrize("by", ["model", "day"])
def test_token_usage_adds_up_to_what_usage_says(store, memory, by):
    sums: dict[str, list[int]] = {}
    for row in store.rows("token_usage"):
        key = row["model"] if by == "model" else day(row["day"])
        counts = ("responses", "input_tokens", "output_tokens", "total_tokens")
        told = [int(row[name]) for name in counts]
        sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 4), told, strict=True)]
    said = memory.responses.usage(by=by)
    assert sums == {
        key: [used.responses, used.input_tokens, used.output_tokens, used.total_tokens]
        for key, used in said.items()
    }
    assert len(said) == 2


@pytest.mark.proves("B58")
@pytest.mark.parametrize("by", ["model", "day"])
def test_token_usage_is_what_memory_usage_says_of_responses(store, memory, by):
    names = ("responses", "input_tokens", "output_tokens", "total_tokens", "cached_tokens",
             "reasoning_tokens")  # fmt: skip
    usage = {
        "input_tokens": 9, "output_tokens": 7, "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 3},
    }  # fmt: skip
    memory.responses.add({"id": "r9", "model": "gpt-5", "output": [], "usage": usage})
    sums: dict[str, list[int]] = {}
    for row in store.rows("token_usage"):
        key = row["model"] if by == "model" else day(row["day"])
        counts = [int(row[name]) for name in names]
        sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 6), counts, strict=True)]
    memory.session("chat/\u00e9 1").clear()
    memory.session("nobody's").clear()
    assert sums == {
        row.key: [row.calls, *(getattr(row, name) for name in names[1:])]
        for row in memory.usage(by=by)
    }
    assert sum(counts[4] for counts in sums.values()) == 4


@pytest.mark.proves("B58")
@pytest.mark.parametrize("by", ["model", "day", "rating", "response"])
def test_feedback_adds_up_to_what_summarise_says(store, memory, by):
    tallies: dict[str, tuple[int, int]] = {}
    for row in store.rows("feedback"):
        at = day(moment(row["created_at"]).date())
        key = at if by == "day" else row[by] or ""
        positive, negative = tallies.get(key, (0, 0))
        liked = row["rating"] == "positive"
        tallies[key] = (positive + liked, negative + (not liked))
    said = memory.feedback.counts(by=by)
    assert tallies == {key: (tally.positive, tally.negative) for key, tally in said.items()}
    assert sorted(r["comment_text"] or "" for r in store.rows("feedback")) == ["", "", SHOWN]


@pytest.mark.proves("B58")
def test_only_what_lives_is_shown(store, memory):
    with store.open(ttl=10, clock=lambda: time.time() - 1_000) as earlier:
        earlier.session("expired").add("gone")
        earlier.responses.add({"id": "gone", "output": []}, conversation="expired")
        earlier.feedback.add("gone", rating="negative")
    stream = memory._engine.stream("session", "rest of a fork")
    memory._engine.commit(
        stream, put=[Record("item", "i", '{"role":"user","content":"x"}', 1.0)], ttl=None
    )
    memory.session("deleted").add("x")
    memory.session("deleted").delete()
    assert memory.session("expired").items() == []
    assert {row["session_id"] for row in store.rows("messages")} == {"chat/\u00e9 1", "nobody's"}
    assert {row["id"] for row in store.rows("responses")} == {"r0", "r1", "r2"}
    assert sum(int(row["responses"]) for row in store.rows("token_usage")) == 3
    assert {row["response"] for row in store.rows("feedback")} == {"r0", "r2"}


@pytest.mark.proves("B58")
def test_a_record_that_cannot_be_read_hides_no_other(store, memory):
    stream = memory._engine.stream("session", "nobody's")
    bad = [
        Record(kind, "bad", '{"not": "an item', time.time())
        for kind in ("item", "feedback", "response", "response_entry")
    ]
    odd = [Record("item", "odd", body, time.time()) for body in ("[1, 2]",)]
    memory._engine.commit(stream, put=[*bad, *odd], ttl=None)
    rows = {row["id"]: row for row in store.rows("messages", "WHERE user_id IS NULL")}
    assert (rows["bad"]["type"], rows["bad"]["role"]) == ("opaque", "unknown")
    assert len(rows) == len(memory.session("nobody's").items()) == 3
    assert len(store.rows("feedback")) == len(memory.feedback.list())
    usage = memory.responses.usage()
    assert {r["model"] for r in store.rows("token_usage")} == usage.keys()
    assert sum(int(r["responses"]) for r in store.rows("token_usage")) == 4
    assert usage[""].responses == 2


def test_namespaces_are_told_apart(store, memory):
    with store.open(namespace="other/tenant") as other:
        other.session("theirs").add("Hi")
    told = {row["namespace"] for row in store.rows("messages")}
    assert told == {"default", "other%2Ftenant"}


def test_they_are_made_anew_and_dropped_and_nothing_else_goes(store, memory):
    assert sql_views.create(memory) == sql_views.create(memory)
    assert len(sql_views.create(memory)) == 4
    before = len(store.rows("messages"))
    sql_views.drop(memory)
    sql_views.drop(memory)
    with pytest.raises(Exception, match=r"(?i)no such table|does not exist|doesn't exist"):
        store.rows("messages")
    assert len(memory.session("chat/\u00e9 1").items()) == 6
    sql_views.create(memory)
    assert len(store.rows("messages")) == before


def test_what_is_shown_is_what_makes_them(store, memory):
    said = sql_views.statements(memory)
    names = sql_views.drop(memory)
    assert set(names) <= said.keys()
    for text in said.values():
        store.ask(text.replace(":", r"\:") if store.prefix != "tk" else text)
    assert len(store.rows("messages")) == 7


def test_a_table_in_the_way_is_left_as_it_is(store, memory):
    sql_views.drop(memory)
    store.ask(f"CREATE TABLE {store.prefix}_feedback (x INTEGER)")
    try:
        with pytest.raises(BackendError, match=r"(?i)view|exists|table"):
            sql_views.create(memory)
        assert store.rows("feedback") == []
        assert len(memory.session("chat/\u00e9 1").items()) == 6
    finally:
        store.ask(f"DROP TABLE {store.prefix}_feedback")
