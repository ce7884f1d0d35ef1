"""Windows: which items of a conversation a model sees. Pure callables; a list of them composes."""

from __future__ import annotations

from threadkeep.policies.budgets import (
    Budget,
    max_characters,
    max_exchanges,
    max_messages,
    max_tokens,
    max_turns,
)
from threadkeep.policies.filters import keep_system, max_age, only
from threadkeep.policies.options import as_policies, from_options
from threadkeep.policies.roles import alternate_roles

__all__ = [
    "Budget",
    "alternate_roles",
    "as_policies",
    "from_options",
    "keep_system",
    "max_age",
    "max_characters",
    "max_exchanges",
    "max_messages",
    "max_tokens",
    "max_turns",
    "only",
]
