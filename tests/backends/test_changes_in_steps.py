"""A change of an adapter that takes several commits is made as a whole or not at all.

Each call to the store fails in turn, once or from then on, before or after it was carried out; and
somebody else writes before each commit.
"""

from __future__ import annotations

import itertools

import pytest

from tests.backends.conftest import REQUIRED, STORES
from threadkeep import Drop, Item, connect
from threadkeep.adapters.conditional_append import Addition, add_if
from threadkeep.adapters.session_log import Change, SessionLog
from threadkeep.errors import BackendError, Conflict
from threadkeep.longterm.repair import problem, store_findings
from threadkeep.sessions import rollback
from threadkeep.types import Query, Record, batching

NAMES = ("memory", "file", "sqlite", "postgres", "redis")
SPACES = (f"steps{n}" for n in itertools.count())
ROUNDS = range(1, 200)


class Flaky:
    """A store that fails at its n-th call, and with `for_good` at all that follow."""

    def __init__(self, inner, calls, *, after=False, for_good=False):
        self.inner, self.blocking = inner, inner.blocking
        self.calls, self.after, self.for_good = calls, after, for_good

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def read(self, *queries, now):
        return self._call(self.inner.read, *queries, now=now)

    def commit(self, stream, **how):
        return self._call(self.inner.commit, stream, **how)

    def _call(self, verb, *arguments, **how):
        self.calls -= 1
        fails = self.calls <= 0 if self.for_good else self.calls == 0
        if fails and (not self.after or self.calls < 0):
            raise BackendError("out of order")
        done = verb(*arguments, **how)
        if fails:
            raise BackendError("the answer was lost")
        return done


class Crowded:
    """A store at which somebody else writes before the n-th commit to the session."""

    def __init__(self, inner, commits, other):
        self.inner, self.blocking = inner, inner.blocking
        self.commits, self.other = commits, other

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def commit(self, stream, **how):
        if "/session/" in stream:
            self.commits -= 1
            if self.commits == 0:
                self.other()
        return self.inner.commit(stream, **how)


FAULTS = {
    "once before": {},
    "once after": {"after": True},
    "for good before": {"for_good": True},
    "for good after": {"for_good": True, "after": True},
}


@pytest.fixture(params=NAMES)
def backend(request, tmp_path):
    try:
        made = STORES[request.param](tmp_path).open()
    except pytest.skip.Exception as skipped:
        if request.param in REQUIRED:
            pytest.fail(f"{request.param} was promised: {skipped}")
        raise
    yield made
    made.close()


@pytest.fixture(autouse=True)
def small_commits(monkeypatch):
    monkeypatch.setattr(batching, "MAX_RECORDS", 8)
    monkeypatch.setattr(rollback, "_MAX_IDS", 5)


@pytest.fixture
def opened(backend):
    """Opens Memories on the store, all of a namespace that nobody else has."""
    space, made = next(SPACES), []

    def open_memory(store=backend):
        made.append(connect(store, namespace=space))
        return made[-1]

    yield open_memory
    for memory in made:
        memory.close()


@pytest.fixture
def session(opened):
    """A session with 12 shown items, 12 hidden ones, of which 6 are of a branch, and a note."""
    chat = opened().session("c", user="ada", metadata={"state": "old"})
    chat.add(*(Item(id=f"s{n}", role="assistant", content=f"s{n}") for n in range(12)))
    chat.branch("other", at="s5")
    chat.add(*(Item(id=f"o{n}", role="assistant", content=f"o{n}") for n in range(6)))
    chat.hide(*(f"o{n}" for n in range(6)))
    log = SessionLog(chat)
    log.commit(log.read(), Change(records=[log.record("entry", "old", {"old": True})]))
    return chat


def change_all(log, snapshot):
    """Hide, show, add, drop and note, more than a few commits take."""
    hide = [f"s{n}" for n in range(6)]
    show = [*(f"s{n}" for n in range(6, 12)), *(f"o{n}" for n in range(6))]
    hidden, shown = (log.read(log.query(ids=ids)).pages[0].records for ids in (hide, show))
    new = [Item(id=f"n{n}", content=f"n{n}") for n in range(12)]
    note = log.record("entry", "new", {"new": True})
    change = Change(new, [note], [Drop("entry", ["old"])], hidden, shown)
    return log.commit(snapshot, change)


def held(memory):
    """All that is in the session, once an adapter has read it."""
    chat = memory.session("c", user="ada")
    log = SessionLog(chat)
    log.read()
    entries = log.read(log.query("entry")).pages[0].records
    undo = memory._engine.read(Query(log.stream, rollback.UNDO))[0].records
    items = [(item.id, item.hidden, item.metadata) for item in chat.items(hidden=True)]
    info = chat.info()
    return items, sorted(r.id for r in entries), [r.id for r in undo], info and info.metadata


@pytest.mark.parametrize("fault", FAULTS)
def test_a_change_is_whole_or_absent_wherever_the_store_fails(opened, backend, session, fault):
    before = held(opened())
    for number in ROUNDS:
        flaky = Flaky(backend, number, **FAULTS[fault])
        try:
            log = SessionLog(opened(flaky).session("c", user="ada"))
            change_all(log, log.read())
        except BackendError:
            pass
        if flaky.calls > 0:
            break
        after = held(opened())
        if after != before:
            assert_changed(after)
            break  # the commit was made, and what follows it failed
    assert number > 8, "no call inside the change failed"
    log = SessionLog(opened().session("c", user="ada"))
    if held(opened()) == before:
        change_all(log, log.read())
    assert_changed(held(opened()))


