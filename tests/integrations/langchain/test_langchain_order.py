"""What the place of `ThreadkeepMiddleware` in the list changes, as its page says.

`wrap_model_call` of the first middleware is outermost: what stands before ours changes the request
before the window is made, what stands behind it changes what the window made. No middleware can
find out where it stands, and each place has its use, so nothing warns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import BaseMessage

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
from tests.integrations.langchain.agents_beside import CONFIG, recorder

Change = Callable[[list[BaseMessage]], list[BaseMessage]]


class ChangeRequest(AgentMiddleware[Any, Any, Any]):
    """Changes the messages of each request."""

    def __init__(self, change: Change):
        self.change = change

    def wrap_model_call(self, request, handler):
        return handler(request.override(messages=self.change(list(request.messages))))


def mask(messages):
    return [m.model_copy(update={"content": m.content.replace("4711", "****")}) for m in messages]


def newest_two(messages):
    return messages[-2:]


def last_prompt(change, place, window=None):
    """The prompt of the third turn; without a checkpointer, only the store has earlier ones."""
    model, memory = recorder("a0", "a1", "a2"), threadkeep.connect("memory://")
    ours = ThreadkeepMiddleware(memory, inject=False, window=window)
    chain: list[Any] = [ChangeRequest(change)]
    chain.insert(0 if place == "first" else 1, ours)
    agent = create_agent(model, middleware=chain)
    for question in ("q0 4711", "q1 4711", "q2 4711"):
        agent.invoke({"messages": [{"role": "user", "content": question}]}, CONFIG)
    return [message.content for message in model.seen[-1]]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("last", ["q0 4711", "a0", "q1 4711", "a1", "q2 ****"]),
        ("first", ["q0 ****", "a0", "q1 ****", "a1", "q2 ****"]),
    ],
)
def test_a_mask_of_the_request_sees_earlier_turns_only_behind_ours(place, expected):
    assert last_prompt(mask, place) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [("last", ["q0 4711", "a0", "q1 4711", "a1", "q2 4711"]), ("first", ["a1", "q2 4711"])],
)
def test_a_trim_of_the_request_cuts_the_window_only_behind_ours(place, expected):
    assert last_prompt(newest_two, place) == expected


@pytest.mark.parametrize(("place", "expected"), [("last", 1), ("first", 3)])
def test_what_is_made_longer_behind_ours_is_not_within_the_budget(place, expected):
    def longer(messages):
        return [
            m.model_copy(update={"content": m.content + " word" * 500}) if m.type == "human" else m
            for m in messages
        ]

    prompt = last_prompt(longer, place, window={"max_tokens": 600})
    assert len([text for text in prompt if "q" in text and " word" in text]) == expected
