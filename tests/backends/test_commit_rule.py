"""Each store carries out what `backends.common.commit.decide` says, and so does Redis' Lua."""

from __future__ import annotations

import random

import pytest

from threadkeep.backends.common.commit import Action, Change, StreamState, decide
from threadkeep.errors import Conflict
from threadkeep.types import KEEP, Drop, Query, Record
from threadkeep.types.versions import GENERATION_SPAN, Generation

STREAM = "test/session/rule"
STEPS = 60
NOW = 1_750_000_000.0


def items(ids):
    return [Record("item", id, "{}", NOW) for id in ids]


def drawn(
    dice: random.Random, head: StreamState | None, before: Change | None, step: int, now: float
) -> Change:
    """A change that is often about right, often not quite, and sometimes the one before again."""
    if before and before.token and dice.random() < 0.35:
        return before._replace(now=now)
    version = head.version if head else 0
    expect = dice.choice(
        [None, None, 0, version, version, version - 1, version + 1, Generation(version)]
    )
    return Change(
        STREAM,
        items(dice.choice(["", "a", "b", "ab", "cd"])),
        dice.choice([(), (), (), [Drop("item", ["a"])], [Drop("item")], [Drop()]]),
        dice.choice([None, KEEP, KEEP, 5, 50]),
        None if expect is not None and expect < 0 else expect,
        dice.choice([None, f"token-{step}"]),
        now,
    )


def carried_out(backend, change):
    """The version that a store answers with, or the version that it met instead."""
    _, put, drop, ttl, expect, token, now, _ = change
    try:
        commit = backend.commit(
            STREAM, put=put, drop=drop, ttl=ttl, expect=expect, token=token, now=now
        )
    except Conflict as conflict:
        return "conflict", conflict.current
    return "commit", commit.version


def decided(head, change):
    try:
        return decide(head, change)
    except Conflict as conflict:
        return conflict


@pytest.mark.parametrize("seed", range(3))
def test_stores_decide_alike(backend, seed):
    dice = random.Random(seed)
    head, change, now, actions = None, None, NOW, set()
    for step in range(STEPS):
        change = drawn(dice, head, change, step, now)
        outcome, version = carried_out(backend, change)
        decision = decided(head, change)
        if isinstance(decision, Conflict):
            assert (outcome, version) == ("conflict", decision.current)
            actions.add("conflict")
            continue
        actions.add(decision.action)
        if decision.action is Action.CREATE:  # at a random version
            assert (outcome, version % GENERATION_SPAN) == ("commit", 1)
            token_version = version if decision.token is not None else None
            expires, ttl = decision.lifetime
            head = StreamState(version, expires, ttl, decision.token, token_version)
        else:
            assert (outcome, version) == ("commit", decision.version), decision
            if decision.action is Action.CONTINUE:
                head = StreamState(*decision[1:])
            elif decision.action is Action.TOUCH and head:
                head = head._replace(**decision.lifetime._asdict())
            elif decision.action is Action.END:
                head = None
        live = head is not None and (head.expires is None or head.expires > now)
        (page,) = backend.read(Query(STREAM, "item"), now=now)
        assert page.version == (head.version if head and live else 0)
        now += dice.choice([0, 1, 4, -2])  # writers' clocks differ
    assert {Action.CREATE, Action.CONTINUE, Action.REPLAY, "conflict"} <= actions


def test_what_a_decision_depends_on_is_the_head_alone():
    change = Change(STREAM, items("a"), (), None, None, None, NOW)
    ended = StreamState(7, NOW, 60.0, "t", 7)  # at this very moment
    assert decide(ended, change).action is Action.CREATE
    assert decide(ended._replace(expires=NOW + 1), change).version == 8
