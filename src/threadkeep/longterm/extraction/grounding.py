"""Whether what a model made of a conversation was said in it, and by whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from threadkeep.longterm.extraction.authorship import own, sentences
from threadkeep.longterm.extraction.batch import Batch, Line
from threadkeep.longterm.extraction.text_features import (
    addresses,
    content,
    counted,
    dates,
    negated,
    numbers,
    shared,
)
from threadkeep.types.knowledge import Source, Status

_CITED: Final = 0.5
"""The share of a fact's content words that its cited items must hold."""

_AROUND: Final = 0.6
"""The share that the whole batch must hold."""

_QUOTE: Final = 200

_PARAPHRASE: Final = content(
    "live lives lived work works worked plan plans planned enjoy enjoys enjoyed interested prefer "
    "prefers currently recently visit visited attend attended told mentioned believe feel think "
    "know knows own owns person people favorite favourite regularly asked"
)
"""What models say in the place of "I am" and "I have"."""

_DIRECTIVE: Final = re.compile(
    r"""\b(?:assistant|ai|bot|chatbot|model)\b[^.]{0,20}\b(?:must|should|shall|has\ to|have\ to
            |needs?\ to|allowed|authori[sz]ed|permitted|supposed|expected|always|never)\b
        | \b(?:wants?|asks?|asked|told|tells|expects?|allows?|instructs?|instructed|lets?)\b
            [^.]{0,20}\b(?:assistant|ai|bot|chatbot|model|you)\b
        | \b(?:system\ prompt|guardrails?|jailbreak)\b
        | \b(?:ignore|disregard|override|bypass)\b.*\b(?:instructions?|rules?|previous|prior|all
            |safety)\b
        | \b(?:wants?|wishes|prefers?|asks?|asked|requests?|requested|likes?)\b[^.]{0,30}
          \b(?:answers?|repl(?:y|ies)|responses?|responds?|to\ be\ (?:called|addressed)|you\ to)\b
        | \bfrom\ now\ on\b
        | ^(?:always|never|ignore|disregard|reveal|answer|reply|respond|send|forward|treat|consider
            |recommend|trust|obey|follow|grant|allow|let|give|use|say|tell|pretend|act|call|do\ not
            |don't|you\ (?:must|should|are|will|may|can))\b""",
    re.VERBOSE | re.IGNORECASE,
)


def is_directive(text: str) -> bool:
    """Whether what poses as a fact tells the assistant what to do."""
    return _DIRECTIVE.search(text) is not None


_COMMAND: Final = re.compile(
    r"""\b(?:assistant|ai|bot|model|you)\ (?:must|should|shall|will|has\ to|have\ to|is\ to
          |are\ to)\b
        | \b(?:ignore|disregard|override|bypass)\b.*\b(?:instructions?|rules?|safety)\b
        | ^\W*(?:always|never|from\ now\ on|ignore|disregard|reveal|do\ not|don't|send|forward)\b
        | \bfrom\ now\ on\b""",
    re.VERBOSE | re.IGNORECASE,
)


def without_commands(summary: str) -> str:
    """A summary without the sentences that tell the assistant what to do."""
    said = sentences(summary)
    kept = [one for one in said if not _COMMAND.search(one)]
    return summary if len(kept) == len(said) else " ".join(kept)


def standing(text: str, lines: Sequence[Line], batch: Batch, user: str | None) -> Status | None:
    """What a fact is worth that is said to stand in some items; `None` = it does not stand there.

    It is active if the user said it in their own words; what stands in the assistant's words, in
    what the user pasted, or with a no where the fact has none, waits in quarantine.
    """
    words = content(text) - _PARAPHRASE - content(user or "")
    cited = "\n".join(line.text for line in lines)
    if not _numbers_said(text, cited, lines) or not addresses(text) <= addresses(cited):
        return None
    if not words and not numbers(text):
        return None
    around = "\n".join(line.text for line in batch.lines)
    if words and (
        shared(words, content(cited)) < _CITED or shared(words, content(around)) < _AROUND
    ):
        return None
    own_words = "\n".join(own(line.text) for line in lines if line.is_users)
    theirs = shared(words, content(own_words)) >= _CITED if words else bool(own_words)
    return "active" if theirs and _agrees(text, words, own_words) else "quarantined"


def _agrees(text: str, words: frozenset[str], said: str) -> bool:
    """Whether the sentence that says most of it has a no where the fact has one."""
    found = sentences(said)
    if not words or not found:
        return True
    best = max(shared(words, content(one)) for one in found)
    nearest = [one for one in found if shared(words, content(one)) == best]
    return any(negated(one) == negated(text) for one in nearest)


def _numbers_said(text: str, cited: str, lines: Iterable[Line]) -> bool:
    """Whether every number was said, or is part of a date where one was spoken of."""
    left = numbers(text) - counted(cited)
    if not left:
        return True
    years = {line.item.created_at.year for line in lines if line.item.created_at is not None}
    return dates(cited) and all(_is_date_part(one, years) for one in left)


def _is_date_part(number: str, years: Iterable[int]) -> bool:
    if not number.isdigit():
        return False
    return 1 <= int(number) <= 31 or any(abs(int(number) - year) <= 2 for year in years)


def sources(
    lines: Iterable[Line], text: str, quote: str, session: str, namespace: str | None
) -> tuple[Source, ...]:
    """Where it was said, with the words: the model's quote only if it stands there."""
    return tuple(
        Source(session, line.item.id, _quote(line, text, quote), namespace) for line in lines
    )


def _quote(line: Line, text: str, quote: str) -> str:
    quote = quote.strip()
    if quote and quote in line.text:
        return quote[:_QUOTE]
    words = content(text)
    found = sentences(line.text) or [line.text]
    return max(found, key=lambda one: len(words & content(one)))[:_QUOTE]
