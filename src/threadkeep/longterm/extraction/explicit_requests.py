"""What a user asks in so many words to be remembered or forgotten: found by code, by no model."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from threadkeep.longterm.extraction.authorship import sentences, user_authored
from threadkeep.longterm.extraction.batch import TranscriptLine
from threadkeep.longterm.extraction.content import content_words, missing
from threadkeep.longterm.extraction.languages import sense
from threadkeep.longterm.extraction.languages.fold import LETTER, fold, folded_with_places
from threadkeep.longterm.extraction.languages.numerals import readings, unsaid
from threadkeep.longterm.extraction.languages.recognise import all_rows, recognise
from threadkeep.longterm.extraction.languages.row import Language, common, compiled
from threadkeep.longterm.extraction.text_features import (
    says_all_of,
)
from threadkeep.longterm.transcript import MAX_CHARACTERS

_GAP: Final = re.compile("[\\s,:\uff0c\uff1a\u060c]+")
_TAIL: Final = re.compile(
    "(?:(?:\uc740|\ub294)? ?\uac83\uc744?|\uac78|(?:\u3068\u3044\u3046)?(?:\u3053\u3068|\u4e8b)"
    "[\u3092\u306f]?|\u3063\u3066|[\u3068\u3092\u3001,.!\u3002\uff01\u0964\\s])+$"
)
"""What closes a clause that is to be remembered, where verbs stand last."""

_SHORT_END: Final = 12
"""Letters that may follow the request where verbs stand last."""


class MemoryRequest(NamedTuple):
    """A request of the user's own.

    Attributes:
        line: where it stands.
        text: the words, without the request itself.
        forget: whether it is to be forgotten, else remembered.
        rows: of the languages it is in.
    """

    line: TranscriptLine
    text: str
    forget: bool
    rows: tuple[Language, ...]

    @property
    def is_instruction(self) -> bool:
        """Whether it is about how to serve the user."""
        folded_request = re.sub(r"^(?:to|zu|de|d')\s+", "", fold(self.text))
        return any(
            language.begins(word_role, folded_request)
            for language in self.rows
            for word_role in ("lasting", "command")
        )

    @property
    def is_reported(self) -> bool:
        """Whether it hands on what somebody else said."""
        return sense.is_hearsay(self.text, self.rows)

    def matches(self, text: str) -> bool:
        """Whether a request to forget is about what a text says."""
        languages = tuple(dict.fromkeys((*self.rows, *recognise(text).rows)))
        request_words = content_words(self.text, languages)
        is_said = not missing(
            request_words, content_words(text, languages), languages
        ) or says_all_of(text, self.text)
        return (
            bool(request_words)
            and is_said
            and not unsaid(readings(self.text, languages), readings(text, languages))
        )


def explicit_requests(lines: Iterable[TranscriptLine]) -> list[MemoryRequest]:
    """The requests in what the user said, in order."""
    return [
        request
        for line in lines
        if line.by_user and _hints(line.text)
        for sentence in sentences(user_authored(line.text))
        if (request := _request(line, sentence)) is not None
    ]


def contains_request(text: str) -> bool:
    """Whether a message asks for something to be remembered or forgotten."""
    text = text[:MAX_CHARACTERS]
    if not _hints(text):
        return False
    return any(
        _find(word_role, sentence, language) is not None
        for sentence in sentences(user_authored(text))
        for language in recognise(sentence, text).rows
        for word_role in ("forget", "remember")
    )


def _hints(text: str) -> bool:
    """Whether words of such a request stand in it at all."""
    return _hint().search(fold(text[:MAX_CHARACTERS])) is not None


@functools.lru_cache(maxsize=1)
def _hint() -> re.Pattern[str]:
    languages = all_rows()
    request_phrases = {
        phrase
        for language in languages
        for word_role in ("remember", "forget")
        for phrase in language.words[word_role]
    }
    return re.compile(
        "|".join(re.escape(phrase) for phrase in sorted(request_phrases, key=len, reverse=True))
    )


def _request(line: TranscriptLine, sentence: str) -> MemoryRequest | None:
    languages = recognise(sentence, line.text).rows
    for language in languages:
        text_to_remember = _find("remember", sentence, language)
        text_to_forget = None if text_to_remember else _find("forget", sentence, language)
        requested_text = text_to_remember or text_to_forget
        if requested_text is None or sense.is_question(sentence, (language,)):
            continue
        if (
            text_to_remember
            and sense.begins_with("question", requested_text, (language,))
            and language.spaced
        ):
            continue  # "remember when we met"
        request = MemoryRequest(line, requested_text, text_to_forget is not None, languages)
        if content_words(requested_text, languages) or (
            readings(requested_text, languages) and not request.forget
        ):
            return request
    return None


def _find(role: str, sentence: str, row: Language) -> str | None:
    """What is to be remembered or forgotten, in the user's words, if a sentence asks for it."""
    folded_sentence, source_indexes = folded_with_places(sentence)
    for phrase_start, phrase_end in row.places(role, folded_sentence):
        if _is_opening(folded_sentence[:phrase_start], row):
            text_after = (
                sentence[source_indexes[phrase_end] :] if phrase_end < len(source_indexes) else ""
            )
            requested_text = (
                _without_links(text_after).strip().rstrip(".!\u3002\uff01\u0964").strip()
            )
            if requested_text:
                return requested_text
        if (
            row.code in ("ja", "ko", "hi")
            and len(folded_sentence[phrase_end:].strip()) <= _SHORT_END
        ):
            requested_text = _TAIL.sub("", sentence[: source_indexes[phrase_start]]).strip()
            if requested_text:
                return requested_text
    return None


def _without_links(text: str) -> str:
    """What is to be remembered, without "that" and the like before it."""
    while True:
        text = _GAP.sub("", text, count=1) if _GAP.match(text) else text
        link_match = _links().match(text)
        if link_match is None:
            return text
        text = text[link_match.end() :]


@functools.lru_cache(maxsize=1)
def _links() -> re.Pattern[str]:
    link_phrases = sorted(common("links"), key=len, reverse=True)
    unbounded_patterns = [
        re.escape(link) for link in link_phrases if link.endswith("'") or link >= "\u0e00"
    ]
    bounded_links = [
        re.escape(link) for link in link_phrases if re.escape(link) not in unbounded_patterns
    ]
    bounded_alternatives = (
        "|".join(bounded_links).replace("plait", "pla[i\u00ee]t").replace("dass", "da(?:ss|\u00df)")
    )
    return re.compile(
        f"(?:(?:{bounded_alternatives})(?!{LETTER})|{'|'.join(unbounded_patterns)})",
        re.IGNORECASE,
    )


@functools.lru_cache(maxsize=1)
def _greetings() -> re.Pattern[str]:
    return compiled(common("greetings"), spaced=True)


def _is_opening(text_before: str, row: Language) -> bool:
    """Whether what stands before a request is but politeness."""
    for word_role in ("polite", "yes", "lasting"):
        text_before = row.without(word_role, text_before)
    return not re.search(r"\w", _greetings().sub(" ", text_before))