def assert_changed(state):
    items, entries, undo, metadata = state
    hidden = {id: is_hidden for id, is_hidden, _ in items}
    assert [id for id in hidden if hidden[id]] == [f"s{n}" for n in range(6)]
    assert [id for id in hidden if id.startswith("n")] == [f"n{n}" for n in range(12)]
    assert (entries, undo, metadata) == (["new"], [], {"state": "old"})


def test_who_writes_in_between_prevents_all_of_it(opened, backend, session):
    items, *rest = held(opened())
    others = opened().session("c", user="ada")
    for number in ROUNDS:

        def write(text=f"other {number}"):
            others.add(Item(id=text, content=text))

        crowded = Crowded(backend, number, write)
        log = SessionLog(opened(crowded).session("c", user="ada"))
        try:
            change_all(log, log.read())
        except Conflict:
            items = [*items, (f"other {number}", False, {})]
            assert held(opened()) == (items, *rest)
        else:
            break
    assert number > 5, "no commit inside the change was disturbed"
    assert crowded.commits > 0


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("is_new", [True, False], ids=["new session", "session"])
def test_an_append_with_metadata_is_whole_or_absent(opened, backend, fault, is_new):
    if not is_new:
        opened().session("c", user="ada", metadata={"state": "old"}).add("first")
    before = held(opened())
    items = [Item(id=f"n{n}", content=f"n{n}") for n in range(20)]
    addition = Addition(items, {"state": "new"})
    for number in ROUNDS:
        flaky = Flaky(backend, number, **FAULTS[fault])
        try:
            chat = opened(flaky).session("c", user="ada", metadata={"state": "none"})
            add_if(chat, (), lambda tail: addition)
        except BackendError:
            pass
        if held(opened()) != before:
            break
        assert flaky.calls <= 0
    assert number > 4, "no call inside the append failed"
    stored, _, undo, metadata = held(opened())
    assert [id for id, _, _ in stored][-20:] == [item.id for item in items]
    assert (len(stored), undo, metadata) == (20 + (not is_new), [], {"state": "new"})


def test_decisions_of_an_append_are_made_anew_on_what_was_there(opened, backend):
    opened().session("c", user="ada", metadata={"count": 1}).add("first")
    others, counts = opened().session("c", user="ada"), []
    crowded = Crowded(backend, 3, lambda: others.add("second"))

    def decide(tail):
        counts.append(tail.info.metadata["count"])
        return Addition([Item(content=str(n)) for n in range(20)], {"count": counts[-1] + 1})

    chat = opened(crowded).session("c", user="ada")
    add_if(chat, (), decide)
    assert counts == [1, 1]
    assert chat.info().metadata == {"count": 2}
    assert [item.text for item in chat.items()][:2] == ["first", "second"]
    assert len(chat.items()) == 22


def test_two_that_take_it_back_at_once_do_it_once(opened, backend, session):
    before = held(opened())
    log = SessionLog(opened(Flaky(backend, 12, for_good=True)).session("c", user="ada"))
    snapshot = log.read()
    with pytest.raises(BackendError):
        change_all(log, snapshot)
    others = opened().session("c", user="ada")
    for number in range(1, 4):
        crowded = Crowded(backend, number, lambda: SessionLog(others).read())
        SessionLog(opened(crowded).session("c", user="ada")).read()
    assert held(opened()) == before


@pytest.mark.parametrize(
    "text", ["no JSON", '{"remove": 1}', '{"remove": [], "show": [], "hide": 1}']
)
def test_a_note_that_cannot_be_read_stops_nobody(opened, session, text):
    before = held(opened())
    log = SessionLog(session)
    log.commit(log.read(), Change(records=[Record(rollback.UNDO, "x", text, log.now())]))
    assert held(opened()) == before


def test_a_note_with_a_wrong_branch_hides_the_item(opened, session):
    log = SessionLog(session)
    text = '{"remove": ["unknown"], "show": [], "hide": {"s0": 5}}'
    log.commit(log.read(), Change(records=[Record(rollback.UNDO, "x", text, log.now())]))
    assert held(opened())[0][0] == ("s0", True, {})


def test_doctor_finds_what_a_crash_left_and_takes_it_back(opened, backend, session, monkeypatch):
    before = held(opened())
    calls = 12  # in the middle of the change, and nothing can be taken back any more
    log = SessionLog(opened(Flaky(backend, calls, for_good=True)).session("c", user="ada"))
    with pytest.raises(BackendError):
        change_all(log, log.read())
    memory = opened()
    engine = memory._engine
    assert engine.read(Query(log.stream, rollback.UNDO))[0].records
    assert not [f for f in store_findings(engine) if f.problem == "part of a change"]

    monkeypatch.setattr(problem, "GRACE", -1.0)  # whoever wrote it is gone
    (finding,) = (f for f in store_findings(engine) if f.problem == "part of a change")
    assert finding.fix is not None
    assert finding.fix()
    assert not engine.read(Query(log.stream, rollback.UNDO))[0].records
    assert held(memory) == before
