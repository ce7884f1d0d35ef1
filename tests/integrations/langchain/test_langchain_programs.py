"""Any middlewares beside ours: the model sees what it would see without, wherever there is room."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
from tests.integrations.langchain.agents_beside import (
    CONFIG,
    UNCUT,
    WAYS,
    Sides,
    content,
    recorder,
)
from tests.integrations.langchain.programs import (
    STATE_HOOKS,
    Program,
    Step,
    answers,
    look,
    middleware,
    programs,
    question,
)

EXAMPLES = int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "34"))
FEW = settings(
    max_examples=EXAMPLES, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
MANY = settings(max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])


def perform(program: Program, hydrate: str | None = None) -> Sides:
    """Run a program without ours, and with; ours has no checkpointer where it hydrates."""
    memory = threadkeep.connect("memory://")
    models = tuple(recorder(*answers(program.turns)) for _ in range(2))
    for model, with_ours in zip(models, (False, True), strict=True):
        with_saver = program.checkpointer and not (with_ours and hydrate)
        saver = InMemorySaver() if with_saver else None
        agent = None
        for turn in range(len(program.turns)):
            if agent is None or program.cut or turn == program.old:
                ours = with_ours and (turn >= program.old or not program.checkpointer)
                agent = _agent(program, model, memory if ours else None, saver, hydrate)
            WAYS[program.way](agent, {"messages": [question(turn)]}, CONFIG)
    return Sides(*models, memory)


def _agent(program, model, memory, saver, hydrate):
    chain = [middleware(step, number) for number, step in enumerate(program.steps)]
    if memory is not None:
        ours = ThreadkeepMiddleware(
            memory, inject=False, window=UNCUT, record_responses=True, hydrate=hydrate
        )
        # without a checkpointer ours adds earlier turns, which those before it do not see
        chain.insert(program.place if program.checkpointer else len(chain), ours)
    return create_agent(model, [look], middleware=chain, checkpointer=saver)


def check(program: Program) -> None:
    sides = perform(program)
    if program.checkpointer:
        sides.assert_same()
        return
    for bare, ours in zip(sides.bare.seen, sides.ours.seen, strict=True):
        lacking = Counter(map(str, content(bare))) - Counter(map(str, content(ours)))
        assert not lacking, "what the request holds is in the prompt"
        assert _is_subsequence(content(bare), content(ours)), "in the order of the request"


def _is_subsequence(short, long):
    remaining = iter(long)
    return all(entry in remaining for entry in short)


ADDS_TWICE = [
    Program(
        (Step("after_agent", "add", n), Step("after_agent", "add", n)), 1, (0, 0, 0), True, "sync"
    )
    for n in range(3)
]


@pytest.mark.proves("D1")
@pytest.mark.parametrize("program", ADDS_TWICE)
def test_two_middlewares_that_say_the_same_after_each_other(program):
    """One before ours and one behind it, of each role: the second is no repetition."""
    check(program)


@pytest.mark.proves("D1")
@FEW
@given(programs())
def test_generated_middlewares(program):
    check(program)


@pytest.mark.proves("D1")
@FEW
@given(programs(hooks=STATE_HOOKS))
def test_generated_middlewares_of_the_state(program):
    check(program)


@FEW
@given(programs(STATE_HOOKS, acts=("replace", "redact", "drop", "keep")))
def test_a_hydrated_state_is_as_good_as_a_checkpointer(program):
    """For acts that last: an order that the state alone has is not stored."""
    sides = perform(
        dataclasses.replace(program, checkpointer=True, old=0, place=0), hydrate="state"
    )
    sides.assert_same()


@pytest.mark.soak
@MANY
@given(programs())
def test_many_generated_middlewares(program):
    check(program)
