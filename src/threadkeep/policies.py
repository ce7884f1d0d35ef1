"""Window policies: which items of a conversation a model sees. Pure callables that compose."""

from __future__ import annotations

from threadkeep.window.policies.budgets import Budget
from threadkeep.window.policies.filters import keep_system, max_age, only
from threadkeep.window.policies.limits import (
    max_characters,
    max_exchanges,
    max_messages,
    max_tokens,
    max_turns,
)
from threadkeep.window.policies.media import max_media
from threadkeep.window.policies.merge_roles import alternate_roles
from threadkeep.window.policies.options import as_policies, from_options
from threadkeep.window.policies.times import with_times
from threadkeep.window.policies.tool_results import max_tool_result
from threadkeep.window.policies.traits import PolicyTraits

__all__ = [
    "Budget",
    "PolicyTraits",
    "alternate_roles",
    "as_policies",
    "from_options",
    "keep_system",
    "max_age",
    "max_characters",
    "max_exchanges",
    "max_media",
    "max_messages",
    "max_tokens",
    "max_tool_result",
    "max_turns",
    "only",
    "with_times",
]


def __dir__() -> list[str]:
    return sorted(__all__)
