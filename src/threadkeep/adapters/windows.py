"""The option `window=` of an adapter: how much of a session a model sees."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from threadkeep import policies
from threadkeep.adapters.read_more import READABLE
from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.policies import Budget
from threadkeep.protocols import Policy
from threadkeep.types import MAX_SEQ
from threadkeep.window import LOOKBACK, Fetch, Window, choose, first_page_size
from threadkeep.window.policies.traits import joint_traits

Policies = Sequence[Policy]

DEFAULT_TOKENS: Final = 30_000
STEP: Final = 0.5
"""How far a front moves when the budget is full: far enough to free half, for prompt caches."""

_DEFAULT: Final[Budget] = policies.max_tokens(DEFAULT_TOKENS, step=STEP)

_log: Final = logging.getLogger("threadkeep")


def parse_window(window: object) -> Policies:
    """Parse a `window=` argument; dict limits move in steps, which keeps prompt caches valid.

    Raises:
        ConfigError: it is not a policy, a list of policies or a dict of limits.
    """
    stepped_limits = {"step": STEP, **window} if isinstance(window, Mapping) else window
    return policies.as_policies(stepped_limits)


def or_memory_window(window: Policies, memory: Memory) -> Policies:
    """Return the given window, else the Memory's own."""
    return window or memory.window


def or_token_limit(window: Policies, memory: Memory) -> Policies:
    """As `or_memory_window`, else the default of 30,000 tokens."""
    return or_memory_window(window, memory) or [_DEFAULT]


def readable(window: Policies) -> Policies:
    """The policies of a window whose model has the tool `read_more`."""
    return [READABLE, *window]


def choose_from(fetch: Fetch, policies: Policies, chat: Session) -> Window:
    """The window of a conversation that the framework holds, not the store.

    Args:
        fetch: its items before a seq, as many of the newest as asked for, oldest first; they have
            ids and seqs of their own.
        policies: as for `Session.window`.
        chat: the session it belongs to, whose name is in the handles of `read_more`.
    """
    page_size = first_page_size(policies, LOOKBACK)
    head_size = joint_traits(policies).head
    return choose(
        fetch(MAX_SEQ, page_size),
        fetch(MAX_SEQ, LOOKBACK)[:head_size] if head_size else [],
        fetch,
        policies,
        now=chat._engine.now(),
        size=page_size,
        session=chat._stream.stream_name,
    )


class OverWarning:
    """Says once, for one adapter, that a window is over its budget."""

    def __init__(self) -> None:
        self._warned = False

    def check(self, window: Window, session: str) -> None:
        """Log a warning if the window is over and none was logged before."""
        if window.over and not self._warned:
            self._warned = True
            _log.warning(
                "the window of session %r is over its budget by %d, since the newest user message "
                "and the last step of the model are in every window: raise the limit, or shorten "
                "what the tools return",
                session,
                window.over,
            )
