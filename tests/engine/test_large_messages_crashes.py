"""A crash after any commit leaves no item without its parts, and nothing after a sweep."""

from __future__ import annotations

import json
from itertools import count

import pytest

from tests.engine.doubles import Clock, Wrapper
from tests.engine.large_messages import photo
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.core.parts import FIELD
from threadkeep.types import Query

pytestmark = pytest.mark.proves("D4")


class Crash(BaseException):
    """The process is gone."""


class Crashing(Wrapper):
    """Crashes after so many commits."""

    def __init__(self, inner, commits):
        super().__init__(inner)
        self.remaining = commits

    def commit(self, stream, **how):
        if not self.remaining:
            raise Crash
        self.remaining -= 1
        return super().commit(stream, **how)


SCRIPTS = {
    "add": lambda memory, chat, item: chat.add(photo(3_100_000, 2), photo(100_000, 1)),
    "add to a new session": lambda memory, chat, item: memory.session("new", user="ada").add(
        photo(3_100_000, 3)
    ),
    "replace": lambda memory, chat, item: chat.replace(item.id, photo(100_000, 4)),
    "set_items": lambda memory, chat, item: chat.set_items(photo(100_000, 5), "more"),
    "remove": lambda memory, chat, item: chat.remove(item.id),
    "rewind": lambda memory, chat, item: chat.rewind(last=1),
    "clear": lambda memory, chat, item: chat.clear(),
    "fork": lambda memory, chat, item: chat.fork("new"),
    "delete": lambda memory, chat, item: chat.delete(),
    "forget": lambda memory, chat, item: chat.forget(item.id),
    "forget the user": lambda memory, chat, item: memory.user("ada").forget(purge=False),
}


def run(script, commits):
    """The store after a verb that was cut short, and whether it was."""
    backend, clock = MemoryBackend(), Clock()
    with connect(backend, clock=clock) as memory:
        item = memory.session("chat", user="ada").add(photo(100_000, 1))[0]
    crashing = Crashing(backend, commits)
    memory = connect(crashing, clock=clock)
    try:
        SCRIPTS[script](memory, memory.session("chat", user="ada"), item)
    except Crash:
        return backend, clock, True
    return backend, clock, False


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_item_has_its_parts_and_no_part_outlives_a_sweep(script):
    for commits in count():
        backend, clock, was_cut = run(script, commits)
        with connect(backend, clock=clock) as memory:
            for session in ("chat", "new"):
                for item in memory.session(session).items(hidden=True):
                    assert "unreadable" not in item.metadata, commits
            clock.tick(4_000)
            memory.sweep()
            assert stored_blobs(backend, clock) == used_blobs(backend, clock), commits
            for session in ("chat", "new"):
                for item in memory.session(session).items(hidden=True):
                    assert "unreadable" not in item.metadata, commits
        if not was_cut:
            assert commits > 0
            return


@pytest.mark.parametrize("script", ["add", "delete", "forget the user", "add to a new session"])
def test_forgetting_the_user_again_leaves_nothing(script):
    for commits in count():
        backend, clock, was_cut = run(script, commits)
        with connect(backend, clock=clock) as memory:
            memory.user("ada").forget(purge=False)
            assert stored_blobs(backend, clock) == set(), commits
        if not was_cut:
            return


def stored_blobs(backend, clock):
    """The pieces and references in the store."""
    names = backend.streams("default/blob/")[0]
    pages = [backend.read(Query(name, "piece"), now=clock())[0] for name in names]
    pieces = {(n, r.id.split("/")[0]) for n, p in zip(names, pages, strict=True) for r in p.records}
    pages = [backend.read(Query(name, "blob"), now=clock())[0] for name in names]
    found = {
        (name, json.loads(r.body)["blob"])
        for name, page in zip(names, pages, strict=True)
        for r in page.records
    }
    assert pieces == found
    return pieces


def used_blobs(backend, clock):
    """The blobs that items refer to."""
    return {
        (name.replace("/session/", "/blob/"), entry["id"])
        for name in backend.streams("default/session/")[0]
        for record in backend.read(Query(name, "item"), now=clock())[0].records
        for entry in json.loads(record.body).get(FIELD, ())
    }
