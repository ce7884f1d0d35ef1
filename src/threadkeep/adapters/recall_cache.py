"""Cache recalled notes for the duration of a turn, as agents read memory at every step."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from threadkeep.longterm.context import Context, stable_share


class RecallCache:
    """The recalled context of a conversation's current turn.

    Facts and instructions are read at each step, in one round trip; the search for the question is
    repeated only in a new turn, or after facts or instructions changed. Threads may share a cache:
    at worst both search.
    """

    def __init__(self) -> None:
        self._last: tuple[object, Context] | None = None

    def get(
        self, read_context: Callable[..., Context], query: str, turn: Hashable, max_tokens: int
    ) -> Context:
        """Return the context for a question, from the cache if it is current.

        Args:
            read_context: `chat.context` or `user.context`, with what else it takes.
            query: the question.
            turn: identifies the turn, together with the question.
            max_tokens: the token budget of the context.
        """
        cache_key, last_entry = (query, turn, max_tokens), self._last
        if last_entry is not None and last_entry[0] == cache_key and stable_share(max_tokens) > 0:
            stable_context = read_context(max_tokens=stable_share(max_tokens))
            if stable_context.stable == last_entry[1].stable:
                return last_entry[1]
        context = read_context(query, max_tokens=max_tokens)
        self._last = cache_key, context
        return context
