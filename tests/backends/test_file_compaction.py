"""The file store keeps small and quick: compaction loses nothing, opening costs the same always."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.backends.file_child import NOW, STREAM
from threadkeep.backends.file import FileBackend, compaction, index, log
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import Conflict
from threadkeep.types import KEEP, Drop, Query, Record

pytestmark = pytest.mark.slow

KINDS = ("item", "file")
IDS = st.sampled_from("abcdefgh")
RECORDS = st.builds(
    Record,
    st.sampled_from(KINDS),
    IDS,
    st.sampled_from(['"short"', '"' + "long\\t\\n\u00e9 " * 30 + '"']),
    st.floats(NOW - 1e6, NOW + 1e6),
    st.none() | st.sampled_from([NOW + 3, NOW + 30, NOW + 1e9]),
)
DROPS = st.one_of(
    st.builds(Drop, st.sampled_from(KINDS), st.lists(IDS, min_size=1, max_size=3)),
    st.builds(Drop, st.sampled_from(KINDS)),
    st.just(Drop()),
)
COMMITS = st.fixed_dictionaries(
    {
        "put": st.lists(RECORDS, max_size=6),
        "drop": st.lists(DROPS, max_size=1),
        "ttl": st.sampled_from([None, None, None, KEEP, 5.0]),
    }
)
STEPS = st.lists(st.tuples(COMMITS, st.sampled_from([0.0, 1.0, 4.0])), min_size=1, max_size=25)


@pytest.fixture
def folders(tmp_path_factory):
    return lambda: tmp_path_factory.mktemp("chats") / "chats"


@pytest.fixture(autouse=True)
def _eager(monkeypatch):
    """Compact whenever half is dead, however short the log."""
    monkeypatch.setattr(compaction, "LEAST", 200)


def seen(backend, now):
    """All records without their seqs, which count from anywhere, in order."""
    pages = backend.read(*(Query(STREAM, kind) for kind in KINDS), now=now)
    return [
        [(r.kind, r.id, r.body, r.at, r.expires) for r in page.records] for page in pages
    ], bool(pages[0].version)


@settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
def test_any_story_reads_the_same_as_in_memory_however_often_it_is_compacted(folders, steps):
    folder, oracle, now = folders(), MemoryBackend(), NOW
    backend = FileBackend(folder, fsync=False)
    for n, (commit, later) in enumerate(steps):
        now += later
        commit = {**commit, "token": f"{n}" if commit["put"] else None}
        told, made = (one.commit(STREAM, **commit, now=now) for one in (oracle, backend))
        assert bool(told.version) == bool(made.version)
        assert seen(backend, now) == seen(oracle, now)
        assert seen(FileBackend(folder), now) == seen(oracle, now), "opened anew"
        if commit["put"]:
            assert FileBackend(folder).commit(STREAM, **commit, now=now) == made, "a lost reply"


def test_seqs_versions_and_tokens_outlive_a_compaction(folders):
    folder = folders()
    backend = FileBackend(folder, fsync=False)
    first = backend.commit(STREAM, put=[record("a"), record("b")], expect=0, token="t", now=NOW)
    (path,) = folder.rglob("*.log")
    compactions = 0
    for n in range(40):
        file = path.stat().st_ino
        made = backend.commit(STREAM, put=[record("b", n)], now=NOW)
        compactions += path.stat().st_ino != file
    assert compactions >= 3
    assert made.seqs == [first.seqs[1]]
    assert made.version == first.version + 40
    for opened in (backend, FileBackend(folder)):
        again = opened.commit(STREAM, put=[record("a"), record("b")], expect=0, token="t", now=NOW)
        assert again == first
        with pytest.raises(Conflict):
            opened.commit(STREAM, put=[record("x")], expect=first.version, now=NOW)
    assert FileBackend(folder).commit(STREAM, put=[record("c")], now=NOW).seqs[0] > first.seqs[1]


def record(id, n=0, size=60):
    return Record("item", id, f'"{n} {"x" * size}"', NOW - n, NOW + 1e6 + n)


@pytest.mark.proves("A18")
def test_what_a_new_process_reads_does_not_grow_with_the_history(folders, monkeypatch):
    monkeypatch.undo()  # compaction as it is
    costs = {}
    for length in (1_000, 100_000):
        folder = folders()
        backend = FileBackend(folder, fsync=False)
        for start in range(0, length, 250):
            put = [record(f"m{n}", size=200) for n in range(start, start + 250)]
            backend.commit(STREAM, put=put, now=NOW)
        costs[length] = _costs(folder, length)
    small, large = costs[1_000], costs[100_000]
    assert large["read"] <= 2 * small["read"] <= 512 * 1024
    assert large["parsed"] <= 8 * index.STEP, "a commit parses no more than the sidecar lacks"


def _costs(folder, length):
    """Bytes that the first calls of new openers read from the log, sidecars apart."""
    counted = []
    real = log.read

    def read(fd, offset, count):
        raw = real(fd, offset, count)
        counted.append(len(raw))
        return raw

    log.read = read
    try:
        query = Query(STREAM, "item", limit=20, newest=True)
        (page,) = FileBackend(folder).read(query, now=NOW)
        assert [one.id for one in page.records] == [f"m{n}" for n in range(length - 20, length)]
        first, counted[:] = sum(counted), []
        FileBackend(folder, fsync=False).commit(STREAM, put=[record("new")], now=NOW)
        return {"read": first, "parsed": sum(counted)}
    finally:
        log.read = real


def test_a_sidecar_that_is_missing_or_foreign_costs_time_and_nothing_else(folders):
    folder = folders()
    backend = FileBackend(folder, fsync=False)
    for start in range(0, 2_000, 100):
        backend.commit(STREAM, put=[record(f"m{n}") for n in range(start, start + 100)], now=NOW)
    (path,) = folder.rglob("*.idx")
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[-3] ^= 255
    for content in (b"", b"x" * 100, whole[:50], bytes(damaged), whole):
        path.write_bytes(content)
        again = FileBackend(folder, fsync=False).commit(STREAM, put=[record("m7")], now=NOW)
        assert again.seqs == [8]
    path.unlink()
    assert FileBackend(folder, fsync=False).commit(STREAM, put=[record("m7")], now=NOW).seqs == [8]
