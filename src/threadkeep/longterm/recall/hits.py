"""What recall finds: items and facts, the best first, with what stands around them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from threadkeep.printable import counted
from threadkeep.types import Item
from threadkeep.types.html_table import Cell, table, truncate
from threadkeep.types.knowledge import Fact

ReasonKind = Literal["words", "neighbours", "speaker", "date", "facts", "vector"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One way by which a question found something.

    Attributes:
        kind: `words` of its own; `neighbours`: words said just before or after it; the name of
            its `speaker`; its `date`; `facts` that were learned from it; `vector`: its meaning, as
            an embedder sees it.
        words: the words of the question that did it, in lower case.
        share: of the score, from 0 to 1.
    """

    kind: ReasonKind
    words: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was said, or one fact; exactly one of `item` and `fact` is there.

    Attributes:
        score: how well it answers; only to be compared within one list.
        item: what was said, read again just now.
        fact: what is known, read again just now.
        session: where it was said; of a fact, where it was learned, if that is known.
        before: the turn before the item in its session.
        after: the turn behind it.
        why: what found it, and by which words of the question; what gave most first.
    """

    score: float
    item: Item | None = None
    fact: Fact | None = None
    session: str | None = None
    before: Item | None = None
    after: Item | None = None
    why: tuple[Reason, ...] = ()

    @property
    def text(self) -> str:
        """The words of the item or fact."""
        if self.fact is not None:
            return self.fact.text
        return "" if self.item is None else self.item.text


class Hits(list[Hit]):
    """Hits, the best first.

    Attributes:
        query: what was asked.
        complete: whether all was searched. A user with very many items that no index holds yet is
            read in parts, the newest first: the next questions read on, `memory.index()` reads all.
    """

    def __init__(self, hits: Iterable[Hit] = (), *, query: str = "", complete: bool = True) -> None:
        super().__init__(hits)
        self.query = query
        self.complete = complete

    def _repr_html_(self) -> str:
        table_rows = [
            [
                Cell(f"{hit.score:.1f}", quiet=True),
                Cell(_origin(hit), quiet=True),
                Cell(explained(hit), quiet=True),
                Cell(hit.text),
            ]
            for hit in self
        ]
        limits = "" if self.complete else ", older items not read yet"
        return table(
            table_rows, f"{counted(len(self), 'hit')} for {truncate(self.query, 80)!r}{limits}"
        )


def _origin(hit: Hit) -> str:
    if hit.item is None:
        return "fact"
    day_suffix = f", {hit.item.created_at:%Y-%m-%d}" if hit.item.created_at else ""
    return f"{hit.item.name or hit.item.role} in {hit.session}{day_suffix}"


def explained(hit: Hit) -> str:
    """Why it was found, in a few words."""
    return "; ".join(
        f"{reason.kind} {' '.join(reason.words)}".rstrip() + f" {reason.share:.0%}"
        for reason in hit.why
    )
