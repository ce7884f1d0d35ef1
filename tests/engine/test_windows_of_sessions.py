"""`Session.window` over a real store: what it costs, what it holds, and that it stays put."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest

from tests.engine.doubles import Counting
from threadkeep.api.session import Session
from threadkeep.errors import ConfigError
from threadkeep.testing.validity import assert_valid

PROVIDERS = {
    "openai": lambda window: (window.to_openai(), None),
    "responses": lambda window: (window.to_responses(), None),
    "anthropic": lambda window: (window.to_anthropic(), window.to_anthropic().system),
}


def turn(n):
    """A user message, a call of two tools, both results, and an answer."""
    calls = [
        {"id": f"c{n:05}{part}", "name": "weather", "args": {"city": f"city {part}"}}
        for part in "ab"
    ]
    return [
        {"role": "user", "content": f"question {n:05}", "id": f"u{n}"},
        {"role": "assistant", "content": "", "tool_calls": calls},
        *({"role": "tool", "tool_call_id": call["id"], "content": "sun"} for call in calls),
        {"role": "assistant", "content": f"answer {n:05}"},
    ]


def valid(window):
    for provider, wire in PROVIDERS.items():
        messages, system = wire(window)
        assert_valid(messages, provider, system=system or None)


LIMITS: list[dict[str, Any]] = [
    {"max_tokens": 200},
    {"max_turns": 4},
    {"max_exchanges": 3},
    {"max_messages": 20},
    {"max_characters": 500},
    {"max_tokens": 400, "step": 0.5},
]


# turns: the short one is long enough to be indexed, the long one far beyond what a window looks at
SHORT, LONG = 200, 1_000


@pytest.mark.proves("C3")
def test_a_long_session_costs_what_a_short_one_costs(opened):
    memory = opened(Counting)
    counting = memory._engine.backend
    memory.session("first").add("x")  # which agrees on how the store is kept, once
    for turns in (SHORT, LONG):
        made = opened()
        chat = made.session(f"s{turns}", user=f"owner of {turns}")
        chat.add(*(message for n in range(turns) for message in turn(n)))
        assert made.index(user=f"owner of {turns}") > 500

    def cost(turns, act):
        chat = memory.session(f"s{turns}", user=f"owner of {turns}")
        counting.reset()
        act(chat)
        return counting.reads, counting.records, len(counting.commits)

    for limit in LIMITS:
        look = partial(Session.window, **limit)
        short, long = cost(SHORT, look), cost(LONG, look)
        assert long[0] <= 2, limit
        assert long[1] <= 150, limit
        if "step" not in limit:  # where a stepped window begins depends on where the session did
            assert long == short, limit
    for act in (
        lambda chat: chat.add("x"),
        lambda chat: chat.items(last=5),
        lambda chat: chat.items(after="u50", limit=5),
        lambda chat: chat.replace("u50", "x"),
        lambda chat: chat.update(title="t"),
        lambda chat: chat.info(),
    ):
        assert cost(LONG, act) == cost(SHORT, act)


@pytest.mark.proves("C4")
@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_calls_and_results_stay_together_however_tight_the_window(chat, limit):
    (name,) = (name for name in limit if name != "step")
    for n in range(12):
        chat.add(*turn(n))
    for size in range(1, 60):
        window = chat.window(**{**limit, name: size})
        called = [call["id"] for item in window for call in item.tool_calls]
        answered = [item.tool_call_id for item in window if item.tool_call_id]
        assert called == answered
        assert any(item.id == "u11" for item in window), "the newest question is gone"


@pytest.mark.proves("C11")
@pytest.mark.parametrize("limit", [{}, *LIMITS], ids=str)
def test_every_window_is_a_valid_prompt_at_every_point_of_a_chat(chat, limit):
    chat.add({"role": "system", "content": "Be kind."})
    for n in range(6):
        for message in turn(n):
            chat.add(message)
            valid(chat.window(**limit))


@pytest.mark.proves("C11")
def test_with_step_the_beginning_stays_the_same_for_many_turns(chat):
    seen: dict = {None: [], 0.5: []}
    for n in range(80):
        chat.add(
            {"role": "user", "content": f"question {n:03}"},
            {"role": "assistant", "content": f"answer {n:03}"},
        )
        for step, found in seen.items():
            found.append(chat.window(max_messages=20, step=step)[0].content)
    moves = {
        step: sum(before != after for before, after in itertools.pairwise(found))
        for step, found in seen.items()
    }
    assert moves[None] > 60
    assert moves[0.5] < 20


@pytest.mark.proves("C11")
def test_workers_agree_on_a_stepped_window(opened):
    one = opened().session("chat", user="ada")
    for n in range(40):
        one.add(*turn(n))
    other = opened().session("chat", user="ada")
    assert one.window(max_tokens=500, step=0.5) == other.window(max_tokens=500, step=0.5)


@pytest.mark.proves("C13")
@pytest.mark.parametrize(
    ("broken", "dropped"),
    [
        ([turn(1)[0], turn(1)[1]], 0),  # the end: open calls
        ([turn(1)[0], turn(1)[1], "next"], 0),
        ([turn(1)[0], turn(1)[1], turn(1)[2], "next"], 0),
        ([turn(1)[0], turn(1)[2]], 1),
        (["hi", turn(1)[3], turn(1)[2], "next"], 2),
        (["hi", turn(1)[2], turn(1)[1], "next"], 1),
        (["hi", *turn(1)[1:4], turn(1)[2], "next"], 1),
    ],
)
def test_a_broken_history_makes_a_valid_window_and_stays_whole(chat, broken, dropped):
    stored = chat.add(*broken)
    window = chat.window()
    valid(window)
    assert window.dropped == dropped
    assert chat.items() == stored
    assert all(item.metadata.get("synthetic") for item in window if not item.seq)


def test_the_memorys_own_window_counts_if_none_is_asked_for(opened):
    chat = opened(window={"max_messages": 2}).session("chat", user="ada")
    chat.add(
        *(
            m
            for n in range(5)
            for m in ({"role": "user", "content": f"{n}"}, {"role": "assistant", "content": "-"})
        )
    )
    assert [item.content for item in chat.window()] == ["4", "-"]
    assert len(chat.window(max_messages=6)) == 6
    assert len(chat.items()) == 10


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_turns": 0}, "max_turns"),
        ({"max_messages": 1.5}, "max_messages"),
        ({"max_messages": "5"}, "max_messages"),
        ({"step": 2, "max_tokens": 5}, "step"),
        ({"lookback": 0}, "lookback"),
        ({"policy": {"max_token": 5}}, "'max_token'.*'max_tokens'"),
        ({"policy": 5}, "polic|window"),
    ],
)
def test_impossible_limits_are_named(chat, bad, word):
    chat.add("x")
    with pytest.raises(ConfigError, match=word):
        chat.window(**bad)
