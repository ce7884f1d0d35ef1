"""Limit the size of each tool result that a model sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from threadkeep.errors import ConfigError
from threadkeep.messages.tool_groups import Conversation, repair
from threadkeep.protocols import TokenCounter
from threadkeep.types import Item
from threadkeep.window.policies.traits import PolicyTraits
from threadkeep.window.policies.units import positive_int
from threadkeep.window.shorten.caps import FEWEST_TOKENS, ResultCap
from threadkeep.window.shorten.views import shorten_results


@dataclass(frozen=True)
class MaxToolResult:
    """Cuts each tool result to a size; see `max_tool_result`.

    Attributes:
        result_cap: the size; a window cuts to it before the first policy runs.
    """

    result_cap: ResultCap
    name: ClassVar[str] = "max_tool_result"
    traits: ClassVar[PolicyTraits] = PolicyTraits(sound=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        view = items if isinstance(items, Conversation) else repair(items)
        return list(shorten_results(view, [self.result_cap]))


def max_tool_result(tokens: int, counter: TokenCounter | None = None) -> MaxToolResult:
    """Show at most `tokens` of each tool result: its head and tail, with a marker between.

    In the window only; what is stored stays whole. Budgets of tokens and characters cut results
    too, to a quarter of the budget; the smaller of both holds.

    Raises:
        ConfigError: it is less than 64, or no whole number.
    """
    if positive_int("max_tool_result", tokens) < FEWEST_TOKENS:
        raise ConfigError(f"max_tool_result must be at least {FEWEST_TOKENS}, got {tokens}")
    return MaxToolResult(ResultCap(tokens, None, FEWEST_TOKENS, counter))
