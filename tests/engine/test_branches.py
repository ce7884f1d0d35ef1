"""Named branches: each shows what a copy of its own would, while the session holds all of them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.engine.branching import said, texts
from tests.engine.doubles import Counting
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import Conflict, InputError, NotFound, NotOwner
from threadkeep.types.branches import Branch


@pytest.fixture
def chat():
    with connect("memory://") as memory:
        yield memory.session("chat", user="ada")


@pytest.fixture
def turn(chat):
    """Two questions with their answers."""
    return chat.add("q0", said("a0"), "q1", said("a1"))


def test_a_session_begins_with_main(chat):
    assert chat.branches() == []
    chat.add("q0")
    assert chat.branches() == asyncio.run(chat.abranches()) == [Branch("main", is_shown=True)]
    assert chat.info().branches == ()


def test_a_new_branch_hides_what_follows_and_going_back_shows_it(chat, turn):
    begun = chat.branch("retry", at=turn[2].id)
    assert begun == Branch("retry", "main", turn[2].id, is_shown=True)
    chat.add(said("other"))
    assert texts(chat.items()) == texts(chat.window()) == ["q0", "a0", "q1", "other"]
    assert texts(chat.window(branch="main")) == ["q0", "a0", "q1", "a1"]
    assert asyncio.run(chat.abranch("main")).is_shown
    assert texts(chat.items()) == ["q0", "a0", "q1", "a1"]
    assert texts(chat.window(branch="retry", max_messages=2)) == ["q1", "other"]
    assert [branch.name for branch in chat.branches()] == ["main", "retry"]


def test_a_branch_may_begin_before_all_at_a_seq_at_the_end_or_on_another_branch(chat, turn):
    chat.branch("first", at=0)
    chat.add("q0 edited")
    assert texts(chat.items()) == ["q0 edited"]
    chat.branch("main")
    chat.branch("by seq", at=turn[1].seq)
    assert texts(chat.items()) == ["q0", "a0"]
    chat.branch("main")
    chat.branch("at the end")
    chat.add("q2")
    chat.branch("main")
    chat.branch("elsewhere", at=chat.window(branch="first")[0].id)
    assert texts(chat.items()) == ["q0 edited"]
    assert chat.branches()[-1].parent == "first"


def test_what_cannot_be_is_refused(chat, turn):
    chat.branch("retry", at=turn[0].id)
    with pytest.raises(Conflict, match="has a branch 'retry' already"):
        chat.branch("retry", at=turn[0].id)
    with pytest.raises(NotFound, match="no item 'none'"):
        chat.branch("new", at="none")
    with pytest.raises(NotFound, match="no branch 'new'; it has 'main', 'retry'"):
        chat.window(branch="new")
    with pytest.raises(InputError, match="at must be"):
        chat.branch("new", at=1.5)
    with pytest.raises(InputError):
        chat.branch("")
    assert [branch.name for branch in chat.branches()] == ["main", "retry"]


def test_there_are_no_branches_of_a_session_that_is_not_there_or_anothers(chat):
    with connect("memory://") as memory:
        with pytest.raises(NotFound, match="does not exist"):
            memory.session("none").branch("new")
        memory.session("s", user="ada").add("q")
        for verb in (lambda s: s.branch("new"), lambda s: s.branches()):
            with pytest.raises(NotOwner):
                verb(memory.session("s", user="bob"))


def test_items_that_the_application_hid_stay_hidden_on_every_branch(chat, turn):
    chat.hide(turn[3].id)
    chat.branch("retry", at=turn[0].id)
    chat.branch("main")
    assert texts(chat.items()) == texts(chat.window(branch="main")) == ["q0", "a0", "q1"]


def test_rewind_takes_back_the_shown_branch_alone(chat, turn):
    chat.branch("retry", at=turn[1].id)
    chat.add("q1'", said("a1'"))
    assert texts(chat.rewind(before=turn[1].id)) == ["a0", "q1'", "a1'"]
    assert chat.branches()[1].at == turn[0].id
    assert texts(chat.window(branch="main")) == ["q0", "q1", "a1"]


def test_a_branch_stands_when_the_item_goes_that_it_begins_behind(chat, turn):
    chat.branch("retry", at=turn[2].id)
    chat.add(said("other"))
    chat.remove(turn[2].id)
    assert texts(chat.items()) == ["q0", "a0", "other"]
    assert texts(chat.window(branch="main")) == ["q0", "a0", "a1"]
    chat.branch("main")
    assert texts(chat.items()) == ["q0", "a0", "a1"]


def test_an_edit_of_an_item_of_another_branch_stays_there(chat, turn):
    chat.branch("retry", at=turn[1].id)
    chat.replace(turn[2].id, "q1 edited")
    assert texts(chat.items()) == ["q0", "a0"]
    assert texts(chat.window(branch="main")) == ["q0", "a0", "q1 edited", "a1"]


def test_large_parts_come_back_with_their_branch(chat, turn):
    text = "word " * 50_000
    chat.add({"role": "assistant", "content": text})
    chat.branch("retry", at=turn[0].id)
    chat.remove(turn[1].id)
    assert texts(chat.window(branch="main")) == ["q0", "q1", "a1", text]
    chat.branch("main")
    assert texts(chat.items()) == ["q0", "q1", "a1", text]


def test_clear_and_set_items_end_all_branches(chat, turn):
    chat.branch("retry", at=turn[1].id)
    chat.set_items("new")
    assert chat.branches() == [Branch("main", is_shown=True)]
    chat.branch("again", at=0)
    chat.clear()
    assert chat.branches() == [Branch("main", is_shown=True)]


def test_a_fork_has_the_branches_that_begin_before_its_end(chat, turn):
    chat.branch("early", at=turn[0].id)
    chat.branch("main")
    chat.branch("late", at=turn[3].id)
    copy = chat.fork("copy", upto=turn[1].id)
    assert [(b.name, b.is_shown) for b in copy.branches()] == [("main", True), ("early", False)]
    assert texts(copy.items()) == ["q0", "a0"]
    whole = chat.fork("whole")
    assert [b.name for b in whole.branches()] == ["main", "early", "late"]


def test_only_what_follows_the_fork_is_read_and_long_branches_change_in_steps():
    backend = Counting(MemoryBackend())
    with connect(backend) as memory:
        chat = memory.session("s")
        chat.add(*["old"] * 3_000)
        at = chat.add("here")[0]
        chat.add(*["run"] * 1_200)
        backend.reset()
        chat.branch("short", at=at.id)
        assert backend.records < 3 * 1_300
        assert texts(chat.items(last=2)) == ["old", "here"]
        chat.add("short run")
        chat.branch("main")
        assert texts(chat.items(last=1_200)) == ["run"] * 1_200
        assert texts(chat.window(branch="short", max_messages=2)) == ["here", "short run"]


class Branches(RuleBasedStateMachine):
    """Beside the simplest thing that branches could be: a list of texts for each."""

    def __init__(self):
        super().__init__()
        self.memory = connect("memory://")
        self.chat = self.memory.session("s")
        self.lists: dict[str, list[str]] = {"main": []}
        self.shown = "main"
        self.ids: dict[str, str] = {}
        self.hidden: set[str] = set()
        self.count = self.begun = 0
        self.speak()

    def teardown(self):
        self.memory.close()

    @property
    def current(self):
        return self.lists[self.shown]

    @rule()
    def speak(self):
        text = f"m{self.count}"
        self.count += 1
        self.ids[text] = self.chat.add(text)[0].id
        self.current.append(text)

    @precondition(lambda self: len(self.lists) < 6)
    @rule(data=st.data())
    def begin(self, data):
        self.begun += 1
        name = f"b{self.begun}"
        path = data.draw(st.sampled_from([p for p in self.lists.values() if p] or [[]]))
        if not path:
            return
        end = data.draw(st.integers(1, len(path)))
        self.chat.branch(name, at=self.ids[path[end - 1]])
        self.lists[name] = path[:end]
        self.shown = name

    @rule(data=st.data())
    def show(self, data):
        self.shown = data.draw(st.sampled_from(sorted(self.lists)))
        self.chat.branch(self.shown)

    @precondition(lambda self: self.current)
    @rule(data=st.data())
    def remove(self, data):
        text = data.draw(st.sampled_from(self.current))
        self.chat.remove(self.ids[text])
        self.drop({text})

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), verb=st.sampled_from(["hide", "unhide"]))
    def hide(self, data, verb):
        text = data.draw(st.sampled_from(sorted(self.ids)))
        getattr(self.chat, verb)(self.ids[text])
        self.hidden = self.hidden | {text} if verb == "hide" else self.hidden - {text}

    @rule(last=st.integers(0, 3))
    def rewind(self, last):
        first = self.seen(self.current)[-last:][:1] if last else []
        assert texts(self.chat.rewind(last=last)) == self.seen(self.current)[-last or 99 :]
        self.drop(set(self.current[self.current.index(first[0]) :] if first else []))

    @rule(keep_last=st.integers(0, 3))
    def clear(self, keep_last):
        """An item goes with all that were added before it, of whichever branch."""
        self.chat.clear(keep_last=keep_last)
        gone = self.seen(self.current)[: -keep_last or 99][-1:]
        if gone:
            self.drop({text for text in self.ids if int(text[1:]) <= int(gone[0][1:])})
        if not keep_last or not any(self.lists.values()):
            self.lists, self.shown = {"main": []}, "main"
        kept = {name for name, path in self.lists.items() if path} | {"main", self.shown}
        self.lists = {name: path for name, path in self.lists.items() if name in kept}
        assert {branch.name for branch in self.chat.branches()} == kept
        starts = {branch.at for branch in self.chat.branches()} - {None}
        assert starts <= {item.id for item in self.chat.items(hidden=True)}

    def drop(self, gone):
        self.lists = {name: [t for t in p if t not in gone] for name, p in self.lists.items()}

    def seen(self, path):
        return [text for text in path if text not in self.hidden]

    @precondition(lambda self: self.current)
    @rule()
    def copy(self):
        self.chat = self.chat.fork(f"s{self.count}")
        self.count += 1

    @invariant()
    def each_branch_shows_its_own(self):
        assert texts(self.chat.items()) == self.seen(self.current)
        for name, path in self.lists.items():
            assert texts(self.chat.window(branch=name)) == self.seen(path)
        shown = [branch.name for branch in self.chat.branches() if branch.is_shown]
        assert shown == [self.shown]


FEW = settings(max_examples=40, stateful_step_count=20)
MANY = settings(max_examples=1_500, stateful_step_count=60)


def test_each_branch_shows_what_a_list_of_its_own_would_hold():
    run_state_machine_as_test(Branches, settings=FEW)


@pytest.mark.soak
def test_each_branch_shows_what_a_list_of_its_own_would_hold_in_many_stories():
    run_state_machine_as_test(Branches, settings=MANY)


@given(st.lists(st.booleans(), min_size=1, max_size=4))
@settings(max_examples=4)
def test_a_switch_that_is_cut_short_is_finished_by_the_same_call(cuts):
    backend = Failing(MemoryBackend())
    with connect(backend) as memory:
        chat = memory.session("s")
        at = chat.add("here")[0]
        chat.add(*["run"] * 600)
        for number, is_cut in enumerate(cuts):
            name = "other" if number % 2 == 0 else "main"
            start = at.id if number == 0 else None
            if is_cut:
                backend.left = 1
                with pytest.raises(RuntimeError, match="power"):
                    chat.branch(name, at=start)
                backend.left = None
                if name in [branch.name for branch in chat.branches()]:
                    start = None
            chat.branch(name, at=start)
            assert texts(chat.items()) == ["here"] + ["run"] * (600 if name == "main" else 0)


class Failing(Counting):
    """Fails after a number of commits."""

    left: int | None = None

    def commit(self, stream, **how):
        if self.left is not None:
            if not self.left:
                raise RuntimeError("power cut")
            self.left -= 1
        return super().commit(stream, **how)
