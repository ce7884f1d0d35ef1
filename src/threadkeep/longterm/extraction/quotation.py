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
    return [statement for line in lines for statement in _user_words(line, batch)]


def _user_words(line: TranscriptLine, batch: Batch) -> Iterator[Spoken]:
    previous_line, next_line = batch.line(line.number - 1), batch.line(line.number + 1)
    if line.by_user:
        authored_text = user_authored(line.text)
        if authored_text.strip():
            yield Spoken(line, authored_text, line)
        if previous_line is not None and _is_confirmed(previous_line, line):
            yield Spoken(previous_line, sentences(previous_line.text)[-1], line)
    elif next_line is not None and _is_confirmed(line, next_line):
        yield Spoken(line, sentences(line.text)[-1], next_line)


def _is_confirmed(question: TranscriptLine, answer: TranscriptLine) -> bool:
    """Whether the user says yes to the question with which the assistant ended."""
    if question.by_user or question.item.role != "assistant" or not answer.by_user:
        return False
    question_sentences = sentences(question.text)
    if not question_sentences or not question_sentences[-1].rstrip().endswith(
        ("?", "\uff1f", "\u061f")
    ):
        return False
    first_sentence = (sentences(user_authored(answer.text)) or [""])[0]
    languages = (*recognise(first_sentence, question.text).rows, *recognise(question.text).rows)
    return sense.is_affirmation(first_sentence, languages)


def find_passage(text: str, quote: str, candidates: Sequence[Spoken], rows: Rows) -> Passage | None:
    """The sentences that hold a quotation; without one, those that share most with a text."""
    squeezed_quote = squeezed(quote).strip(" .!?,;:\"'")
    if len(squeezed_quote) >= _MIN_QUOTE:
        for statement in candidates:
            if squeezed_quote in squeezed(statement.text):
                return Passage(
                    statement, _sentences_with(squeezed_quote, statement.text), quote.strip(), True
                )
    claim_words = content_words(text, rows)
    scored_triples = [
        (share(claim_words, content_words(sentence, rows), rows), statement, sentence)
        for statement in candidates
        for sentence in sentences(statement.text)
    ]
    if not scored_triples:
        return None
    _, statement, sentence = max(scored_triples, key=lambda entry: entry[0])
    return Passage(statement, sentence, sentence, False)


def _sentences_with(needle: str, text: str) -> str:
    """The whole sentences in which a quotation stands: what was cut off may turn it round."""
    all_sentences = sentences(text)
    for sentence_count in range(1, len(all_sentences) + 1):
        for first_index in range(len(all_sentences) - sentence_count + 1):
            passage = " ".join(all_sentences[first_index : first_index + sentence_count])
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


def _quote(line: TranscriptLine, claim_text: str, quote: str) -> str:
    quote = quote.strip()
    if quote and quote in line.text:
        return quote[:_MAX_QUOTE]
    languages = recognise(line.text).rows
    claim_words = content_words(claim_text, languages)
    line_sentences = sentences(line.text) or [line.text]
    return max(
        line_sentences, key=lambda s: share(claim_words, content_words(s, languages), languages)
    )[:_MAX_QUOTE]
