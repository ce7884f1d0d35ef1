"""Servers with much in them: ten thousand sessions, a very long one, sweepers under load."""

import contextlib
from dataclasses import replace
from functools import partial

import pytest

from tests.backends.conftest import REQUIRED, STORES
from threadkeep import connect
from threadkeep.testing.concurrency import run_in_threads
from threadkeep.testing.contract.common import NOW, items, list_streams, read
from threadkeep.types import Query
from threadkeep.types.record_kinds import KINDS

pytestmark = pytest.mark.slow
SERVERS = ["postgres", "mysql", "redis", "redis-cluster"]
SESSIONS = 10_000
LONG = 100_000


@pytest.fixture(params=SERVERS)
def store(request, tmp_path):
    try:
        return STORES[request.param](tmp_path)
    except pytest.skip.Exception:
        assert request.param not in REQUIRED, "promised by THREADKEEP_TEST_REQUIRE"
        raise


@pytest.fixture
def backend(store):
    with contextlib.closing(store.open()) as backend:
        yield backend
        assert backend.in_use == 0, "a connection was not given back"


class Counting:
    """Counts the records that are read."""

    def __init__(self, inner):
        self.inner = inner
        self.blocking = inner.blocking
        self.records = 0

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def read(self, *queries, now):
        pages = self.inner.read(*queries, now=now)
        self.records += sum(len(page.records) for page in pages)
        return pages


def pages(of):
    """All that is listed, page by page."""
    found, cursor = [], None
    while True:
        page = of(cursor=cursor)
        found += [page]
        cursor = page.cursor
        if cursor is None:
            return found


def test_ten_thousand_sessions_are_listed_by_cursor(backend):
    with connect(backend, clock=iter_clock()) as memory:
        names = [f"s{n:05}" for n in range(SESSIONS)]
        memory.session(names[0]).add("hi")
        first = memory._engine.stream("session", names[0])
        stored = [record for kind in KINDS for record in read(backend, first, kind).records]

        def write(part):
            """As the first one was stored, which is faster than to add to each."""
            for name in names[part::8]:
                put = [replace(one, body=one.body.replace(names[0], name), seq=0) for one in stored]
                backend.commit(first.replace(names[0], name), put=put, now=NOW)

        run_in_threads(*(partial(write, part) for part in range(8)))
        found = pages(partial(memory.sessions, limit=1_000))
        assert sorted({info.id for page in found for info in page}) == names
        assert all(len(page) <= 1_000 for page in found)


def test_the_thousands_of_one_user_come_newest_first(backend):
    with connect(backend, clock=iter_clock()) as memory:
        names = [f"s{n:04}" for n in range(1_500)]
        for name in names:
            memory.session(name, user="ada").add("hi")
        found = pages(partial(memory.sessions, user="ada", limit=200))
        assert [info.id for page in found for info in page] == names[::-1]


def said(n):
    return {"role": ("user", "assistant")[n % 2], "content": f"message {n}"}


def iter_clock():
    """A clock that moves a second each time it is looked at."""
    time = iter(range(int(NOW), int(NOW) + 10**9))
    return lambda: float(next(time))


def test_a_window_of_a_hundred_thousand_messages_reads_no_more_than_it_shows(backend):
    counting = Counting(backend)
    with connect(counting) as memory:
        chat = memory.session("long")
        for start in range(0, LONG, 1_000):
            chat.add(*(said(n) for n in range(start, start + 1_000)))
        counting.records = 0
        window = memory.session("long").window(max_messages=20)
        assert [item.text for item in window] == [f"message {n}" for n in range(LONG - 20, LONG)]
        assert counting.records < 100
        one = chat.items(before=window[0].id, limit=5)
        assert one[0].text == "message 0"
        assert len(chat.items(last=2_500)) == 2_500


def test_two_sweepers_under_load_take_all_that_is_dead_and_nothing_else(store, backend):
    dead = [f"test/dead/{n}" for n in range(400)]
    for name in dead:
        backend.commit(name, put=items("abc"), ttl=10, now=NOW - 20)
    with contextlib.closing(store.reopen()) as other:

        def sweep(own):
            return sum(iter(partial(own.sweep, NOW, 50), 0))

        def write(writer):
            for n in range(200):
                put = items([f"{writer}-{n}"])
                backend.commit(f"test/live/{n % 7}", put=put, ttl=10_000, now=NOW)
                backend.commit(dead[n], put=put, ttl=10_000, now=NOW)  # born again among sweepers

        swept = run_in_threads(*(partial(sweep, own) for own in (backend, other)), *(
            partial(write, writer) for writer in range(3)
        ))[:2]  # fmt: skip
    for own in range(200):
        born = {record.id for record in read(backend, dead[own]).records}
        assert born == {f"{writer}-{own}" for writer in range(3)}
    living = sum(len(read(backend, f"test/live/{n}").records) for n in range(7))
    assert living == 600
    assert sum(swept) > 0
    while backend.sweep(NOW, 1_000):
        pass
    assert sorted(list_streams(backend, "test/dead/")) == sorted(dead[:200])
    assert backend.read(Query(dead[-1], "item"), now=NOW)[0].version == 0
