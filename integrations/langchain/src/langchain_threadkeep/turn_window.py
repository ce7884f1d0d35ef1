"""What `window=` means in the adapters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from langchain_threadkeep.codec import message_id
from threadkeep import Item, Memory, policies
from threadkeep.policies import Budget

Policies = Sequence[object]

_DEFAULT: Final[Budget] = policies.max_tokens(30_000, step=0.5)


def told(window: object) -> Policies:
    """The policies of `window=`; budgets by name move their front seldom, for prompt caches.

    Raises:
        ConfigError: it is no policy, list of policies or dict of limits.
    """
    stepped = {"step": 0.5, **window} if isinstance(window, Mapping) else window
    return policies.as_policies(stepped)


def chosen(window: Policies, memory: Memory) -> Policies:
    """What was told, else the Memory's own window."""
    return window or memory.engine.settings.window


def bounded(window: Policies, memory: Memory) -> Policies:
    """As `chosen`, and 30,000 tokens where nobody said anything."""
    return chosen(window, memory) or [_DEFAULT]


@dataclass(frozen=True)
class BeforeOrOf:
    """A policy: what was said before a turn, and of what came since only the turn's own.

    Runs that share a thread write at once, and none is to answer in the middle of another.

    Attributes:
        seq: where the turn begins.
        own: record ids of the turn.
        hidden: LangChain's ids of messages that somebody else took out of the prompt.
    """

    seq: int
    own: Collection[str | None]
    hidden: Collection[str | None] = ()
    filters: ClassVar[bool] = True

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        return [item for item in items if self._is_shown(item)]

    def _is_shown(self, item: Item) -> bool:
        if self.hidden and message_id(item) in self.hidden:
            return False
        return item.seq < self.seq or item.id in self.own
