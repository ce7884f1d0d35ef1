"""Evidence recall: how much of what answers a question is among the first hits."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.recall.conversations import Asked, Conversation
from benchmarks.report import Table
from threadkeep import User, connect
from threadkeep.longterm.recall.hits import Hit

PLACES: Final = (1, 5, 10, 20)
_DAY: Final = 86_400.0


@dataclass
class Measured:
    """What one way of asking found in some conversations.

    Attributes:
        found: for each question, its category and the share of its evidence by place.
        sessions: the share of its sessions among the first five.
        seconds: of each question.
        worked: of the processor for it, which other programs do not lengthen.
        tokens: in the first ten hits.
        indexing: seconds of the first question of each conversation.
    """

    found: list[tuple[int, list[float]]] = field(default_factory=list)
    sessions: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    indexing: list[float] = field(default_factory=list)

    def at(self, place: int, category: int | None = None) -> float:
        """Mean recall within the first so many, in per cent."""
        column = PLACES.index(place)
        shares = [share[column] for of, share in self.found if category in (None, of)]
        return 100 * statistics.fmean(shares) if shares else 0.0


def measure(
    url: str,
    conversations: Iterable[Conversation],
    *,
    facts: bool = False,
    count: Callable[[str], int],
    **options: Any,
) -> Measured:
    """Ask all questions of some conversations through the public face."""
    measured, now = Measured(), [time.time()]
    for conversation in conversations:
        with connect(url, namespace="bench", clock=lambda: now[0], **options) as memory:
            user = conversation.store(memory, facts=facts)
            now[0] += _DAY  # a later visit: nothing was written just now
            start = time.perf_counter()
            user.recall("nothing")
            measured.indexing.append(time.perf_counter() - start)
            for question in conversation.questions:
                _ask(user, question, measured, count)
            user.forget(purge=False)
    return measured


def _ask(user: User, question: Asked, measured: Measured, count: Callable[[str], int]) -> None:
    start, worked = time.perf_counter(), time.process_time()
    user.recall(question.text)
    measured.seconds.append(time.perf_counter() - start)
    measured.worked.append(time.process_time() - worked)
    hits = user.recall(question.text, k=3 * PLACES[-1])  # facts among them are no turns
    turns = [hit for hit in hits if hit.item is not None]
    ids = [hit.item.id for hit in turns if hit.item]
    shares = [len(question.evidence.intersection(ids[:n])) / len(question.evidence) for n in PLACES]
    measured.found.append((question.category, shares))
    measured.tokens.append(sum(count(hit.text) for hit in turns[:10]))
    measured.sessions.append(_sessions(turns, question))


def _sessions(turns: Sequence[Hit], question: Asked) -> float:
    first = list(dict.fromkeys((hit.session or "").rpartition("/")[2] for hit in turns))[:5]
    sessions_of_evidence = {id[1:].partition(":")[0] for id in question.evidence}
    return len(sessions_of_evidence.intersection(first)) / len(sessions_of_evidence)


def table(
    rows: dict[str, Measured], categories: Mapping[int, str], title: str, note: str = ""
) -> Table:
    """Recall by way of asking, overall and by category."""
    columns = ["", "questions", *(f"R@{n}" for n in PLACES), *categories.values(), "sessions@5"]
    return Table(
        f"Evidence recall on {title}",
        "Mean over questions of the share of its evidence among the first so many turns, in per "
        "cent; categories at R@10; sessions@5: the share of its sessions among the first five."
        f"{note}",
        columns,
        [[name, *_cells(measured, categories)] for name, measured in rows.items()],
    )


def _cells(measured: Measured, categories: Mapping[int, str]) -> list[str]:
    shares = [measured.at(n) for n in PLACES]
    kinds = [measured.at(10, category) for category in categories]
    sessions = 100 * statistics.fmean(measured.sessions)
    return [str(len(measured.found)), *(f"{n:.1f}" for n in (*shares, *kinds, sessions))]


def costs(rows: dict[str, Measured]) -> Table:
    """What the questions took."""
    return Table(
        "What it costs",
        "Milliseconds of a question of ten hits, read again with their neighbours; seconds to read "
        "a conversation and to index it; tokens in the first ten turns.",
        ("", "p50 ms", "p95 ms", "processor ms", "index s", "tokens"),
        [[name, *_cost(measured)] for name, measured in rows.items()],
    )


def _cost(measured: Measured) -> list[str]:
    cuts = statistics.quantiles(measured.seconds, n=20)
    indexing = statistics.fmean(measured.indexing)
    tokens = statistics.fmean(measured.tokens)
    times = (cuts[9], cuts[18], statistics.fmean(measured.worked))
    return [*(f"{n * 1e3:.1f}" for n in times), f"{indexing:.2f}", f"{tokens:.0f}"]
