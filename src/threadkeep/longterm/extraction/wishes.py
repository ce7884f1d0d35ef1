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
    authored_text = user_authored(text)
    if (
        quote
        and squeezed(quote) in squeezed(text)
        and squeezed(quote) not in squeezed(authored_text)
    ):
        if len(squeezed(quote)) < len(squeezed(text)):  # it cites all of a message for part of it
            return Wish(None, "not_own")
        quote = ""
    own_sentences = sentences(authored_text)
    reasons: list[Reason] = []
    for sentence_count in (1, 2):
        for first_index in range(len(own_sentences) - sentence_count + 1):
            passage = " ".join(own_sentences[first_index : first_index + sentence_count])
            wish = _judge(passage, instruction, quote, authored_text)
            if wish.sentence is not None:
                return wish
            if wish.reason is not None:
                reasons.append(wish.reason)
    telling_reasons = [reason for reason in reasons if reason not in ("not_said", "no_wish")]
    if telling_reasons:
        return Wish(None, telling_reasons[0])
    return Wish(None, "not_own" if squeezed(authored_text) != squeezed(text) else "no_wish")


def is_lasting(sentence: str) -> bool:
    """Whether a wish is said to hold from now on."""
    return sense.has("lasting", sentence, recognise(sentence).rows)


def _judge(passage: str, instruction: str, quote: str, around: str) -> Wish:
    passage_languages = recognise(passage, around)
    instruction_languages = recognise(instruction, around)
    languages = tuple(dict.fromkeys((*passage_languages.rows, *instruction_languages.rows)))
    is_cited = bool(quote) and squeezed(quote) in squeezed(passage)
    is_foreign = is_cited and not (passage_languages.codes & instruction_languages.codes)
    if not is_foreign and not is_asked(passage, instruction, languages):
        return Wish(None, "not_said")
    if not passage_languages.covered or not passage_languages.rows:
        return Wish(None, "language")
    for reason, is_met in (
        ("hearsay", sense.is_hearsay(passage, passage_languages.rows)),
        ("question", sense.is_question(passage, passage_languages.rows)),
        ("no_wish", not sense.has("wish", passage, passage_languages.rows)),
    ):
        if is_met:
            return Wish(None, reason)  # type: ignore[arg-type]  # literals in a tuple
    main_language = passage_languages.rows[:1]
    if not is_foreign and sense.is_negated(passage, main_language) != sense.is_negated(
        instruction, main_language
    ):
        return Wish(None, "negation")
    return Wish(passage, foreign=is_foreign)


def is_asked(passage: str, instruction: str, rows: tuple[Language, ...]) -> bool:
    """Whether a passage has most of the words that an instruction is about."""
    instruction_words = content_words(instruction, rows)
    topic_words = tuple(word for word in instruction_words if not _is_boilerplate(word, rows))
    passage_words = content_words(passage, rows)
    instruction_names = frozenset(fold(name) for name in _NAME.findall(instruction))
    missing_words = missing(topic_words, passage_words, rows)
    if (
        len(topic_words) >= _MANY
        and len(missing_words) == 1
        and missing_words[0] not in instruction_names
    ):
        return True
    min_share = _MIN_SHARE if any(language.spaced for language in rows) else _MIN_SHARE_UNSPACED
    if not topic_words:
        return (
            bool(instruction_words) and share(instruction_words, passage_words, rows) >= min_share
        )
    return share(topic_words, passage_words, rows) >= min_share


def _is_boilerplate(word: str, rows: tuple[Language, ...]) -> bool:
    return _SAYING.fullmatch(word) is not None or any(
        _frames(language.code, rows).fullmatch(word) for language in rows
    )


@functools.lru_cache(maxsize=128)
def _frames(code: str, rows: tuple[Language, ...]) -> re.Pattern[str]:
    language = next(language for language in rows if language.code == code)
    frame_words = {
        word for word_role in _BOILERPLATE for word in language.words[word_role] if " " not in word
    }
    return compiled(sorted(frame_words), spaced=True)
