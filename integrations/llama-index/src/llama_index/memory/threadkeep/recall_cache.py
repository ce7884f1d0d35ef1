"""What was recalled for a question, kept while its turn lasts: agents ask once for every step."""

from __future__ import annotations

from collections.abc import Callable

from threadkeep.longterm.context import Context, stable_share


class Recollection:
    """The notes of one conversation's present turn.

    What is known of the user is read at each step, in one round trip; what was recalled for the
    question is searched again only in another turn, or where what is known has changed. Threads
    may share it: the worst is that two search.
    """

    def __init__(self) -> None:
        self._last: tuple[object, Context] | None = None

    def of(self, tell: Callable[..., Context], asked: tuple[str, int], most: int) -> Context:
        """The notes for a question.

        Args:
            tell: `chat.context` with the window and the counter.
            asked: the question, and where its turn began.
            most: tokens of the notes.
        """
        turn, last = (asked, most), self._last
        if last is not None and last[0] == turn and stable_share(most) > 0:
            known = tell(max_tokens=stable_share(most))
            if known.stable == last[1].stable:
                return last[1]
        context = tell(asked[0], max_tokens=most)
        self._last = turn, context
        return context
