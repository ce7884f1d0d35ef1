"""What the index takes in: items and facts, taken apart into words; the text itself is let go."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import Final

from threadkeep.longterm import markers
from threadkeep.longterm.recall import english, tokenizer
from threadkeep.messages import tool_groups
from threadkeep.types import Item
from threadkeep.types.knowledge import Fact

TIME, NUMBER, NAME, ASKS, TOOL, FACT = (1 << n for n in range(6))
"""Flags of a document: what it holds, and what it is."""

VERSION: Final = 2
"""How texts are taken apart; a kept index of another version is built anew."""

FLAGS: Final = 1 << 6
"""How many sets of flags there are."""

FACT_PREFIX: Final = "\0"
"""What the place of a fact begins with, so that it is no session's."""

MAX_CHARACTERS: Final = 20_000
"""Characters of one item that are read; what stands behind them is not found."""
MAX_OUTPUT_CHARACTERS: Final = 4_000
"""Characters of the output of a tool that are read."""

_IGNORED_ROLES: Final = frozenset({"system", "developer"})
_SPEAKER_LABEL: Final = re.compile(
    r"(\s*\[[^\]\n]{1,40}\]\s*)?([A-Z][\w'.-]{0,30}(?: [A-Z][\w'.-]{0,30})?):\s"
)


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """One turn, tool output or fact.

    Attributes:
        origin: the id of the session; of a fact, its id behind `FACT_PREFIX`.
        seq: the item's place in the session.
        key: what sources point to.
        written_at: when the record was written, which tells whether it was edited since.
        time: when it was said, epoch seconds.
        role: of the item.
        speaker: the stems of the name of who speaks.
        statement_stems: how often each stem is in statements; a word has one for each reading.
        question_stems: how often each is in short questions.
        statement_length: words in statements.
        question_length: words in short questions.
        flags: what it holds, and what it is.
        sources: keys of the items that a fact was learned from.
    """

    origin: str
    seq: int
    key: int
    written_at: float
    time: float
    role: str
    speaker: tuple[str, ...]
    statement_stems: Counter[str]
    question_stems: Counter[str]
    statement_length: int
    question_length: int
    flags: int
    sources: tuple[int, ...] = ()


def item_document(session: str, item: Item, written_at: float) -> IndexedDocument | None:
    """The document of an item; `None` if it is of a kind that is never recalled."""
    is_tool_output = bool(tool_groups.tool_results([item]))
    is_visible_message = (
        item.type == "message" and item.role not in _IGNORED_ROLES and not item.hidden
    )
    if not is_tool_output and not is_visible_message:
        return None
    speaker, spoken_text = _speaker(
        item.name or "", item.text[: MAX_OUTPUT_CHARACTERS if is_tool_output else MAX_CHARACTERS]
    )
    if not spoken_text.strip() or markers.is_injected(spoken_text):
        return None
    statement_words, question_words = tokenizer.split(spoken_text)
    return IndexedDocument(
        session,
        item.seq,
        item_key(session, item.id),
        written_at,
        item.created_at.timestamp() if item.created_at else written_at,
        item.role,
        () if is_tool_output else tuple(tokenizer.stems(speaker)),
        Counter(chain.from_iterable(statement_words)),
        Counter(chain.from_iterable(question_words)),
        len(statement_words),
        len(question_words),
        _flags(spoken_text) | (TOOL if is_tool_output else 0),
    )


def fact_document(fact: Fact, namespace: str) -> IndexedDocument:
    """The document of a fact, with the items of this namespace that it was learned from."""
    said_at = fact.observed_at or fact.created_at
    said_timestamp = said_at.timestamp() if said_at else 0.0
    sources = (source for source in fact.sources if source.namespace in (None, namespace))
    fact_words = tokenizer.words(f"{fact.text}\n{fact.gloss}" if fact.gloss else fact.text)
    return IndexedDocument(
        FACT_PREFIX + fact.id,
        fact.seq,
        0,
        said_timestamp,
        said_timestamp,
        "",
        (),
        Counter(chain.from_iterable(fact_words)),
        Counter(),
        len(fact_words),
        0,
        _flags(fact.text) | FACT,
        tuple(item_key(source.session, source.item) for source in sources),
    )


def item_key(session: str, item: str) -> int:
    """A number for an item, the same in every process."""
    qualified_item_id = f"{session}\0{item}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(qualified_item_id, digest_size=8).digest(), "little")


def _speaker(name: str, text: str) -> tuple[str, str]:
    """Who speaks, and what is said: a name that begins the text is the speaker's, no word of it."""
    label_match = _SPEAKER_LABEL.match(text)
    if label_match is None or (name and name != label_match[2]):
        return name, text
    return label_match[2], (label_match[1] or "") + text[label_match.end() :]


def _flags(text: str) -> int:
    lowered_text = text.lower()
    return (
        (TIME if english.TIME.search(lowered_text) else 0)
        | (NUMBER if english.NUMBER.search(lowered_text) else 0)
        | (NAME if english.NAME.search(text) else 0)
        | (ASKS if "?" in text else 0)
    )
