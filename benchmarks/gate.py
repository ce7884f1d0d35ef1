"""The gate on claims made of the notes of a data set: true, misplaced, negated, swapped, changed.

`python -m benchmarks.gate` prints what is heard and kept out in each language;
`python -m benchmarks.gate FILE` the claims, of a file in the form of LoCoMo, of which nothing is
kept here.
Each note names the turn that it was made of. A scripted model proposes the note, citing the
sentence of that turn with most shared words; then the same with the note turned into something
that was not said. What is printed is how many of each kind become active facts.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from threadkeep.longterm.extraction import claim_check, claim_doubts
from threadkeep.longterm.extraction.batch import Batch, TranscriptLine
from threadkeep.longterm.extraction.content import about, content_words, share
from threadkeep.longterm.extraction.languages.recognise import recognise
from threadkeep.longterm.extraction.languages.row import common
from threadkeep.longterm.extraction.verify import CERTAIN
from threadkeep.types import Item

KINDS: Final = ("true", "wrong turn", "negated", "name swapped", "number changed")
CHOSEN_ON: Final = ("conv-26", "conv-30")
"""The conversations on which settings were chosen; the others are apart."""

SETTINGS: Final = (
    (0.5, 1.0),
    (0.4, 1.0),
    (0.4, 0.2),
    (0.4, 0.1),
    (0.3, 0.1),
    (0.25, 0.1),
    (0.2, 0.1),
)
"""The least share of a claim's words in the cited message, and how much more another may have."""

