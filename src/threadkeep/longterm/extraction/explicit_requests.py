"""What a user asks in so many words to be remembered or forgotten: found by code, by no model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from threadkeep.longterm.extraction.authorship import own, reported, sentences
from threadkeep.longterm.extraction.batch import Line
from threadkeep.longterm.extraction.text_features import content, counted
from threadkeep.longterm.transcript import LONGEST

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


class Wanted(NamedTuple):
    """A request of the user's own.

    Attributes:
        line: where it stands.
        what: the words, without the request itself.
        forget: whether it is to be forgotten, else remembered.
    """

    line: Line
    what: str
    forget: bool

    @property
    def is_instruction(self) -> bool:
        """Whether it is about how to serve the user."""
        return _COMMAND.match(self.what) is not None

    @property
    def is_reported(self) -> bool:
        """Whether it hands on what somebody else said."""
        return reported(self.what)

    def means(self, text: str) -> bool:
        """Whether a request to forget is about what a text says."""
        words = content(self.what)
        return bool(words) and words <= content(text) and counted(self.what) <= counted(text)


def wanted(lines: Iterable[Line]) -> list[Wanted]:
    """The requests in what the user said, in order."""
    return [
        request
        for line in lines
        if line.is_users
        for sentence in sentences(own(line.text))
        if (request := _request(line, sentence)) is not None
    ]


def asks(text: str) -> bool:
    """Whether a message asks for something to be remembered or forgotten."""
    text = text[:LONGEST]
    if not _HINT.search(text):
        return False
    return any(_REMEMBER.match(one) or _FORGET.match(one) for one in sentences(own(text)))


_HINT: Final = re.compile(
    r"remember|forget|in mind|memori[sz]e|make a note|merke? dir|vergiss|souviens|oublie|recuerda"
    r"|olvida",
    re.IGNORECASE,
)


def _request(line: Line, sentence: str) -> Wanted | None:
    if (found := _REMEMBER.match(sentence)) is not None:
        what = found["what"].strip().rstrip(".!").strip()
        if (_ASKS_BACK.match(what) and not _COMMAND.match(what)) or sentence.endswith("?"):
            return None
        return Wanted(line, what, forget=False) if content(what) or counted(what) else None
    if (found := _FORGET.match(sentence)) is not None and not sentence.endswith("?"):
        what = found["what"].strip().rstrip(".!").strip()
        return Wanted(line, what, forget=True) if content(what) else None
    return None
