"""The limits that applications choose from: messages, characters, tokens, turns and exchanges."""

from __future__ import annotations

from threadkeep.core.parts import PartialMetadata, unread_lengths
from threadkeep.errors import ConfigError
from threadkeep.messages.tool_groups import exchanges, turns
from threadkeep.protocols import TokenCounter
from threadkeep.types import Item
from threadkeep.window import tokens
from threadkeep.window.policies.budgets import Budget
from threadkeep.window.policies.units import check_step, one_per_item, positive_int, single_groups
from threadkeep.window.shorten.caps import FEWEST_CHARACTERS, FEWEST_TOKENS, share_of


def max_messages(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` items, tool calls and results included."""
    positive_int("max_messages", n)
    stride = max(1, int(n * check_step(step))) if step else None
    # a few more, so that the group at the front is complete
    return Budget(
        n,
        one_per_item,
        single_groups,
        step=check_step(step),
        stride=stride,
        reach=n + 4,
        name="max_messages",
    )


def max_characters(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` characters of text and tool arguments.

    A tool result longer than a quarter of `n` is shortened in the window, and the results of one
    step to half of `n` together.
    """
    return Budget(
        positive_int("max_characters", n),
        characters,
        single_groups,
        step=check_step(step),
        name="max_characters",
        result_cap=share_of(n, len, FEWEST_CHARACTERS),
    )


def max_tokens(n: int, counter: TokenCounter | None = None, *, step: float = 0.0) -> Budget:
    """At most `n` tokens by `counter`, a callable of one text (`tokens.default()`).

    A tool result of more than a quarter of `n` is shortened in the window, and the results of one
    step to half of `n` together.
    """
    positive_int("max_tokens", n)
    if counter is not None and not callable(counter):
        raise ConfigError(f"counter must be callable, got {type(counter).__name__}")
    return Budget(
        n,
        lambda item: tokens.count(item, counter),
        single_groups,
        step=check_step(step),
        name="max_tokens",
        result_cap=share_of(n, counter, FEWEST_TOKENS),
    )


def max_turns(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` turns: uninterrupted contributions of one speaker, tool results included.

    Of more than `n` (at least 4) user messages in a row, the newest `n` are the oldest to stay.
    """
    positive_int("max_turns", n)
    return Budget(n, None, turns, step=check_step(step), name="max_turns")


def max_exchanges(n: int, *, step: float = 0.0) -> Budget:
    """At most `n` exchanges: a user turn and what answers it.

    Of more than `n` (at least 4) user messages in a row, the newest `n` are the oldest to stay.
    """
    positive_int("max_exchanges", n)
    return Budget(n, None, exchanges, step=check_step(step), name="max_exchanges")


def characters(item: Item) -> int:
    """Characters of an item: its text, and the names and arguments of its calls."""
    call_characters = sum(
        len(tool_call.get("name") or "") + len(tokens.as_text(tool_call.get("args")))
        for tool_call in item.tool_calls
    )
    if type(item.metadata) is PartialMetadata:
        call_characters += sum(unread_lengths(item))
    return len(item.text) + call_characters
