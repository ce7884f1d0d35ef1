"""What recall finds: items and facts, the best first, with what stands around them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from threadkeep.types import Item
from threadkeep.types.knowledge import Fact


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
    """

    score: float
    item: Item | None = None
    fact: Fact | None = None
    session: str | None = None
    before: Item | None = None
    after: Item | None = None

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
    """

    def __init__(self, hits: Iterable[Hit] = (), *, query: str = "") -> None:
        super().__init__(hits)
        self.query = query

    def _repr_html_(self) -> str:
        import html  # for notebooks only

        rows = "".join(
            f"<tr><td style='opacity:.6'>{hit.score:.1f}</td>"
            f"<td style='opacity:.6;text-align:left'>{html.escape(_origin(hit))}</td>"
            "<td style='text-align:left;white-space:pre-wrap'>"
            f"{html.escape(truncate(hit.text))}</td></tr>"
            for hit in self
        )
        note = html.escape(f"{len(self)} hits for {truncate(self.query, 80)!r}")
        return f"<table>{rows}</table><small>{note}</small>"


def truncate(text: str, limit: int = 200) -> str:
    """The text, cut if it is long."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _origin(hit: Hit) -> str:
    if hit.item is None:
        return "fact"
    day = f", {hit.item.created_at:%Y-%m-%d}" if hit.item.created_at else ""
    return f"{hit.item.name or hit.item.role} in {hit.session}{day}"
