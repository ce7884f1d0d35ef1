"""What a model sees of a memory: a window of the session, and what is injected into it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from llama_index.core.base.llms.types import ChatMessage

from llama_index.memory.threadkeep.inject import (
    MESSAGE_OVERHEAD,
    current_question,
    inject_context,
    turn_key,
)
from llama_index.memory.threadkeep.to_messages import to_messages
from threadkeep import Memory, Session, Window
from threadkeep.adapters import windows
from threadkeep.adapters.injection import Injection
from threadkeep.adapters.recall_cache import RecallCache
from threadkeep.longterm.context import Context
from threadkeep.policies import max_tokens

_ANSWER_ROLES: Final = frozenset({"assistant", "tool", "function"})


class TokenBudget(NamedTuple):
    """The tokens of a prompt.

    Attributes:
        limit: of the history and the injected memory together; `None` = the window alone limits.
        count: how many tokens a text is.
    """

    limit: int | None
    count: Callable[[str], int]


class MemoryPrompt:
    """Reads the messages for a model.

    Args:
        memory: the store.
        chat: the session.
        policies: those of the window.
        injection: how much long-term memory is injected; `None` = nothing.
    """

    def __init__(
        self,
        memory: Memory,
        chat: Session,
        policies: windows.Policies,
        injection: Injection | None,
    ) -> None:
        self._memory, self._chat = memory, chat
        self._policies, self._injection = policies, injection
        self._is_readable = False
        self._over = windows.OverWarning()
        self._recall_cache = RecallCache()

    def messages(self, input: Any, spent: int, budget: TokenBudget) -> list[ChatMessage]:
        """The newest messages that fit, with what is injected.

        Args:
            input: the user's next message, if it is not stored yet.
            spent: tokens of the engine's own prompt.
            budget: of the whole prompt.
        """
        window = self._chat.window(**self._limits(spent, budget))
        query = current_question(input, window)
        context = self._context(window, query, spent, budget)
        if context and _is_over(window, context, spent, budget):
            reserved_tokens = spent + self._injected_tokens(spent, budget) + MESSAGE_OVERHEAD
            window = self._chat.window(**self._limits(reserved_tokens, budget))
            context = self._context(window, query, spent, budget)
        self._over.check(window, self._chat.id)
        is_cut_off = _opens_with_answer(window) and self._chat.items(limit=1)[0].id != window[0].id
        messages = _from_first_question(window) if is_cut_off else to_messages(window)
        return inject_context(messages, context, query) if context else messages

    def show_handles(self, budget: TokenBudget) -> windows.Policies:
        """Name handles where a result is cut; return the policies of the window."""
        self._is_readable = True
        if budget.limit is None:
            return windows.or_token_limit(self._policies, self._memory)
        return [*self._policies, max_tokens(budget.limit, budget.count)]

    def _context(
        self, window: Window, query: str, spent: int, budget: TokenBudget
    ) -> Context | None:
        if self._injection is None or (token_limit := self._injected_tokens(spent, budget)) < 1:
            return None
        counter = None if budget.limit is None else budget.count
        summary = self._injection.summary
        read_context = functools.partial(
            self._chat.context, summary=summary, window=window, counter=counter
        )
        if not self._injection.recall:
            return read_context(max_tokens=token_limit)
        return self._recall_cache.get(read_context, query, turn_key(window), token_limit)

    def _injected_tokens(self, spent: int, budget: TokenBudget) -> int:
        """The tokens that may be injected: the `inject` option, at most a quarter of the limit."""
        max_injected = (self._injection or Injection()).max_tokens
        return (
            max_injected if budget.limit is None else min(max_injected, (budget.limit - spent) // 4)
        )

    def _limits(self, spent: int, budget: TokenBudget) -> dict[str, Any]:
        if budget.limit is None:
            return {"policy": self._readable(windows.or_token_limit(self._policies, self._memory))}
        return {
            "policy": self._readable(self._policies),
            "max_tokens": max(1, budget.limit - spent),
            "step": windows.STEP,
            "counter": budget.count,
        }

    def _readable(self, policies: windows.Policies) -> windows.Policies:
        return windows.readable(policies) if self._is_readable else policies


def _is_over(window: Window, context: Context, spent: int, budget: TokenBudget) -> bool:
    if budget.limit is None:
        return False
    return spent + window.tokens + context.tokens + MESSAGE_OVERHEAD > budget.limit


def _opens_with_answer(window: Window) -> bool:
    return bool(window) and window[0].role in _ANSWER_ROLES


def _from_first_question(window: Window) -> list[ChatMessage]:
    """The messages from the first non-answer on, as the question of leading answers was cut off.

    Returns all of them if a later tool result belongs to one of the leading calls.
    """
    first_index = next((n for n, item in enumerate(window) if item.role not in _ANSWER_ROLES), 0)
    call_ids = {call.get("id") for item in window[:first_index] for call in item.tool_calls}
    has_later_results = any(
        item.tool_call_id in call_ids for item in window[first_index:] if item.tool_call_id
    )
    return to_messages(window if has_later_results else window[first_index:])
