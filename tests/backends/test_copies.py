"""Any store into any other: the same records, order, times and ends.

A copy knows no backend, only the protocol, so each is once a source and once a target.
"""

import contextlib
from collections.abc import Iterator

import pytest

from tests.backends.conftest import REQUIRED, STORES
from threadkeep.core.copy_streams import copy, stream_names
from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import HOSTILE
from threadkeep.types import Query, Record
from threadkeep.types.record_kinds import KINDS

NOW = 1_750_000_000.0
S = "default/session"
NAMES = ["memory", "file", "sqlite", "postgres", "mysql", "redis", "redis-cluster", "mongodb"]
PAIRS = [("sqlite", name) for name in NAMES] + [
    (name, "sqlite") for name in NAMES if name != "sqlite"
]


@contextlib.contextmanager
def opened(name, path) -> Iterator[Backend]:
    try:
        backend = STORES[name](path).open()
    except pytest.skip.Exception:
        assert name not in REQUIRED, f"{name} was promised by THREADKEEP_TEST_REQUIRE"
        raise
    with contextlib.closing(backend):
        yield backend


def content(backend):
    """All that lives in a store: the records of each stream, in their order."""
    return {name: records(backend, name) for name in stream_names(backend)}


def records(backend, name):
    pages = backend.read(*(Query(name, kind) for kind in KINDS), now=NOW)
    found = sorted((record for page in pages for record in page.records), key=lambda r: r.seq)
    return [(r.kind, r.id, r.body, r.at, r.expires) for r in found]


def fill(backend):
    """A long session, one of odd ids, and a user, with what expires by itself among it."""
    numbers = [Record("item", f"{n:04}", f'{{"n":{n}}}', NOW + n / 7) for n in range(600)]
    for start in range(0, 600, 300):
        backend.commit(f"{S}/long", put=numbers[start : start + 400], now=NOW)
    odd = [Record("item", id, '"é 🙂 \\u0000"', NOW) for id in HOSTILE]
    mortal = [Record("file", "a.txt", "{}", NOW, expires=NOW + 60)]
    backend.commit(f"{S}/odd", put=[*odd, *mortal], now=NOW)
    backend.commit("default/user/ada", put=[Record("session", "odd", "{}", NOW)], now=NOW)


@pytest.mark.proves("C8")
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_copy_is_the_same_to_the_record(source, target, tmp_path):
    here_path, there_path = tmp_path / "from", tmp_path / "to"
    for path in (here_path, there_path):
        path.mkdir()
    with opened(source, here_path) as here, opened(target, there_path) as there:
        fill(here)
        before = content(here)
        done = list(copy(here, there, stream_names(here), clock=lambda: NOW))
        assert {outcome.outcome for outcome in done} == {"copied"}
        assert content(there) == before == content(here)
        again = list(copy(here, there, stream_names(here), clock=lambda: NOW))
        assert {outcome.outcome for outcome in again} == {"there"}
