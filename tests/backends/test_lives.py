"""Writers that expect no more than a life: they pass each other by, and write into no other life.

Each store of ours can tell lives apart; one of somebody else's need not, which is the contract's.
"""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic

import pytest

from tests.servers import mongodb
from threadkeep.errors import Conflict
from threadkeep.testing.contract.common import NOW, ids, item, items, read
from threadkeep.types import Drop
from threadkeep.types.versions import Generation, generation_of

S = "test/session/lives"


def test_a_life_is_met_by_every_later_version_of_it(backend):
    seen = Generation(backend.commit(S, put=items("a"), now=NOW).version)
    for id in "bcd":
        backend.commit(S, put=items(id), now=NOW)
    done = backend.commit(S, put=items("ef"), expect=seen, token="t-1", now=NOW)
    assert done.version == seen + 4
    assert ids(backend, S) == list("abcdef")
    assert read(backend, S).version == done.version


def test_nor_does_it_matter_whether_it_drops_or_touches(backend):
    seen = Generation(backend.commit(S, put=items("a"), now=NOW).version)
    now = backend.commit(S, put=items("b"), now=NOW).version
    assert backend.commit(S, ttl=60, expect=seen, now=NOW).version == now
    backend.commit(S, put=items("c"), drop=[Drop("item", ["a"])], expect=seen, now=NOW)
    assert ids(backend, S) == ["b", "c"]
    assert backend.commit(S, drop=[Drop()], expect=seen, now=NOW) == (0, [])


def test_an_earlier_version_does_not_meet_it(backend):
    """A store that was set back is not what was seen."""
    seen = backend.commit(S, put=items("a"), now=NOW).version
    with pytest.raises(Conflict) as caught:
        backend.commit(S, put=items("b"), expect=Generation(seen + 1), now=NOW)
    assert caught.value.current == seen
    assert ids(backend, S) == ["a"]


def test_a_repeat_that_others_came_after_puts_nothing_twice(backend):
    """The stream keeps one token: that of a writer who was passed by is gone with the next."""
    seen = Generation(backend.commit(S, put=items("a"), now=NOW).version)
    mine = {"put": items("b"), "expect": seen, "now": NOW}
    first = backend.commit(S, token="t-1", **mine)
    backend.commit(S, put=items("c"), expect=seen, token="t-2", now=NOW)
    assert backend.commit(S, token="t-1", **mine).seqs == first.seqs
    assert ids(backend, S) == ["a", "b", "c"]


def test_no_writer_is_ever_found_in_another_life(backend, request):
    """Ended and begun all the time, under four writers that each say which life they saw."""
    over, landed_once = Event(), Event()
    share = mongodb.share() if "mongodb" in request.node.name else 1

    def write(name):
        landed = 0
        while not over.is_set():
            seen = read(backend, S).version
            if not seen:
                continue
            record = item(f"{name} {landed}", json.dumps(generation_of(seen)))
            try:
                backend.commit(S, put=[record], expect=Generation(seen), token=record.id, now=NOW)
            except Conflict:
                continue
            landed += 1
            landed_once.set()
        return landed

    def watch():
        """Some rounds, and more while a busy machine let no writer in."""
        deadline = monotonic() + 30
        for round in itertools.count():
            if round >= 150 * share and (landed_once.is_set() or monotonic() > deadline):
                return
            version, records = read(backend, S)
            assert {record.body for record in records} <= {str(generation_of(version))}
            if round % 3 == 0:
                backend.commit(S, drop=[Drop()], now=NOW)
                backend.commit(S, put=begun, now=NOW)

    begun = [item("x", kind="session")]
    backend.commit(S, put=begun, now=NOW)
    with ThreadPoolExecutor(5) as threads:
        writers = [threads.submit(write, name) for name in "abcd"]
        try:
            watch()
        finally:
            over.set()
        assert sum(writer.result() for writer in writers), "or this test tests nothing"