_NEAR: Final = 10
_AUXILIARY: Final = re.compile(r"\b(is|was|are|were|has|had|can|could|will|would)\b(?! not)")
_NAME: Final = re.compile(r"(?<=\w )[A-Z][a-z]+(?=\b)")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that a model proposes, and what it cites for it.

    Attributes:
        kind: one of `KINDS`.
        text: the sentence.
        quote: the words that are cited.
        line: the cited message.
        batch: what was read.
        user: whose memory it is.
    """

    kind: str
    text: str
    quote: str
    line: TranscriptLine
    batch: Batch
    user: str


@dataclass(frozen=True, slots=True)
class _Note:
    speaker: str
    text: str
    turn: str


def claims(conversation: dict[str, Any], seed: int = 0) -> Iterator[Claim]:
    """The claims of one conversation, the same ones in each run."""
    chance = random.Random(seed)
    turns = [turn for session in _sessions(conversation["conversation"]) for turn in session]
    place = {turn["dia_id"]: index for index, turn in enumerate(turns)}
    notes = [note for note in _notes(conversation["observation"]) if note.turn in place]
    names = _names(notes)
    for note in notes:
        batch, here = _batch(turns, place[note.turn], note.speaker)
        yield _claim("true", note.text, here, batch, note.speaker)
        yield from _false_claims(note, batch, here, names, chance)


def _false_claims(
    note: _Note, batch: Batch, here: TranscriptLine, names: list[str], chance: random.Random
) -> Iterator[Claim]:
    others = [
        line for line in batch.lines if line.by_user == here.by_user and line.number != here.number
    ]
    if others:
        yield _claim("wrong turn", note.text, chance.choice(others), batch, note.speaker)
    for kind, text in (
        ("negated", _negated(note)),
        ("name swapped", _swapped(note, names, chance)),
        ("number changed", _changed(note, chance)),
    ):
        if text is not None:
            yield _claim(kind, text, here, batch, note.speaker)


def _claim(kind: str, text: str, line: TranscriptLine, batch: Batch, user: str) -> Claim:
    words = set(re.findall(r"\w+", text.casefold()))
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", line.text) if s] or [line.text]
    quote = max(sentences, key=lambda s: len(words & set(re.findall(r"\w+", s.casefold()))))
    return Claim(kind, text, quote, line, batch, user)


def _sessions(conversation: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for number in range(1, 100):
        if session := conversation.get(f"session_{number}"):
            yield session


def _notes(observation: dict[str, Any]) -> Iterator[_Note]:
    for session in observation.values():
        for speaker, entries in session.items():
            for entry in entries:
                evidence = entry[1] if isinstance(entry[1], str) else entry[1][0]
                found = re.match(r"D:?(\d+):(\d+)", evidence)
                if found:
                    yield _Note(speaker, entry[0], f"D{found[1]}:{found[2]}")


def _batch(turns: list[dict[str, Any]], place: int, user: str) -> tuple[Batch, TranscriptLine]:
    first = max(0, place - _NEAR)
    lines = tuple(
        TranscriptLine(
            number,
            Item(
                id=turn["dia_id"],
                role="user" if turn["speaker"] == user else "assistant",
                content=turn["text"],
                name=turn["speaker"],
            ),
            turn["text"],
            turn["speaker"] == user,
        )
        for number, turn in enumerate(turns[first : place + _NEAR + 1], 1)
    )
    return Batch(lines, 1, len(lines), more=False), lines[place - first]


def _calendar() -> frozenset[str]:
    return frozenset(name.title() for name in common("months"))


def _names(notes: list[_Note]) -> list[str]:
    inside = {name for note in notes for name in _NAME.findall(note.text)}
    return sorted((inside | {note.speaker for note in notes}) - _calendar())


def _negated(note: _Note) -> str | None:
    if _AUXILIARY.search(note.text):
        return _AUXILIARY.sub(r"\1 not", note.text, count=1)
    return None


def _swapped(note: _Note, names: list[str], chance: random.Random) -> str | None:
    inside = [name for name in _NAME.findall(note.text) if name not in _calendar()]
    if not inside:
        return None
    name = chance.choice(inside)
    other = chance.choice([other for other in names if other not in note.text])
    return re.sub(rf"\b{name}\b", other, note.text)


def _changed(note: _Note, chance: random.Random) -> str | None:
    found = re.search(r"\b\d+\b", note.text)
    if found is None:
        return None
    number = str(int(found[0]) + chance.randint(2, 9))
    return note.text[: found.start()] + number + note.text[found.end() :]


def measure(
    conversations: list[dict[str, Any]], judge: Callable[[Claim], str]
) -> dict[str, Counter[str]]:
    """What a judge makes of the claims, by kind."""
    verdicts = {kind: Counter[str]() for kind in KINDS}
    for conversation in conversations:
        for claim in claims(conversation):
            verdicts[claim.kind][judge(claim)] += 1
    return verdicts


def judge(claim: Claim) -> str:
    """What the gate makes of a claim."""
    verdict = claim_check.judge(claim.text, [claim.line], claim.batch, claim.user, claim.quote)
    return verdict.status or "dropped"


def verified(errors: float = 0.1, seed: int = 1) -> Callable[[Claim], str]:
    """The gate with a second question, answered by an oracle that errs now and then."""
    chance = random.Random(seed)

    def judge_and_ask(claim: Claim) -> str:
        status = judge(claim)
        if status != "active":
            return status
        rows = recognise(claim.quote, claim.text).rows
        fact_words = about(claim.text, claim.user, rows)
        if share(fact_words, content_words(claim.quote, rows), rows) >= CERTAIN:
            return status
        says_yes = (claim.kind == "true") != (chance.random() < errors)
        return status if says_yes else "quarantined"

    return judge_and_ask


def curve(conversations: list[dict[str, Any]]) -> Iterator[tuple[float, float, list[float]]]:
    """The share of active claims by kind, for settings of the least share and the margin."""
    chosen = claim_doubts.MIN_CITED, claim_check.MARGIN
    try:
        for least, margin in SETTINGS:
            _set_gate(least, margin)
            yield least, margin, _active(measure(conversations, judge))
    finally:
        _set_gate(*chosen)


def _set_gate(least: float, margin: float) -> None:
    vars(claim_check).update(MIN_CITED=least, MARGIN=margin)
    vars(claim_doubts).update(MIN_CITED=least)


def _active(verdicts: dict[str, Counter[str]]) -> list[float]:
    return [100 * counts["active"] / max(1, sum(counts.values())) for counts in verdicts.values()]


def _print(name: str, shares: list[float]) -> None:
    print(f"{name:28}" + "".join(f"{share:9.1f}" for share in shares))


def main(path: str) -> None:
    """Print the curve on the conversations for choosing, and the chosen point on both parts."""
    conversations = json.loads(Path(path).read_text())
    chosen_on = [c for c in conversations if c["sample_id"] in CHOSEN_ON]
    apart = [c for c in conversations if c["sample_id"] not in CHOSEN_ON]
    print("active, of 100" + " " * 14 + "     true    wrong  negated  swapped  changed")
    for least, margin, shares in curve(chosen_on):
        _print(f"chosen on, {least:.2f} / {margin:.2f}", shares)
    for name, part in (("chosen on", chosen_on), ("apart", apart)):
        _print(f"{name}, without verify", _active(measure(part, judge)))
        _print(f"{name}, with verify", _active(measure(part, verified())))
    counts = {kind: sum(n.values()) for kind, n in measure(apart, judge).items()}
    print("claims apart:", ", ".join(f"{kind} {n}" for kind, n in counts.items()))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        from tests.longterm.extraction.spoken_table import table

        print(table())
