"""What others find with the same turns and questions: SQLite's full-text search, and bm25s."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from benchmarks.recall.conversations import Conversation
from benchmarks.recall.evidence import PLACES, Measured

Search = Callable[[str, int], list[str]]
"""From a question and a number to the ids of turns, the best first."""

_WORD: Final = re.compile(r"[^\W_]+")
_BEFORE, _AFTER = 3, 2
_AROUND: Final = 0.3  # of a word of a neighbour, beside one of the turn itself


def measure(
    build: Callable[[Conversation], Search], conversations: Iterable[Conversation]
) -> Measured:
    """Ask all questions of some conversations."""
    measured = Measured()
    for conversation in conversations:
        start = time.perf_counter()
        search = build(conversation)
        measured.indexing.append(time.perf_counter() - start)
        for question in conversation.questions:
            start, worked = time.perf_counter(), time.process_time()
            ids = search(question.text, PLACES[-1])
            measured.seconds.append(time.perf_counter() - start)
            measured.worked.append(time.process_time() - worked)
            shares = [
                len(question.evidence.intersection(ids[:n])) / len(question.evidence)
                for n in PLACES
            ]
            measured.found.append((question.category, shares))
            measured.sessions.append(_sessions(ids, question.evidence))
            measured.tokens.append(0)
    return measured


def fts5(conversation: Conversation) -> Search:
    """FTS5 with its Porter stemmer, the words of a question joined by OR."""
    return _fts5(conversation, around=False)


def fts5_with_neighbours(conversation: Conversation) -> Search:
    """The same, with a second column of what was said just before and after."""
    return _fts5(conversation, around=True)


def bm25s(conversation: Conversation) -> Search:
    """The package of that name, with its own English stop words, if it is installed."""
    package: Any = importlib.import_module("bm25s")
    turns = [turn for session in _sessions_of(conversation) for turn in session]
    retriever = package.BM25()
    tokens = package.tokenize([_text(turn) for turn in turns], stopwords="en", show_progress=False)
    retriever.index(tokens, show_progress=False)

    def search(question: str, limit: int) -> list[str]:
        asked = package.tokenize([question], stopwords="en", show_progress=False)
        places, _ = retriever.retrieve(asked, k=min(limit, len(turns)), show_progress=False)
        return [turns[place]["id"] for place in places[0]]

    return search


def fts5_trigram(conversation: Conversation) -> Search:
    """FTS5 with triples of letters, for words that are not set apart by spaces."""
    return _fts5(conversation, around=False, tokenizer="trigram", words=_triples)


def ways(*, spaced: bool = True) -> dict[str, Callable[[Conversation], Search]]:
    """The baselines that can be run here, by name."""
    found: dict[str, Callable[[Conversation], Search]] = {
        "FTS5": fts5,
        "FTS5 + neighbours": fts5_with_neighbours,
    }
    found |= {} if spaced else {"FTS5 trigram": fts5_trigram}
    return found | ({"bm25s": bm25s} if importlib.util.find_spec("bm25s") else {})


def _triples(question: str) -> list[str]:
    return [question[n : n + 3] for n in range(len(question) - 2)]


def _fts5(
    conversation: Conversation,
    *,
    around: bool,
    tokenizer: str = "porter",
    words: Callable[[str], list[str]] = _WORD.findall,
) -> Search:
    database = sqlite3.connect(":memory:")
    database.execute(
        f"CREATE VIRTUAL TABLE turns USING fts5(id UNINDEXED, said, around, tokenize='{tokenizer}')"
    )
    for session in _sessions_of(conversation):
        texts = [_text(turn) for turn in session]
        database.executemany(
            "INSERT INTO turns VALUES (?, ?, ?)",
            (
                (turn["id"], texts[n], _neighbours(texts, n) if around else "")
                for n, turn in enumerate(session)
            ),
        )

    def search(question: str, limit: int) -> list[str]:
        quoted = (word.replace('"', '""') for word in words(question))
        asked = " OR ".join(f'"{word}"' for word in quoted)
        if not asked:
            return []
        rows = database.execute(
            "SELECT id FROM turns WHERE turns MATCH ?"
            f" ORDER BY bm25(turns, 0, 1, {_AROUND}) LIMIT ?",
            (asked, limit),
        )
        return [id for (id,) in rows]

    return search


def _neighbours(texts: Sequence[str], n: int) -> str:
    return "\n".join([*texts[max(0, n - _BEFORE) : n], *texts[n + 1 : n + 1 + _AFTER]])


def _sessions_of(conversation: Conversation) -> Iterable[list[dict[str, Any]]]:
    return conversation.sessions.values()


def _text(turn: dict[str, Any]) -> str:
    return ": ".join(filter(None, (turn.get("name"), turn["content"])))


def _sessions(ids: Sequence[str], evidence: frozenset[str]) -> float:
    first = list(dict.fromkeys(_session(id) for id in ids))[:5]
    wanted = {_session(id) for id in evidence}
    return len(wanted.intersection(first)) / len(wanted)


def _session(id: str) -> str:
    return id[1:].partition(":")[0]
