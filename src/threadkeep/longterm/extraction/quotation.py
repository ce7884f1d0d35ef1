"""Where the words stand that a model cites: checked by code, to the letter, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from threadkeep.longterm.extraction.authorship import sentences, user_authored
from threadkeep.longterm.extraction.batch import Batch, TranscriptLine
from threadkeep.longterm.extraction.content import Rows, content_words, share
from threadkeep.longterm.extraction.languages import sense
from threadkeep.longterm.extraction.languages.fold import squeezed
from threadkeep.longterm.extraction.languages.recognise import recognise
from threadkeep.longterm.transcript import version_of
from threadkeep.types.knowledge import Source

_MAX_QUOTE: Final = 500
_MIN_QUOTE: Final = 2


class Spoken(NamedTuple):
    """Words of one message.

    Attributes:
        line: the message they stand in.
        text: the user's own part of it; of a question of the assistant's that the user answered
            with a yes, the question.
        said_at: the message by which the user said it: the yes, or the same.
    """

    line: TranscriptLine
    text: str
    said_at: TranscriptLine


class Passage(NamedTuple):
    """The sentences that a model cites, or the nearest that code found.

    Attributes:
        spoken: the message.
        text: the sentences.
        quote: the cited words as they stand there.
        verbatim: whether the model cited them to the letter.
    """

    spoken: Spoken
    text: str
    quote: str
    verbatim: bool


def spoken_by_user(lines: Iterable[TranscriptLine], batch: Batch) -> list[Spoken]:
    """What the user said in some messages: their own words, and what they agreed to."""
    return [spoken for line in lines for spoken in _user_words(line, batch)]


def _user_words(line: TranscriptLine, batch: Batch) -> Iterator[Spoken]:
    before, after = batch.line(line.number - 1), batch.line(line.number + 1)
    if line.by_user:
        authored = user_authored(line.text)
        if authored.strip():
            yield Spoken(line, authored, line)
        if before is not None and _is_confirmed(before, line):
            yield Spoken(before, sentences(before.text)[-1], line)
    elif after is not None and _is_confirmed(line, after):
        yield Spoken(line, sentences(line.text)[-1], after)


def _is_confirmed(question: TranscriptLine, answer: TranscriptLine) -> bool:
    """Whether the user says yes to the question with which the assistant ended."""
    if question.by_user or question.item.role != "assistant" or not answer.by_user:
        return False
    asked_sentences = sentences(question.text)
    if not asked_sentences or not asked_sentences[-1].rstrip().endswith(("?", "\uff1f", "\u061f")):
        return False
    first = (sentences(user_authored(answer.text)) or [""])[0]
    rows = (*recognise(first, question.text).rows, *recognise(question.text).rows)
    return sense.is_affirmation(first, rows)


def find_passage(text: str, quote: str, candidates: Sequence[Spoken], rows: Rows) -> Passage | None:
    """The sentences that hold a quotation; without one, those that share most with a text."""
    needle = squeezed(quote).strip(" .!?,;:\"'")
    if len(needle) >= _MIN_QUOTE:
        for spoken in candidates:
            if needle in squeezed(spoken.text):
                return Passage(spoken, _sentences_with(needle, spoken.text), quote.strip(), True)
    words = content_words(text, rows)
    nearest = [
        (share(words, content_words(sentence, rows), rows), spoken, sentence)
        for spoken in candidates
        for sentence in sentences(spoken.text)
    ]
    if not nearest:
        return None
    _, spoken, sentence = max(nearest, key=lambda entry: entry[0])
    return Passage(spoken, sentence, sentence, False)


def _sentences_with(needle: str, text: str) -> str:
    """The whole sentences in which a quotation stands: what was cut off may turn it round."""
    all_sentences = sentences(text)
    for count in range(1, len(all_sentences) + 1):
        for start in range(len(all_sentences) - count + 1):
            passage = " ".join(all_sentences[start : start + count])
            if needle in squeezed(passage):
                return passage
    return text


def cited_sources(
    lines: Iterable[TranscriptLine], text: str, quote: str, session: str, namespace: str | None
) -> tuple[Source, ...]:
    """Where it was said and by whom, with the words: the model's quote only if it stands there."""
    return tuple(
        Source(
            session,
            line.item.id,
            _quote(line, text, quote),
            namespace,
            "user" if line.by_user else "assistant" if line.item.role == "assistant" else "",
            version_of(line.text),
        )
        for line in lines
    )


def _quote(line: TranscriptLine, text: str, quote: str) -> str:
    quote = quote.strip()
    if quote and quote in line.text:
        return quote[:_MAX_QUOTE]
    rows = recognise(line.text).rows
    words = content_words(text, rows)
    candidates = sentences(line.text) or [line.text]
    return max(candidates, key=lambda s: share(words, content_words(s, rows), rows))[:_MAX_QUOTE]
