"""Whether a sentence of the user's own asks for what an instruction says."""

from __future__ import annotations

import functools
import re
from typing import Final, NamedTuple

from threadkeep.longterm.extraction.authorship import sentences, user_authored
from threadkeep.longterm.extraction.content import content_words, missing, share
from threadkeep.longterm.extraction.languages import sense
from threadkeep.longterm.extraction.languages.fold import fold, squeezed
from threadkeep.longterm.extraction.languages.recognise import recognise
from threadkeep.longterm.extraction.languages.row import Language, compiled
from threadkeep.types.knowledge import Reason

_MIN_SHARE: Final = 0.75
_MANY: Final = 3
"""Words of which one may be missing, if it is no name."""

_NAME: Final = re.compile(r"(?<=[^.!?:]\s)[A-Z\u00c0-\u00de\u0410-\u042f]\w+")
_MIN_SHARE_UNSPACED: Final = 0.6
"""Of pairs of letters, which also stand across the ends of words."""

_BOILERPLATE: Final = ("lasting", "wish", "must", "ask", "assistant", "polite", "user")
"""How a model puts an instruction, whatever it is."""

_SAYING: Final = re.compile("repl.*|answer.*|respon.*|format.*|style|keep|message.*")


class Wish(NamedTuple):
    """What became of an instruction in a message.

    Attributes:
        sentence: the user's own sentence that asks for it; `None` = there is none.
        reason: why there is none.
        foreign: whether sentence and instruction are in different languages.
    """

    sentence: str | None
    reason: Reason | None = None
    foreign: bool = False


def find_wish(text: str, instruction: str, quote: str = "") -> Wish:
    """The user's own sentence that asks for what an instruction says.

    Args:
        text: a message of the user, as it was written.
        instruction: what a model made of it.
        quote: the words that the model cites; what it cites of another's is no wish.
    """
    authored = user_authored(text)
    if quote and squeezed(quote) in squeezed(text) and squeezed(quote) not in squeezed(authored):
        if len(squeezed(quote)) < len(squeezed(text)):  # it cites all of a message for part of it
            return Wish(None, "not_own")
        quote = ""
    own_sentences = sentences(authored)
    reasons: list[Reason] = []
    for count in (1, 2):
        for start in range(len(own_sentences) - count + 1):
            passage = " ".join(own_sentences[start : start + count])
            wish = _judge(passage, instruction, quote, authored)
            if wish.sentence is not None:
                return wish
            if wish.reason is not None:
                reasons.append(wish.reason)
    telling = [reason for reason in reasons if reason not in ("not_said", "no_wish")]
    if telling:
        return Wish(None, telling[0])
    return Wish(None, "not_own" if squeezed(authored) != squeezed(text) else "no_wish")


def is_lasting(sentence: str) -> bool:
    """Whether a wish is said to hold from now on."""
    return sense.has("lasting", sentence, recognise(sentence).rows)


def _judge(passage: str, instruction: str, quote: str, around: str) -> Wish:
    spoken, instructed = recognise(passage, around), recognise(instruction, around)
    rows = tuple(dict.fromkeys((*spoken.rows, *instructed.rows)))
    is_cited = bool(quote) and squeezed(quote) in squeezed(passage)
    is_foreign = is_cited and not (spoken.codes & instructed.codes)
    if not is_foreign and not is_asked(passage, instruction, rows):
        return Wish(None, "not_said")
    if not spoken.covered or not spoken.rows:
        return Wish(None, "language")
    for reason, applies in (
        ("hearsay", sense.is_hearsay(passage, spoken.rows)),
        ("question", sense.is_question(passage, spoken.rows)),
        ("no_wish", not sense.has("wish", passage, spoken.rows)),
    ):
        if applies:
            return Wish(None, reason)  # type: ignore[arg-type]  # literals in a tuple
    main = spoken.rows[:1]
    if not is_foreign and sense.is_negated(passage, main) != sense.is_negated(instruction, main):
        return Wish(None, "negation")
    return Wish(passage, foreign=is_foreign)


def is_asked(passage: str, instruction: str, rows: tuple[Language, ...]) -> bool:
    """Whether a passage has most of the words that an instruction is about."""
    instruction_words = content_words(instruction, rows)
    about = tuple(word for word in instruction_words if not _is_boilerplate(word, rows))
    passage_words = content_words(passage, rows)
    names = frozenset(fold(name) for name in _NAME.findall(instruction))
    missing_words = missing(about, passage_words, rows)
    if len(about) >= _MANY and len(missing_words) == 1 and missing_words[0] not in names:
        return True
    least = _MIN_SHARE if any(row.spaced for row in rows) else _MIN_SHARE_UNSPACED
    if not about:
        return bool(instruction_words) and share(instruction_words, passage_words, rows) >= least
    return share(about, passage_words, rows) >= least


def _is_boilerplate(word: str, rows: tuple[Language, ...]) -> bool:
    return _SAYING.fullmatch(word) is not None or any(
        _frames(row.code, rows).fullmatch(word) for row in rows
    )


@functools.lru_cache(maxsize=128)
def _frames(code: str, rows: tuple[Language, ...]) -> re.Pattern[str]:
    row = next(row for row in rows if row.code == code)
    entries = {word for role in _BOILERPLATE for word in row.words[role] if " " not in word}
    return compiled(sorted(entries), spaced=True)
