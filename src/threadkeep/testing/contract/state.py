"""Any sequence of calls, against a model of plain dicts that shares no code with any backend."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from threadkeep.errors import Conflict
from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import NOW, sweep_all
from threadkeep.types import KEEP, Drop, Page, Query, Record

STREAMS = ("a", "b")
KINDS = st.sampled_from(["item", "file"])
IDS = st.sampled_from(list("pqrst"))
TTLS = st.sampled_from([None, 5, 20, KEEP])
PUTS = st.lists(st.tuples(KINDS, IDS, st.sampled_from([None, None, 3, 15])), max_size=4)
# A drop: whole stream, kind, ids, or up to the seq of the n-th newest record that was ever put.
DROPS = st.one_of(
    st.just(("all",)),
    st.tuples(st.just("kind"), KINDS),
    st.tuples(st.just("ids"), KINDS, st.lists(IDS, max_size=3)),
    st.tuples(st.just("upto"), KINDS, st.integers(0, 6)),
)
EXPECTS = st.sampled_from([None, None, None, "now", "now", 0, "old"])


@dataclass
class Life:
    """One life of a stream: records by (kind, id) as [seq, body, expires]."""

    expires: float | None
    version: int = 0
    records: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def visible(self, kind: str, now: float) -> list[tuple[int, str, str]]:
        rows = (
            (seq, id, body)
            for (k, id), (seq, body, expires) in self.records.items()
            if k == kind and (expires is None or expires > now)
        )
        return sorted(rows)


class Machine(RuleBasedStateMachine):
    """Commits, reads, sweeps and the passing of time; after each commit all is compared."""

    backend: Backend
    fresh = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.prefix = f"machine/{next(self.fresh)}/"
        self.now = NOW
        self.lives: dict[str, Life] = {}
        self.versions: set[int] = set()
        self.bodies = itertools.count()
        self.seqs: list[int] = [0]

    def teardown(self) -> None:
        """Leave nothing for the next run's sweeps to find."""
        for stream in STREAMS:
            self.backend.commit(self.prefix + stream, drop=[Drop()], now=self.now)
        sweep_all(self.backend, self.now + 1e6)

    def life(self, stream: str) -> Life | None:
        life = self.lives.get(stream)
        return life if life and (life.expires is None or life.expires > self.now) else None

    @rule(
        stream=st.sampled_from(STREAMS),
        puts=PUTS,
        drops=st.lists(DROPS, max_size=2),
        ttl=TTLS,
        expect=EXPECTS,
    )
    def commit(self, stream: str, puts: list[Any], drops: list[Any], ttl: Any, expect: Any) -> None:
        live = self.life(stream)
        current = live.version if live else 0
        wanted = {"now": current, "old": 5}.get(expect, expect)
        records = [
            Record(kind, id, str(next(self.bodies)), NOW, ttl and self.now + ttl)
            for kind, id, ttl in puts
        ]
        call = {"put": records, "drop": [self.drop(d) for d in drops], "ttl": ttl}
        found = None
        try:
            done = self.backend.commit(self.prefix + stream, **call, expect=wanted, now=self.now)
        except Conflict as conflict:
            found = conflict.current
        else:
            self.follow(stream, live, records, call["drop"], ttl, done)
        assert found == (None if wanted in (None, current) else current)
        self.compare(stream)

    def drop(self, spec: tuple[Any, ...]) -> Drop:
        if spec[0] == "all":
            return Drop()
        if spec[0] == "kind":
            return Drop(spec[1])
        if spec[0] == "ids":
            return Drop(spec[1], ids=spec[2])
        return Drop(spec[1], upto=self.seqs[-spec[2] - 1 :][0])

    def follow(
        self, stream: str, live: Life | None, put: Any, drops: Any, ttl: Any, done: Any
    ) -> None:
        """Do to the model what the commit should have done, and compare the answer."""
        kept = live.expires if live else None
        for drop in drops:
            live = forget(live, drop)
        if live is None and not put:
            assert done == (0, [])
            if self.life(stream):  # what expired may be listed until it is swept
                del self.lives[stream]
            return
        if live is None:
            live = self.lives[stream] = Life(None)
            assert done.version not in self.versions
        if put or drops:
            assert done.version > live.version
        else:
            assert done.version == live.version
        live.expires = kept if ttl is KEEP else None if ttl is None else self.now + ttl
        live.version = done.version
        self.versions.add(done.version)
        self.place(live, put, done.seqs)

    def place(self, live: Life, put: Any, seqs: list[int]) -> None:
        assert len(seqs) == len(put)
        top = max((row[0] for row in live.records.values()), default=0)
        for (kind, id), record in {(r.kind, r.id): r for r in put}.items():
            told = {seq for seq, r in zip(seqs, put, strict=True) if (r.kind, r.id) == (kind, id)}
            (seq,) = told
            old = live.records.get((kind, id))
            if old and (old[2] is None or old[2] > self.now):
                assert seq == old[0]
            else:
                assert seq > top
                top = seq
            live.records[kind, id] = [seq, record.body, record.expires]
            self.seqs.append(seq)

    def compare(self, stream: str) -> None:
        pages = self.read(stream, Query("", "item"), Query("", "file"))
        for page, kind in zip(pages, ("item", "file"), strict=True):
            assert shown(page) == self.expected(stream, kind)

    def read(self, stream: str, *queries: Query) -> list[Page]:
        name = self.prefix + stream
        return self.backend.read(*(q._replace(stream=name) for q in queries), now=self.now)

    def expected(self, stream: str, kind: str) -> tuple[int, list[tuple[int, str, str]]]:
        live = self.life(stream)
        return (live.version, live.visible(kind, self.now)) if live else (0, [])

    @rule(
        stream=st.sampled_from(STREAMS),
        kind=KINDS,
        limit=st.sampled_from([None, 1, 3]),
        newest=st.booleans(),
        after=st.sampled_from([None, 0, 1, 4]),
        before=st.sampled_from([None, 0, 2]),
    )
    def range(
        self, stream: str, kind: str, limit: Any, newest: bool, after: Any, before: Any
    ) -> None:
        low = None if after is None else self.seqs[-after - 1 :][0]
        high = None if before is None else self.seqs[-before - 1 :][0]
        (page,) = self.read(stream, Query("", kind, limit, newest, low, high))
        version, rows = self.expected(stream, kind)
        rows = [r for r in rows if (low is None or r[0] > low) and (high is None or r[0] < high)]
        count = len(rows) if limit is None else min(limit, len(rows))
        assert shown(page) == (version, rows[len(rows) - count :] if newest else rows[:count])

    @rule(stream=st.sampled_from(STREAMS), kind=KINDS, ids=st.lists(IDS, max_size=4))
    def by_ids(self, stream: str, kind: str, ids: list[str]) -> None:
        (page,) = self.read(stream, Query("", kind, ids=ids))
        version, rows = self.expected(stream, kind)
        assert shown(page) == (version, [row for row in rows if row[1] in ids])

    @rule(limit=st.sampled_from([1, 3, 1000]))
    def sweep(self, limit: int) -> None:
        self.backend.sweep(self.now, limit)
        for stream in STREAMS:
            self.compare(stream)

    @rule(seconds=st.sampled_from([1, 4, 30]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def list(self) -> None:
        names, _ = self.backend.streams(self.prefix)
        live = {self.prefix + stream for stream in STREAMS if self.life(stream)}
        assert live <= set(names) <= {self.prefix + stream for stream in self.lives}


def forget(life: Life | None, drop: Drop) -> Life | None:
    """The life after a drop."""
    if drop.kind is None or life is None:
        return None
    gone = [
        (kind, id)
        for (kind, id), (seq, _, _) in life.records.items()
        if kind == drop.kind
        and (drop.ids is None or id in drop.ids)
        and (drop.upto is None or seq <= drop.upto)
    ]
    for key in gone:
        del life.records[key]
    return life


def shown(page: Page) -> tuple[int, list[tuple[int, str, str]]]:
    """A page, in the model's words."""
    return page.version, [(r.seq, r.id, r.body) for r in page.records]


class StateContract:
    def test_any_sequence_of_calls_does_what_a_dict_does(self, backend: Backend) -> None:
        machine = type("Bound", (Machine,), {"backend": backend})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=60,
                stateful_step_count=25,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
