"""A question, taken apart: the stems to look for, the kind of answer it wants, where to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from threadkeep.longterm.recall import english, tokenizer
from threadkeep.longterm.recall.analyzer import NAME, NUMBER, TIME
from threadkeep.longterm.recall.tokenizer import Word

Kind = Literal["fact", "item"]


@dataclass(frozen=True, slots=True)
class RecallQuery:
    """What is looked for, and where.

    Attributes:
        words: each once, in the order of the question: its readings, and how it is written.
        kinds: flags, one of which a good answer has for each kind that is asked for.
        kind: only `item`s, or only `fact`s.
        session: only in this session.
        role: only what this role said.
        since: only what was said then (epoch seconds) or later.
        until: only what was said before.
    """

    words: tuple[tuple[Word, str], ...]
    kinds: tuple[int, ...] = ()
    kind: Kind | None = None
    session: str | None = None
    role: str | None = None
    since: float | None = None
    until: float | None = None

    @property
    def filtered(self) -> bool:
        """Whether it looks in some places only."""
        conditions = (self.kind, self.session, self.role, self.since, self.until)
        return any(condition is not None for condition in conditions)


def parse_query(
    text: str,
    *,
    kind: Kind | None = None,
    session: str | None = None,
    role: str | None = None,
    since: float | None = None,
    until: float | None = None,
) -> RecallQuery:
    """The question of a text."""
    kind_patterns = (
        (english.ASKS_TIME, TIME),
        (english.ASKS_NUMBER, NUMBER),
        (english.ASKS_NAME, NAME),
    )
    kind_flags = tuple(
        kind_flag for kind_pattern, kind_flag in kind_patterns if kind_pattern.search(text)
    )
    query_words = tuple(tokenizer.query_words(text).items())
    return RecallQuery(query_words, kind_flags, kind, session, role, since, until)
