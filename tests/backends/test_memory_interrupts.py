"""An interrupt (Ctrl-C, a notebook's stop button) leaves whole commits in the memory backend.

The interpreter raises it between two lines of ours. So each line that a call runs is interrupted
once, deterministically, by a trace function; the oracle is the same call without an interrupt.
"""

import linecache
import sys
from pathlib import Path

import pytest

import threadkeep.backends as backends
from threadkeep.backends.memory import MemoryBackend
from threadkeep.testing.contract.common import NOW, item, items
from threadkeep.types import KEEP, Drop, Query

S = "test/session/interrupted"
OURS = str(Path(backends.__file__).parent)

CALLS = {
    "append": lambda store: store.commit(S, put=items("xyz"), ttl=60, now=NOW),
    "replace": lambda store: store.commit(S, put=[item("a", "new"), item("d", "new")], now=NOW),
    "drop and put": lambda store: store.commit(
        S, put=items("ab"), drop=[Drop("item", ["a", "c"]), Drop("file")], now=NOW
    ),
    "drop one": lambda store: store.commit(S, drop=[Drop("item", ["b"])], ttl=KEEP, now=NOW),
    "drop range": lambda store: store.commit(S, drop=[Drop("item", upto=2)], ttl=KEEP, now=NOW),
    "put expired": lambda store: store.commit(S, put=items("e"), ttl=KEEP, now=NOW + 50),
    "touch": lambda store: store.commit(S, ttl=90, now=NOW),
    "new generation": lambda store: store.commit(
        S, put=items("xy"), drop=[Drop()], ttl=30, now=NOW
    ),
    "end": lambda store: store.commit(S, drop=[Drop()], now=NOW),
    "sweep": lambda store: store.sweep(NOW + 50),
}


def filled():
    store = MemoryBackend()
    put = [*items("abcd"), item("e", expires=NOW + 40), item("f", kind="file")]
    store.commit(S, put=put, ttl=600, now=NOW)
    return store


def state(store):
    """Everything that can be read, at several times; versions differ by chance, so only steps."""
    pages = []
    for now in (NOW, NOW + 45, NOW + 80, NOW + 599):
        for query in (
            Query(S, "item"),
            Query(S, "item", limit=2, newest=True),
            Query(S, "item", ids=list("abcdefxyz")),
            Query(S, "file"),
        ):
            page = store.read(query, now=now)[0]
            pages.append((page.version != 0, [(r.seq, r.id, r.body) for r in page.records]))
    names, _ = store.streams("")
    return pages, names


class Interrupt:
    """Raises KeyboardInterrupt at the n-th line of the backends that runs."""

    def __init__(self, at):
        self.remaining = at

    def __call__(self, frame, event, arg):
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        # CPython raises no interrupt between the end of a `with` block and its exit; a trace would.
        if event == "line" and not line.lstrip().startswith("with "):
            self.remaining -= 1
            if self.remaining < 0:
                raise KeyboardInterrupt
        return self


def interrupted(store, call, at):
    """Run a call with an interrupt at a line; was there such a line?"""
    before = sys.gettrace()
    sys.settrace(Interrupt(at))
    try:
        call(store)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_interrupt_at_any_line_leaves_all_or_nothing(call):
    untouched, done = state(filled()), filled()
    call(done)
    whole = state(done)
    lines = 0
    while True:
        store = filled()
        if not interrupted(store, call, lines):
            break
        assert state(store) in (untouched, whole), f"half a change after line {lines}"
        call(store)  # nothing is in the way of the next
        store.commit(S, put=items("last"), now=NOW)
        assert state(store)[0][0][1][-1][1] == "t"
        lines += 1
    assert lines > 5
