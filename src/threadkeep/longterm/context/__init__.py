"""What long-term memory tells a model about the user; `user.context` and `chat.context`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from threadkeep.errors import InputError
from threadkeep.longterm import summaries
from threadkeep.longterm.context import stable
from threadkeep.longterm.context import volatile as recalled
from threadkeep.longterm.context.gather import Knowledge
from threadkeep.printable import shown
from threadkeep.types import Item
from threadkeep.window import tokens

if TYPE_CHECKING:
    from threadkeep.core.engine import Engine
    from threadkeep.protocols import TokenCounter

_STABLE_SHARE: Final = 3, 4
"""The stable part's share of the tokens, if something is asked."""


class Context(str):
    """Notes for a model, to stand below the application's own instructions; empty if none are.

    Each part is a block between the marks of `threadkeep.longterm.markers`, so that nothing is
    ever learned from it, and what it quotes can neither close it nor hide anything.

    Attributes:
        stable: instructions, facts, summary, files: the same text until one of them changes, or
            the window lets go of what is summed up; for the end of the system message.
        volatile: what was recalled for a query, for the side of the newest user message.
        tokens: of both.
    """

    __slots__ = ("stable", "tokens", "volatile")

    stable: str
    volatile: str
    tokens: int

    def __new__(cls, stable: str = "", volatile: str = "", tokens: int = 0) -> Self:
        context = super().__new__(cls, "\n\n".join(filter(None, (stable, volatile))))
        context.stable, context.volatile, context.tokens = stable, volatile, tokens
        return context

    def __getnewargs__(self) -> tuple[str, str, int]:  # type: ignore[override]  # for pickle, copy
        return self.stable, self.volatile, self.tokens


def build(
    engine: Engine,
    knowledge: Knowledge,
    query: str | None,
    max_tokens: int,
    *,
    window: list[Item] | None,
    counter: TokenCounter | None,
) -> Context:
    """The notes made of what is known.

    Args:
        engine: of the sessions.
        knowledge: what is stored.
        query: what the user says now; `None` = nothing is recalled.
        max_tokens: of both parts, at most.
        window: the items of the session that the model sees anyway; `None` = all of it, and the
            summary is told.
        counter: how many tokens a text is.
    """
    counter = counter or tokens.default()
    knowledge = _omit_redundant_summary(knowledge, window)
    stable_limit = max_tokens if query is None else stable_share(max_tokens)
    stable_part = stable.render(engine, knowledge, stable_limit, counter)
    stable_tokens = counter(stable_part.text) if stable_part.text else 0
    if not query:
        return Context(stable_part.text, "", stable_tokens)
    hits = recalled.relevant_hits(engine, knowledge, query, window)
    volatile_text = recalled.render(
        engine, hits, stable_part.facts, max_tokens - stable_tokens, counter
    )
    return Context(
        stable_part.text,
        volatile_text,
        stable_tokens + (counter(volatile_text) if volatile_text else 0),
    )


def _omit_redundant_summary(knowledge: Knowledge, window: Iterable[Item] | None) -> Knowledge:
    """What is known, but for a summary of nothing that is not in the window as it was said."""
    if window is None or knowledge.summary is None or knowledge.span is None:
        return knowledge
    if not summaries.is_covered_by(window, knowledge.summary, knowledge.span):
        return knowledge
    return replace(knowledge, summary=None)


def stable_share(max_tokens: int) -> int:
    """The tokens that the stable part may have, where something is asked."""
    return max_tokens * _STABLE_SHARE[0] // _STABLE_SHARE[1]


def check(query: object, max_tokens: object, counter: object) -> None:
    """See to it that they make sense.

    Raises:
        InputError: one does not; it is named.
    """
    if query is not None and not isinstance(query, str):
        raise InputError(f"query must be a str or None, got {type(query).__name__}")
    if type(max_tokens) is not int or max_tokens < 1:
        raise InputError(
            f"max_tokens must be a whole number of at least 1, got {shown(max_tokens)}"
        )
    if counter is not None and not callable(counter):
        raise InputError(f"counter must be a callable, got {type(counter).__name__}")


def checked_window(window: Iterable[Item] | None) -> list[Item] | None:
    """The items that the model sees.

    Raises:
        InputError: it is no list of items.
    """
    if window is None:
        return None
    if not isinstance(window, Iterable):
        raise InputError(f"window must be a list of items, got {type(window).__name__}")
    items = list(window)
    foreign_type = next((type(item) for item in items if not isinstance(item, Item)), None)
    if foreign_type:
        raise InputError(f"window must be a list of items, got one of {foreign_type.__name__}")
    return items
