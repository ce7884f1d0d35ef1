"""What a user asks in so many words to be remembered or forgotten: found by code, by no model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from threadkeep.longterm.extraction.authorship import is_reported_speech, sentences, user_authored
from threadkeep.longterm.extraction.batch import TranscriptLine
from threadkeep.longterm.extraction.text_features import (
    content_stems,
    quantities,
    says_all_of,
)
from threadkeep.longterm.transcript import MAX_CHARACTERS

_POLITELY: Final = (
    r"^\W*(?:(?:hey|hi|hello|ok|okay|so|and|also|but|now|then|well|oh|ah|yes|no|please|just)\b"
    r"[, ]*)*"
    r"(?:(?:can|could|would|will) you (?:please )?|i(?:'d| would) like you to |i want you to )?"
    r"(?:please )?"
)
_REMEMBER: Final = re.compile(
    _POLITELY + r"(?:always )?"
    r"(?:remember|keep in mind|bear in mind|don't (?:ever )?forget|do not forget|never forget"
    r"|memori[sz]e|make a note|merk dir|merke dir|souviens-toi|recuerda)"
    r"(?:,? (?:that|dass|que|of|about))?[:,]? +(?P<what>.+)",
    re.IGNORECASE | re.DOTALL,
)
_FORGET: Final = re.compile(
    _POLITELY
    + r"(?:forget|vergiss|oublie|olvida)(?:,? (?:that|dass|que|about|what i (?:said|told you)"
    r"(?: about)?|everything(?: you know)? about|the fact that|the thing about))?[:,]? +"
    r"(?P<what>.+)",
    re.IGNORECASE | re.DOTALL,
)
_ASKS_BACK: Final = re.compile(
    r"^(?:when|how|the (?:time|day)|what|who|whom|where|why|which|if|me\b|us\b|this\b|it\b|to\b)",
    re.IGNORECASE,
)
_COMMAND: Final = re.compile(
    r"^(?:to )?(?:please )?(?:always|never|from now on|don't|do not|answer|reply|respond|speak|talk"
    r"|write|use|call me|address me|stop|avoid|keep your|keep it|be |explain|translate|format"
    r"|only )",
    re.IGNORECASE,
)


class MemoryRequest(NamedTuple):
    """A request of the user's own.

    Attributes:
        line: where it stands.
        text: the words, without the request itself.
        forget: whether it is to be forgotten, else remembered.
    """

    line: TranscriptLine
    text: str
    forget: bool

    @property
    def is_instruction(self) -> bool:
        """Whether it is about how to serve the user."""
        return _COMMAND.match(self.text) is not None

    @property
    def is_reported(self) -> bool:
        """Whether it hands on what somebody else said."""
        return is_reported_speech(self.text)

    def matches(self, text: str) -> bool:
        """Whether a request to forget is about what a text says."""
        return (
            bool(content_stems(self.text))
            and says_all_of(text, self.text)
            and quantities(self.text) <= quantities(text)
        )


def explicit_requests(lines: Iterable[TranscriptLine]) -> list[MemoryRequest]:
    """The requests in what the user said, in order."""
    return [
        request
        for line in lines
        if line.by_user
        for sentence in sentences(user_authored(line.text))
        if (request := _request(line, sentence)) is not None
    ]


def contains_request(text: str) -> bool:
    """Whether a message asks for something to be remembered or forgotten."""
    text = text[:MAX_CHARACTERS]
    if not _HINT.search(text):
        return False
    return any(
        _REMEMBER.match(sentence) or _FORGET.match(sentence)
        for sentence in sentences(user_authored(text))
    )


_HINT: Final = re.compile(
    r"remember|forget|in mind|memori[sz]e|make a note|merke? dir|vergiss|souviens|oublie|recuerda"
    r"|olvida",
    re.IGNORECASE,
)


def _request(line: TranscriptLine, sentence: str) -> MemoryRequest | None:
    if (match := _REMEMBER.match(sentence)) is not None:
        requested = match["what"].strip().rstrip(".!").strip()
        if (_ASKS_BACK.match(requested) and not _COMMAND.match(requested)) or sentence.endswith(
            "?"
        ):
            return None
        return (
            MemoryRequest(line, requested, forget=False)
            if content_stems(requested) or quantities(requested)
            else None
        )
    if (match := _FORGET.match(sentence)) is not None and not sentence.endswith("?"):
        requested = match["what"].strip().rstrip(".!").strip()
        return MemoryRequest(line, requested, forget=True) if content_stems(requested) else None
    return None
