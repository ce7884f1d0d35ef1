"""What the index takes in: items and facts, taken apart into words; the text itself is let go."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from threadkeep.longterm import markers
from threadkeep.longterm.recall import english, tokenizer
from threadkeep.messages import tool_groups
from threadkeep.types import Item
from threadkeep.types.knowledge import Fact

TIME, NUMBER, NAME, ASKS, TOOL, FACT = (1 << n for n in range(6))
"""Flags of a document: what it holds, and what it is."""

FLAGS: Final = 1 << 6
"""How many sets of flags there are."""

FACT_PLACE: Final = "\0"
"""What the place of a fact begins with, so that it is no session's."""

LONGEST: Final = 20_000
"""Characters of one item that are read; what stands behind them is not found."""
LONGEST_OUTPUT: Final = 4_000
"""Characters of the output of a tool that are read."""

_UNHEARD: Final = frozenset({"system", "developer"})
_LABEL: Final = re.compile(
    r"(\s*\[[^\]\n]{1,40}\]\s*)?([A-Z][\w'.-]{0,30}(?: [A-Z][\w'.-]{0,30})?):\s"
)


@dataclass(frozen=True, slots=True)
class Document:
    """One turn, tool output or fact.

    Attributes:
        place: the id of the session; of a fact, its id behind `FACT_PLACE`.
        seq: the item's place in the session.
        key: what sources point to.
        written: when the record was written, which tells whether it was edited since.
        when: when it was said, epoch seconds.
        role: of the item.
        speaker: the stems of the name of who speaks.
        stated: how often each stem is in statements.
        asked: how often each is in short questions.
        flags: what it holds, and what it is.
        sources: keys of the items that a fact was learned from.
    """

    place: str
    seq: int
    key: int
    written: float
    when: float
    role: str
    speaker: tuple[str, ...]
    stated: Counter[str]
    asked: Counter[str]
    flags: int
    sources: tuple[int, ...] = ()


def of_item(session: str, item: Item, written: float) -> Document | None:
    """The document of an item; `None` if it is of a kind that is never recalled."""
    output = bool(tool_groups.results([item]))
    spoken = item.type == "message" and item.role not in _UNHEARD
    if not output and not spoken:
        return None
    speaker, text = _speaker(item.name or "", item.text[: LONGEST_OUTPUT if output else LONGEST])
    if not text.strip() or markers.is_injected(text):
        return None
    stated, asked = tokenizer.split(text)
    return Document(
        session,
        item.seq,
        key(session, item.id),
        written,
        item.created_at.timestamp() if item.created_at else written,
        item.role,
        () if output else tuple(tokenizer.stems(speaker)),
        Counter(stated),
        Counter(asked),
        _flags(text) | (TOOL if output else 0),
    )


def of_fact(fact: Fact, namespace: str) -> Document:
    """The document of a fact, with the items of this namespace that it was learned from."""
    at = fact.observed_at or fact.created_at
    stamp = at.timestamp() if at else 0.0
    sources = (s for s in fact.sources if s.namespace in (None, namespace))
    return Document(
        FACT_PLACE + fact.id,
        fact.seq,
        0,
        stamp,
        stamp,
        "",
        (),
        Counter(tokenizer.stems(fact.text)),
        Counter(),
        _flags(fact.text) | FACT,
        tuple(key(source.session, source.item) for source in sources),
    )


def key(session: str, item: str) -> int:
    """A number for an item, the same within a process."""
    return hash((session, item)) & 0xFFFFFFFFFFFFFFFF


def _speaker(name: str, text: str) -> tuple[str, str]:
    """Who speaks, and what is said: a name that begins the text is the speaker's, no word of it."""
    found = _LABEL.match(text)
    if found is None or (name and name != found[2]):
        return name, text
    return found[2], (found[1] or "") + text[found.end() :]


def _flags(text: str) -> int:
    return (
        (TIME if english.TIME.search(text) else 0)
        | (NUMBER if english.NUMBER.search(text) else 0)
        | (NAME if english.NAME.search(text) else 0)
        | (ASKS if "?" in text else 0)
    )
