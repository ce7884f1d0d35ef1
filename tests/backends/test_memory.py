"""What the memory backend promises beyond the contract: its bound, its options, its speed."""

import os
import time
import warnings

import pytest

from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import ConfigError
from threadkeep.types import Query, Record

NOW = 1_700_000_000.0


def put(backend, stream, ids="a"):
    return backend.commit(stream, put=[Record("item", id, "{}", NOW) for id in ids], now=NOW)


def alive(backend, *streams):
    # Through streams(), as a read would count as a use.
    names, _ = backend.streams("")
    return [stream in names for stream in streams]


def session(n):
    return f"default/session/{n}"


def test_the_session_used_least_recently_goes_first_with_one_warning():
    backend = MemoryBackend(max_sessions=3)
    for n in range(3):
        put(backend, session(n))
    backend.read(Query(session(0), "item"), now=NOW)
    put(backend, session(1))
    with pytest.warns(UserWarning, match="holds 3 sessions.*raise `max_sessions`") as caught:
        put(backend, session(3))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert alive(backend, *map(session, range(4))) == [True, True, False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        put(backend, session(4))
    assert alive(backend, session(0), session(1)) == [False, True]


def test_streams_that_are_no_sessions_are_neither_counted_nor_forgotten():
    backend = MemoryBackend(max_sessions=1)
    for n in range(20):
        put(backend, f"default/user/{n}")
        put(backend, f"default/sessions/{n}")
    put(backend, session(1))
    with pytest.warns(UserWarning, match="max_sessions"):
        put(backend, session(2))
    assert len(backend.streams("")[0]) == 41


def test_each_instance_warns_for_itself():
    for _ in range(2):
        backend = MemoryBackend(max_sessions=1)
        put(backend, session(1))
        with pytest.warns(UserWarning, match="max_sessions"):
            put(backend, session(2))


def test_deleted_and_swept_sessions_make_room():
    backend = MemoryBackend(max_sessions=2)
    for n in range(10):
        backend.commit(session(n), put=[Record("item", "a", "{}", NOW)], ttl=1, now=NOW + n)
        backend.sweep(NOW + n)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "10", None, True])
def test_a_wrong_bound_is_refused_by_name(wrong):
    with pytest.raises(ConfigError, match="max_sessions"):
        MemoryBackend(max_sessions=wrong)


def test_the_cost_of_a_page_does_not_grow_with_the_stream():
    def cost(length):
        backend = MemoryBackend()
        for start in range(0, length, 1000):
            put(backend, "s", [str(n) for n in range(start, start + 1000)])
        middle = Query("s", "item", 20, True, None, length // 2)
        queries = (Query("s", "item", 20, True), middle, Query("s", "item", ids=["7"]))
        return min(timed(lambda: backend.read(*queries, now=NOW)) for _ in range(50))

    assert cost(50_000) < 5 * cost(1_000)


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_goes_on_with_a_copy():
    backend = MemoryBackend()
    put(backend, "s", "a")
    if (child := os.fork()) == 0:
        put(backend, "s", "b")
        (page,) = backend.read(Query("s", "item"), now=NOW)
        os._exit(0 if [r.id for r in page.records] == ["a", "b"] else 1)
    assert os.waitpid(child, 0)[1] == 0
    (page,) = backend.read(Query("s", "item"), now=NOW)
    assert [r.id for r in page.records] == ["a"]
