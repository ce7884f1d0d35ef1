"""The store that keeps nothing."""

from threadkeep.backends.none import NoneBackend
from threadkeep.protocols import Backend
from threadkeep.types import Commit, Drop, Page, Query, Record

NOW = 1_700_000_000.0


def test_it_takes_writes_and_shows_nothing():
    backend = NoneBackend()
    done = backend.commit("s", put=[Record("item", "a", "{}", NOW)] * 2, ttl=5, now=NOW)
    assert done == Commit(0, [0, 0])
    assert backend.read(Query("s", "item"), Query("s", "file"), now=NOW) == [Page(0, [])] * 2
    assert backend.read(now=NOW) == []
    assert backend.streams("") == ([], None)
    assert backend.sweep(NOW) == 0


def test_it_never_meets_a_conflict():
    backend = NoneBackend()
    for expect in (0, 7):
        assert backend.commit("s", drop=[Drop()], expect=expect, token="t", now=NOW).version == 0


def test_it_is_a_backend_that_never_waits():
    backend = NoneBackend()
    assert isinstance(backend, Backend)
    assert backend.blocking is False
    assert repr(backend) == "NoneBackend()"
    backend.close()
    backend.close()
