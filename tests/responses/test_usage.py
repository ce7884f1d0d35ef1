"""`memory.usage` is what a naive sum over a generated history says, page by page."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.doubles import START
from threadkeep import connect
from threadkeep.errors import ConfigError, InputError, NotOwner
from threadkeep.types.usage import TokenCounts, UsageRow

GROUPS = ("model", "day", "session", "run", "call", "tool")
DAY = 86_400.0
NAMESPACES = itertools.count()


class Made(NamedTuple):
    """A call as it was made, whatever is stored of it."""

    model: str
    day: int
    tools: tuple[str, ...]
    tokens: TokenCounts | None


class Truth(NamedTuple):
    """A call, and where it was made."""

    call: Made
    session: str
    user: str | None
    run: str
    id: str


COUNTS = st.builds(
    lambda read, written, cached, reasoning: TokenCounts(
        read + cached, written + reasoning, read + cached + written + reasoning, cached, reasoning
    ),
    st.integers(1, 99), st.integers(0, 99), st.integers(0, 9), st.integers(0, 9),
)  # fmt: skip
MADE = st.builds(
    Made,
    st.sampled_from(["", "m1", "m2"]),
    st.integers(0, 2),
    st.lists(st.sampled_from(["look", "buy"]), max_size=2, unique=True).map(tuple),
    st.none() | COUNTS,
)
RUN = st.tuples(st.sampled_from(["responses", "items", "both"]), st.lists(MADE, max_size=3))
SESSION = st.tuples(st.sampled_from([None, "ada", "bob"]), st.lists(RUN, max_size=3))


def usage_of(tokens):
    if tokens is None:
        return None
    return {
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "total_tokens": tokens.total,
        "input_tokens_details": {"cached_tokens": tokens.cached},
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }


def calls_of(call, number):
    return [
        {"id": f"c{number}.{n}", "type": "function", "function": {"name": name, "arguments": "{}"}}
        for n, name in enumerate(call.tools)
    ]


def written(memory, history):
    """Store a history, and give the calls that it was made of."""
    truths, number = [], 0
    for index, (user, runs) in enumerate(history):
        chat = memory.session(f"s{index}", user=user)
        for kind, calls in runs:
            question = chat.add("question")[0].id
            for call in calls:
                number += 1
                item, response = stored(memory, chat, call, number, kind)
                truths.append(Truth(call, chat.id, user, question, response or item))
    return truths


def stored(memory, chat, call, number, kind):
    """Store a call as an item, a response, or both; gives their ids."""
    at = START + call.day * DAY
    message = {"role": "assistant", "content": f"a{number}", "tool_calls": calls_of(call, number)}
    item = response = None
    if kind != "responses":
        fields = {"model": call.model or None, "usage": usage_of(call.tokens), "created_at": at}
        item = chat.add({k: v for k, v in (message | fields).items() if v})[0].id
        chat.add({"role": "tool", "tool_call_id": f"c{number}.0", "content": "done"})
    if kind != "items":
        answer = {"model": call.model or None, "usage": usage_of(call.tokens), "created_at": at}
        body = {"id": f"r{number}", "output": [message], **answer}
        response = memory.responses.add(body, conversation=chat.id).id
    return item, response


def naive(truths, by):
    """The rows by a plain loop over the calls as they were made."""
    rows: dict[tuple[str | None, str], UsageRow] = {}
    for truth in truths:
        for key, session in keys_of(truth, by):
            row = rows.get((session, key), UsageRow(key, session=session))
            tokens = truth.call.tokens or TokenCounts()
            rows[session, key] = replace(
                row,
                calls=row.calls + 1,
                unmetered=row.unmetered + (truth.call.tokens is None),
                input_tokens=row.input_tokens + tokens.input,
                output_tokens=row.output_tokens + tokens.output,
                total_tokens=row.total_tokens + tokens.total,
                cached_tokens=row.cached_tokens + tokens.cached,
                reasoning_tokens=row.reasoning_tokens + tokens.reasoning,
            )
    return rows


def keys_of(truth, by):
    if by == "day":
        return [(f"{datetime.fromtimestamp(START + truth.call.day * DAY, UTC):%Y-%m-%d}", None)]
    if by == "tool":
        return [(name, None) for name in truth.call.tools or ("",)]
    if by == "model":
        return [(truth.call.model, None)]
    if by == "session":
        return [(truth.session, None)]
    return [(truth.run if by == "run" else truth.id, truth.session)]


def pages(memory, limit, **conditions):
    cursor, rows = None, []
    while True:
        page = memory.usage(limit=limit, cursor=cursor, **conditions)
        assert len(page) <= limit
        rows += page
        cursor = page.cursor
        if cursor is None:
            return rows


def test_usage_is_the_naive_sum_of_a_generated_history(backend, clock):
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        history=st.lists(SESSION, max_size=3),
        limit=st.integers(1, 4),
        since=st.none() | st.integers(0, 3),
        until=st.none() | st.integers(0, 3),
        user=st.sampled_from([None, "ada"]),
    )
    def compared(history, limit, since, until, user):
        memory = connect(backend, clock=clock, namespace=f"n{next(NAMESPACES)}")
        truths = [
            truth
            for truth in written(memory, history)
            if user in (None, truth.user)
            and (since is None or truth.call.day >= since)
            and (until is None or truth.call.day < until)
        ]
        span = {
            "since": None if since is None else START + since * DAY,
            "until": None if until is None else START + until * DAY,
        }
        for by in GROUPS:
            rows = pages(memory, limit, by=by, user=user, **span)
            assert {(row.session, row.key): row for row in rows} == naive(truths, by)
            assert len(rows) == len(naive(truths, by))
        for index, (owner, _) in enumerate(history):
            if user in (None, owner):
                ours = [truth for truth in truths if truth.session == f"s{index}"]
                rows = pages(memory, limit, by="run", user=user, session=f"s{index}", **span)
                assert {(row.session, row.key): row for row in rows} == naive(ours, "run")

    compared()


def test_items_of_one_call_are_counted_once(memory):
    chat = memory.session("chat")
    usage = {"input_tokens": 9, "output_tokens": 4}
    shared = {"role": "assistant", "metadata": {"response_id": "msg_1"}, "usage": usage}
    chat.add("Look", {**shared, "content": "I look."})
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    chat.add({**shared, "tool_calls": [call], "content": ""})
    chat.add({"role": "tool", "tool_call_id": "c1", "content": "42"})
    chat.add({"role": "assistant", "content": "42", "usage": usage})
    assert [(row.key, row.calls, row.input_tokens) for row in memory.usage(by="tool")] == [
        ("", 1, 9),
        ("look", 1, 9),
    ]


def test_consecutive_items_without_usage_are_one_call(memory):
    chat = memory.session("chat")
    answer = [{"type": "output_text", "text": "Done"}]
    chat.add(
        "Look",
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "name": "look", "arguments": "{}", "call_id": "c1"},
        {"type": "function_call_output", "call_id": "c1", "output": "42"},
        {"type": "message", "role": "assistant", "content": answer},
    )
    [row] = memory.usage()
    assert (row.calls, row.unmetered, row.total_tokens) == (2, 2, 0)


def test_a_fork_does_not_count_its_origin_again(memory, clock):
    chat = memory.session("chat", user="ada")
    said = {"role": "assistant", "content": "a", "model": "m", "usage": {"input_tokens": 5}}
    chat.add("q", said)
    clock.tick(10)
    copy = chat.fork("copy")
    clock.tick(10)
    copy.add("q2", said)
    assert [(row.key, row.calls, row.input_tokens) for row in memory.usage()] == [("m", 2, 10)]
    assert {row.key: row.calls for row in memory.usage(by="session")} == {"chat": 1, "copy": 1}


@pytest.mark.parametrize(
    "change",
    [
        lambda copy, ids: copy.hide(*ids),
        lambda copy, ids: copy.replace(ids[1], {"role": "assistant", "content": "edited"}),
        lambda copy, ids: copy.branch("main"),
    ],
    ids=["hidden", "edited", "on another branch"],
)
def test_what_a_fork_changes_of_its_origin_is_not_counted_again(memory, clock, change):
    chat = memory.session("chat", user="ada")
    ids = [item.id for item in chat.add("q", {"role": "assistant", "content": "a"}, "q2")]
    chat.branch("retry", at=ids[0])
    clock.tick(10)
    copy = chat.fork("copy")
    clock.tick(10)
    change(copy, ids)
    copy.add("q3", {"role": "assistant", "content": "b"})
    assert {row.key: row.calls for row in memory.usage(by="session")} == {"chat": 1, "copy": 1}


def test_hidden_branches_were_paid_for_too(memory):
    chat = memory.session("chat")
    usage = {"input_tokens": 5}
    branch = {"hidden": True, "metadata": {"branch": "other"}}
    first, *_ = chat.add("q", {"role": "assistant", "content": "a", "usage": usage})
    chat.add({"role": "user", "content": "q again", **branch})
    chat.add({"role": "assistant", "content": "b", "usage": usage, **branch})
    chat.add({"role": "user", "content": "a note of a program", "hidden": True})
    chat.add({"role": "assistant", "content": "c", "usage": usage})
    rows = memory.usage(by="run")
    assert [row.calls for row in rows] == [1, 2]
    assert rows[0].key == first.id


def test_an_unreadable_item_hides_no_call(memory):
    from threadkeep.types import Record

    chat = memory.session("chat")
    chat.add("q", {"role": "assistant", "content": "a", "usage": {"input_tokens": 5}})
    stream = memory._engine.stream("session", "chat")
    bad = [Record(kind, "bad", "{", 1.0) for kind in ("item", "response_entry")]
    memory._engine.commit(stream, put=bad[:1], ttl=None)
    assert [row.input_tokens for row in memory.usage()] == [5]
    memory._engine.commit(stream, put=bad[1:], ttl=None)
    [row] = memory.usage()
    assert (row.calls, row.unmetered) == (1, 1)  # a response: the run's items are not asked


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "month"}, {"limit": 0}, {"limit": 1001}, {"since": "soon"}, {"session": ""},
        {"cursor": "x"}, {"cursor": [1]}, {"by": "run", "cursor": [None, "s", 0, 0]},
        {"by": "run", "cursor": [["x", "y"], "s", -1, 0]}, {"by": "call", "session": "s",
        "cursor": [None, "other", 0, 1]},
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(memory, wrong):
    with pytest.raises(InputError):
        memory.usage(**wrong)


def test_a_session_in_place_of_its_id_is_named_as_it_was_passed(memory):
    with pytest.raises(InputError, match=r"^session must be a str, got Session; pass its id$"):
        memory.usage(session=memory.session("s"))


def test_another_users_session_is_refused(opened):
    memory = opened()
    memory.session("chat", user="ada").add("q", {"role": "assistant", "content": "a"})
    with pytest.raises(NotOwner):
        memory.usage(user="bob", session="chat")
    assert memory.usage(user="bob") == []
    strict = opened(require_user=True)
    with pytest.raises(ConfigError):
        strict.usage()


def test_a_page_reads_no_more_than_its_rows_need(opened):
    from tests.engine.doubles import Counting

    counting = []

    def wrap(inner):
        counting.append(Counting(inner))
        return counting[0]

    memory = opened(wrap)
    for number in range(120):
        chat = memory.session(f"s{number:03}", user="ada")
        chat.add("q", {"role": "assistant", "content": "a", "usage": {"input_tokens": 1}})
    counting[0].reset()
    page = memory.usage(by="session", user="ada", limit=5)
    few = counting[0].reads
    assert len(page) == 5
    assert few < 40
