"""What belongs to a session goes with it, and in time, on every store there is."""

from __future__ import annotations

import time

import pytest

from threadkeep import Record, connect
from threadkeep.core import copy_streams
from threadkeep.types import Query
from threadkeep.types.record_kinds import KINDS

LIFE = 1_000.0
GRACE = 3_600.0  # of a sweep


class Later:
    """The real time, and as much later as was said: servers have clocks of their own."""

    def __init__(self):
        self.by = 0.0

    def __call__(self):
        return time.time() + self.by


@pytest.fixture
def clock():
    return Later()


@pytest.fixture
def opened(backend, clock):
    """Opens Memories on the store; it is closed with the fixture of the store."""
    made = []

    def open_memory(**options):
        made.append(connect(backend, clock=clock, **options))
        return made[-1]

    yield open_memory
    for memory in made:
        memory.close()


def lived(memory, id, user="ada"):
    """A session with all that one can have."""
    chat = memory.session(id, user=user)
    chat.add("Where is it?", {"role": "assistant", "content": "In Rome."})
    chat.files.add({"url": "https://example.com/a", "name": "a"})
    for n in range(2):
        memory.responses.add({"id": f"{id}-{n}", "output": []}, conversation=id)
    memory.feedback.add(f"{id}-0", rating="positive", comment="Right")
    summary = Record("summary", "summary", '{"text": "They talked."}', memory._engine.now())
    memory._engine.commit(memory._engine.stream("summary", id), put=[summary], ttl=LIFE)
    return chat


def content(memory):
    """Every record of somebody's that can still be read, by kind and stream."""
    found = {}
    for name in copy_streams.stream_names(memory._engine.backend):  # all but how the store is kept
        pages = memory._engine.read(*(Query(name, kind) for kind in KINDS))
        if kinds := {
            kind: len(p.records) for kind, p in zip(KINDS, pages, strict=True) if p.records
        }:
            found[name] = kinds
    return found


@pytest.mark.proves("B55")
def test_a_session_that_is_deleted_takes_all_that_belongs_to_it(opened):
    memory = opened()
    gone, kept = lived(memory, "gone"), lived(memory, "kept")
    before = content(memory)
    assert {"item", "file", "response", "response_entry", "feedback", "session"} <= (
        before["default/session/gone"].keys()
    )
    assert before["default/summary/gone"] == {"summary": 1}
    gone.delete()
    after = content(memory)
    assert not [name for name in after if "gone" in name]
    assert after == {
        **{name: kinds for name, kinds in before.items() if "gone" not in name},
        "default/sessions/ada": {"session": 1},
    }
    assert memory.responses.get("gone-0") is None
    assert [info.id for info in memory.sessions(user="ada")] == ["kept"]
    assert [one.response for one in memory.feedback.list()] == ["kept-0"]
    assert len(kept.files.list()) == 1
    gone.add("anew")
    assert [item.text for item in gone.items()] == ["anew"]
    assert gone.files.list() == []
    assert memory.responses.list(conversation="gone") == []


@pytest.mark.proves("B55")
def test_one_that_expires_takes_all_of_it_and_background_work_prolongs_no_life(opened, clock):
    memory = opened(ttl=LIFE)
    chat = lived(memory, "chat")
    clock.by = LIFE - 100
    memory.sweep()
    for read in (
        chat.items,
        chat.files.list,
        chat.info,
        memory.responses.list,
        memory.feedback.list,
    ):
        assert read()
    clock.by = LIFE + 100
    for read in (
        chat.items,
        chat.files.list,
        chat.info,
        memory.responses.list,
        memory.feedback.list,
    ):
        assert not read()
    assert memory.responses.get("chat-0") is None
    assert memory.sessions(user="ada") == []
    clock.by = 3 * LIFE
    assert content(memory) == {}


@pytest.mark.proves("B55")
def test_what_expired_is_swept_away(opened, clock):
    memory = opened(ttl=LIFE)
    lived(memory, "chat")
    clock.by = 3 * LIFE
    clock.by += GRACE
    while memory.sweep():
        pass
    clock.by = 0.0  # what were still there would be seen again
    assert content(memory) == {}
