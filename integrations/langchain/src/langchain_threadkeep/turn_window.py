"""The `window=` option of the LangChain adapters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from langchain_threadkeep.codec import message_id
from threadkeep import Item, Memory, policies
from threadkeep.policies import Budget, PolicyTraits

Policies = Sequence[object]

_DEFAULT: Final[Budget] = policies.max_tokens(30_000, step=0.5)


def parse_window(window: object) -> Policies:
    """Parse a `window=` argument; dict limits move in steps, which keeps prompt caches valid.

    Raises:
        ConfigError: it is not a policy, a list of policies or a dict of limits.
    """
    stepped = {"step": 0.5, **window} if isinstance(window, Mapping) else window
    return policies.as_policies(stepped)


def or_memory_window(window: Policies, memory: Memory) -> Policies:
    """Return the given window, else the Memory's own."""
    return window or memory.window


def or_token_limit(window: Policies, memory: Memory) -> Policies:
    """As `or_memory_window`, else the default of 30,000 tokens."""
    return or_memory_window(window, memory) or [_DEFAULT]


@dataclass(frozen=True)
class TurnIsolation:
    """A policy that hides messages of concurrent runs: it keeps earlier items and the turn's own.

    Runs that share a thread interleave, and no run should answer another run's question.

    Attributes:
        seq: the seq at which the turn begins.
        turn_ids: record ids of the turn.
        hidden_ids: LangChain's ids of messages that other middleware removed from the prompt.
    """

    seq: int
    turn_ids: Collection[str | None]
    hidden_ids: Collection[str | None] = ()
    traits: ClassVar[PolicyTraits] = PolicyTraits(filters=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        return [item for item in items if self._is_shown(item)]

    def _is_shown(self, item: Item) -> bool:
        if self.hidden_ids and message_id(item) in self.hidden_ids:
            return False
        return item.seq < self.seq or item.id in self.turn_ids
