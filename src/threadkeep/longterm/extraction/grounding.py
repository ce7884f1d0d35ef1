"""Whether what a model made of a conversation was said in it, and by whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from threadkeep.longterm.extraction.authorship import sentences, user_authored
from threadkeep.longterm.extraction.batch import Batch, TranscriptLine
from threadkeep.longterm.extraction.text_features import (
    addresses,
    containment,
    content_stems,
    is_negated,
    mentions_date,
    numbers,
    quantities,
)
from threadkeep.types.knowledge import Source, Status

_MIN_CITED: Final = 0.5
"""The share of a fact's content words that its cited items must hold."""

_MIN_BATCH: Final = 0.6
"""The share that the whole batch must hold."""

_MAX_QUOTE: Final = 200

_PARAPHRASE: Final = content_stems(
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


def strip_commands(summary: str) -> str:
    """A summary without the sentences that tell the assistant what to do."""
    all_sentences = sentences(summary)
    remaining = [sentence for sentence in all_sentences if not _COMMAND.search(sentence)]
    return summary if len(remaining) == len(all_sentences) else " ".join(remaining)


def grounded_status(
    text: str, lines: Sequence[TranscriptLine], batch: Batch, user: str | None
) -> Status | None:
    """What a fact is worth that is said to stand in some items; `None` = it does not stand there.

    It is active if the user said it in their own words; what stands in the assistant's words, in
    what the user pasted, or with a no where the fact has none, waits in quarantine.
    """
    stems = content_stems(text) - _PARAPHRASE - content_stems(user or "")
    cited = "\n".join(line.text for line in lines)
    if not _numbers_grounded(text, cited, lines) or not addresses(text) <= addresses(cited):
        return None
    if not stems and not numbers(text):
        return None
    batch_text = "\n".join(line.text for line in batch.lines)
    if stems and (
        containment(stems, content_stems(cited)) < _MIN_CITED
        or containment(stems, content_stems(batch_text)) < _MIN_BATCH
    ):
        return None
    user_text = "\n".join(user_authored(line.text) for line in lines if line.by_user)
    is_users_own = (
        containment(stems, content_stems(user_text)) >= _MIN_CITED if stems else bool(user_text)
    )
    return "active" if is_users_own and _same_polarity(text, stems, user_text) else "quarantined"


def _same_polarity(text: str, stems: frozenset[str], user_text: str) -> bool:
    """Whether the sentence that says most of it has a no where the fact has one."""
    candidates = sentences(user_text)
    if not stems or not candidates:
        return True
    best = max(containment(stems, content_stems(sentence)) for sentence in candidates)
    nearest = [
        sentence for sentence in candidates if containment(stems, content_stems(sentence)) == best
    ]
    return any(is_negated(sentence) == is_negated(text) for sentence in nearest)


def _numbers_grounded(text: str, cited: str, lines: Iterable[TranscriptLine]) -> bool:
    """Whether every number was said, or is part of a date where one was spoken of."""
    missing = numbers(text) - quantities(cited)
    if not missing:
        return True
    years = {line.item.created_at.year for line in lines if line.item.created_at is not None}
    return mentions_date(cited) and all(_is_date_part(number, years) for number in missing)


def _is_date_part(number: str, years: Iterable[int]) -> bool:
    if not number.isdigit():
        return False
    return 1 <= int(number) <= 31 or any(abs(int(number) - year) <= 2 for year in years)


def cited_sources(
    lines: Iterable[TranscriptLine], text: str, quote: str, session: str, namespace: str | None
) -> tuple[Source, ...]:
    """Where it was said, with the words: the model's quote only if it stands there."""
    return tuple(
        Source(session, line.item.id, _quote(line, text, quote), namespace) for line in lines
    )


def _quote(line: TranscriptLine, text: str, quote: str) -> str:
    quote = quote.strip()
    if quote and quote in line.text:
        return quote[:_MAX_QUOTE]
    stems = content_stems(text)
    candidates = sentences(line.text) or [line.text]
    return max(candidates, key=lambda sentence: len(stems & content_stems(sentence)))[:_MAX_QUOTE]
