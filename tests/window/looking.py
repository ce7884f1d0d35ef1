"""Windows of plain lists, read page by page as from a store, and what every window must be."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

from hypothesis import HealthCheck, settings

from tests.window.histories import START
from threadkeep.messages.tool_groups import repair, speaker, tool_groups
from threadkeep.policies import Budget
from threadkeep.protocols import Policy
from threadkeep.testing.validity import assert_valid
from threadkeep.types import Item
from threadkeep.window import LOOKBACK, Window, choose, tokens
from threadkeep.window.policies.traits import traits_of

NOW = START + 900.0
EVERYTHING = 1_000_000

many = settings(
    max_examples=int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "75")),
    suppress_health_check=list(HealthCheck),
)
"""A moderate number of examples; `THREADKEEP_TEST_EXAMPLES=20000` looks harder."""


def window(
    history: list[Item],
    policies: Sequence[Policy],
    *,
    size: int = EVERYTHING,
    lookback: int = LOOKBACK,
    now: float = NOW,
) -> Window:
    """The window of a list whose first read brings `size` items."""
    opening = max((traits_of(policy).head for policy in policies), default=0)
    size = min(size, lookback)

    def fetch(before: int, limit: int) -> list[Item]:
        return [item for item in history if item.seq < before][-limit:]

    return choose(
        history[-size:],
        history[:opening],
        fetch,
        policies,
        now=now,
        size=size,
        lookback=lookback,
        counter=tokens.estimate,
    )


def valid(found: Window) -> None:
    """Every provider takes it."""
    assert_valid(found.to_openai(), "openai")
    assert_valid(found.to_responses(), "responses")
    wire = found.to_anthropic()
    assert_valid(wire, "anthropic", system=wire.system or None)


def filters(policies: Sequence[Policy]) -> bool:
    """Whether a policy may leave nothing on purpose."""
    return any(traits_of(policy).filters for policy in policies)


def newest_user_message(history: list[Item]) -> list[Item]:
    """The last message of a user, if there is one."""
    return [item for item in repair(history) if speaker(item) == "user"][-1:]


def last_step(history: list[Item]) -> list[Item]:
    """The newest calls with all their results, where they end the conversation; else nothing."""
    view = list(repair(history))
    owners = {item.id: one for one in tool_groups(repair(history))[0] for item in one.items}
    end = len(view)
    while end and view[end - 1].role in {"tool", "function"}:
        end -= 1
    trailing = [owners[item.id] for item in view[end:]]
    if end and owners[view[end - 1].id].calls:
        trailing.append(owners[view[end - 1].id])
    ids = {item.id for one in trailing for item in one.items}
    return [item for item in view if item.id in ids]


def synthetic(items: Sequence[Item]) -> set[str]:
    """The ids of results that were never given."""
    return {item.id for item in items if item.metadata.get("synthetic")}


def lengthened(policies: Sequence[Policy]) -> bool:
    """Return True if a policy behind a budget may change items, which the budget cannot see."""
    behind = itertools.dropwhile(lambda policy: not isinstance(policy, Budget), policies)
    return not all(traits_of(policy).part for policy in behind)
