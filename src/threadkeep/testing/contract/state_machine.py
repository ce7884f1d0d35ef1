"""Random sequences of calls, compared with a model of plain dicts (hypothesis)."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from threadkeep.errors import Conflict
from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import NOW, sweep_all
from threadkeep.testing.contract.stream_model import (
    StreamModel,
    apply_drop,
    lifetime_after,
    page_rows,
)
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
# Seconds by which the clock of a writer is ahead of the others.
SKEWS = st.sampled_from([0, 0, 0, 0, -4, -7200, 3, 7200])


class BackendMachine(RuleBasedStateMachine):
    """Commits, reads, sweeps and waits; compares everything after each commit."""

    backend: Backend
    run_numbers = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.prefix = f"machine/{next(self.run_numbers)}/"
        self.now = NOW
        self.models: dict[str, StreamModel] = {}
        self.versions: set[int] = set()
        self.bodies = itertools.count()
        self.seqs: list[int] = [0]

    def teardown(self) -> None:
        """Delete everything, so that the next run's sweeps find nothing."""
        for stream_name in STREAMS:
            self.backend.commit(self.prefix + stream_name, drop=[Drop()], now=self.now)
        sweep_all(self.backend, self.now + 1e6)

    def live_model(self, stream: str, now: float | None = None) -> StreamModel | None:
        stream_model, now = self.models.get(stream), self.now if now is None else now
        return (
            stream_model
            if stream_model and (stream_model.expires is None or stream_model.expires > now)
            else None
        )

    def writers_clock(self, stream: str, skew: float) -> float:
        """The time by a writer's clock; what a sweep may have taken is not alive by it."""
        stream_model, now = self.models.get(stream), self.now + skew
        if stream_model is None or skew > 0:
            return now
        expiries = [
            stream_model.expires,
            *(record_state[2] for record_state in stream_model.records.values()),
        ]
        may_be_swept = any(expiry is not None and now < expiry <= self.now for expiry in expiries)
        return self.now if may_be_swept else now

    @rule(
        stream=st.sampled_from(STREAMS),
        puts=PUTS,
        drops=st.lists(DROPS, max_size=2),
        ttl=TTLS,
        expect=EXPECTS,
        skew=SKEWS,
    )
    def commit(
        self, stream: str, puts: list[Any], drops: list[Any], ttl: Any, expect: Any, skew: float
    ) -> None:
        now = self.writers_clock(stream, skew)
        stream_model = self.live_model(stream, now)
        current_version = stream_model.version if stream_model else 0
        expected_version = {"now": current_version, "old": 5}.get(expect, expect)
        records_to_put = [
            Record(kind, record_id, str(next(self.bodies)), NOW, record_ttl and now + record_ttl)
            for kind, record_id, record_ttl in puts
        ]
        changes = {"put": records_to_put, "drop": list(map(self.drop, drops)), "ttl": ttl}
        conflict_version = None
        try:
            new_commit = self.backend.commit(
                self.prefix + stream, **changes, expect=expected_version, now=now
            )
        except Conflict as conflict:
            conflict_version = conflict.current
        else:
            self.apply(stream, stream_model, records_to_put, changes["drop"], ttl, new_commit, now)
        is_expected = expected_version in (None, current_version)
        assert conflict_version == (None if is_expected else current_version)
        self.compare(stream)

    def drop(self, spec: tuple[Any, ...]) -> Drop:
        if spec[0] == "all":
            return Drop()
        if spec[0] == "kind":
            return Drop(spec[1])
        if spec[0] == "ids":
            return Drop(spec[1], ids=spec[2])
        return Drop(spec[1], upto=self.seqs[-spec[2] - 1 :][0])

    def apply(
        self,
        stream: str,
        stream_model: StreamModel | None,
        put: Any,
        drops: Any,
        ttl: Any,
        committed: Any,
        now: float,
    ) -> None:
        """Apply the commit to the model, and compare its result."""
        previous_model = stream_model
        for drop in drops:
            stream_model = apply_drop(stream_model, drop)
        if stream_model is None and not put:
            assert committed == (0, [])
            if self.live_model(stream, now):  # expired streams may be listed until they are swept
                del self.models[stream]
            return
        if stream_model is None:
            stream_model = self.models[stream] = StreamModel(None)
            assert committed.version not in self.versions
        if put or drops:
            assert committed.version > stream_model.version
        else:
            assert committed.version == stream_model.version
        stream_model.expires, stream_model.ttl = lifetime_after(previous_model, ttl, now)
        stream_model.version = committed.version
        self.versions.add(committed.version)
        self.apply_puts(stream_model, put, committed.seqs, now)

    def apply_puts(self, stream_model: StreamModel, put: Any, seqs: list[int], now: float) -> None:
        assert len(seqs) == len(put)
        highest_seq = max(
            (record_state[0] for record_state in stream_model.records.values()), default=0
        )
        for (kind, record_id), record in {
            (put_record.kind, put_record.id): put_record for put_record in put
        }.items():
            assigned_seqs = {
                seq
                for seq, put_record in zip(seqs, put, strict=True)
                if (put_record.kind, put_record.id) == (kind, record_id)
            }
            (seq,) = assigned_seqs
            previous_state = stream_model.records.get((kind, record_id))
            if previous_state and (previous_state[2] is None or previous_state[2] > now):
                assert seq == previous_state[0]
            else:
                assert seq > highest_seq
                highest_seq = seq
            stream_model.records[kind, record_id] = [seq, record.body, record.expires]
            self.seqs.append(seq)

    def compare(self, stream: str) -> None:
        pages = self.read(stream, Query("", "item"), Query("", "file"))
        for page, kind in zip(pages, ("item", "file"), strict=True):
            assert page_rows(page) == self.expected(stream, kind)

    def read(self, stream: str, *queries: Query) -> list[Page]:
        stream_name = self.prefix + stream
        return self.backend.read(
            *(query._replace(stream=stream_name) for query in queries), now=self.now
        )

    def expected(self, stream: str, kind: str) -> tuple[int, list[tuple[int, str, str]]]:
        stream_model = self.live_model(stream)
        return (
            (stream_model.version, stream_model.visible(kind, self.now))
            if stream_model
            else (0, [])
        )

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
        after_seq = None if after is None else self.seqs[-after - 1 :][0]
        before_seq = None if before is None else self.seqs[-before - 1 :][0]
        (page,) = self.read(stream, Query("", kind, limit, newest, after_seq, before_seq))
        expected_version, expected_rows = self.expected(stream, kind)
        expected_rows = [
            row
            for row in expected_rows
            if (after_seq is None or row[0] > after_seq)
            and (before_seq is None or row[0] < before_seq)
        ]
        selected_count = len(expected_rows) if limit is None else min(limit, len(expected_rows))
        assert page_rows(page) == (
            expected_version,
            expected_rows[len(expected_rows) - selected_count :]
            if newest
            else expected_rows[:selected_count],
        )

    @rule(stream=st.sampled_from(STREAMS), kind=KINDS, ids=st.lists(IDS, max_size=4))
    def by_ids(self, stream: str, kind: str, ids: list[str]) -> None:
        (page,) = self.read(stream, Query("", kind, ids=ids))
        expected_version, expected_rows = self.expected(stream, kind)
        assert page_rows(page) == (
            expected_version,
            [row for row in expected_rows if row[1] in ids],
        )

    @rule(limit=st.sampled_from([1, 3, 1000]))
    def sweep(self, limit: int) -> None:
        self.backend.sweep(self.now, limit)
        for stream_name in STREAMS:
            self.compare(stream_name)

    @rule(seconds=st.sampled_from([1, 4, 30]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def list(self) -> None:
        listed_names, _ = self.backend.streams(self.prefix)
        live_names = {self.prefix + stream for stream in STREAMS if self.live_model(stream)}
        assert live_names <= set(listed_names) <= {self.prefix + stream for stream in self.models}


class StateMachineContract:
    def test_any_sequence_of_calls_matches_model(self, backend: Backend) -> None:
        machine_class = type("Bound", (BackendMachine,), {"backend": backend})
        run_state_machine_as_test(
            machine_class,
            settings=settings(
                max_examples=60,
                stateful_step_count=25,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
