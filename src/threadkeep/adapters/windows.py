"""The option `window=` of an adapter: how much of a session a model sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from threadkeep import policies
from threadkeep.api.memory import Memory
from threadkeep.policies import Budget
from threadkeep.protocols import Policy

Policies = Sequence[Policy]

DEFAULT_TOKENS: Final = 30_000
STEP: Final = 0.5
"""How far a front moves when the budget is full: far enough to free half, for prompt caches."""

_DEFAULT: Final[Budget] = policies.max_tokens(DEFAULT_TOKENS, step=STEP)


def parse_window(window: object) -> Policies:
    """Parse a `window=` argument; dict limits move in steps, which keeps prompt caches valid.

    Raises:
        ConfigError: it is not a policy, a list of policies or a dict of limits.
    """
    stepped = {"step": STEP, **window} if isinstance(window, Mapping) else window
    return policies.as_policies(stepped)


def or_memory_window(window: Policies, memory: Memory) -> Policies:
    """Return the given window, else the Memory's own."""
    return window or memory.window


def or_token_limit(window: Policies, memory: Memory) -> Policies:
    """As `or_memory_window`, else the default of 30,000 tokens."""
    return or_memory_window(window, memory) or [_DEFAULT]
