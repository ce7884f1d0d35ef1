"""Who may see what: a test for every door into another user's session."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engine.doubles import Counting, Meddling, Wrapper
from threadkeep import Session
from threadkeep.api.files import Files
from threadkeep.errors import Conflict, NotOwner

OWNER = "ada-lovelace"


@pytest.fixture
def owned(memory):
    """A session of its owner, with something of every kind in it."""
    chat = memory.session("chat", user=OWNER)
    chat.add(*({"role": "user", "content": f"{n}", "id": f"m{n}"} for n in range(3)))
    chat.update(title="Rome", metadata={"a": 1})
    chat.files.add({"url": "u"})
    return chat


def everything(memory, user=OWNER):
    chat = memory.session("chat", user=user)
    return chat.items(), chat.files.list(), chat.info(), memory.sessions()


def texts(chat):
    return [item.content for item in chat.items()]


DOORS = {
    "add": lambda chat: chat.add("x"),
    "add an id that is there": lambda chat: chat.add({"role": "user", "content": "x", "id": "m0"}),
    "window": lambda chat: chat.window(),
    "window with limits": lambda chat: chat.window(max_tokens=100, max_turns=1),
    "items": lambda chat: chat.items(),
    "items after an id": lambda chat: chat.items(after="m0"),
    "items before an unknown id": lambda chat: chat.items(before="m77"),
    "info": lambda chat: chat.info(),
    "update": lambda chat: chat.update(title="mine"),
    "replace": lambda chat: chat.replace("m0", "x"),
    "replace an unknown id": lambda chat: chat.replace("m77", "x"),
    "rewind": lambda chat: chat.rewind(before="m0"),
    "set_items": lambda chat: chat.set_items("x"),
    "rewind to an unknown id": lambda chat: chat.rewind(before="m77"),
    "branch": lambda chat: chat.branch("retry"),
    "branch at": lambda chat: chat.branch("retry", at="m0"),
    "branches": lambda chat: chat.branches(),
    "pending_approvals": lambda chat: chat.pending_approvals(),
    "window branch": lambda chat: chat.window(branch="main"),
    "fork": lambda chat: chat.fork("copy"),
    "fork up to": lambda chat: chat.fork("copy", upto="m0"),
    "clear": lambda chat: chat.clear(files=True),
    "delete": lambda chat: chat.delete(),
    "remove": lambda chat: chat.remove("m0"),
    "hide": lambda chat: chat.hide("m0"),
    "unhide": lambda chat: chat.unhide("m0"),
    "forget": lambda chat: chat.forget("m0"),
    "explain": lambda chat: chat.explain("m0"),
    "forget an unknown id": lambda chat: chat.forget("m77"),
    "summary": lambda chat: chat.summary(),
    "context": lambda chat: chat.context(),
    "context for a query": lambda chat: chat.context("Rome", files=True),
    "files.add": lambda chat: chat.files.add({"url": "v"}),
    "files.add one that is there": lambda chat: chat.files.add({"url": "u", "name": "n"}),
    "files.list": lambda chat: chat.files.list(),
    "files.remove": lambda chat: chat.files.remove("u"),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_another_users_door_opens_nothing_and_changes_nothing(memory, owned, door):
    before = everything(memory)
    for handle in (memory.session("chat", user="bob"), memory.user("bob").session("chat")):
        for _ in range(2):
            with pytest.raises(NotOwner) as caught:
                door(handle)
            assert OWNER not in str(caught.value)
            assert "chat" in str(caught.value)
            assert caught.value.__cause__ is None
    assert everything(memory) == before
    assert memory.sessions(user="bob") == []


def test_there_is_a_door_for_every_verb():
    verbs = {name for name in vars(Session) if name[0] != "_" and f"a{name}" in vars(Session)}
    verbs |= {f"files.{name}" for name in vars(Files) if f"a{name}" in vars(Files)}
    assert verbs <= {door.partition(" ")[0] for door in DOORS}


@pytest.mark.parametrize("name", ["Ada-Lovelace", "ada-lovelace ", " ada-lovelace", "ada", "%"])
def test_names_that_look_alike_are_other_users(memory, owned, name):
    with pytest.raises(NotOwner):
        memory.session("chat", user=name).items()
    assert memory.sessions(user=name) == []


def test_the_operator_may_open_any(memory, owned):
    operator = memory.session("chat")
    assert texts(operator) == ["0", "1", "2"]
    operator.add("from the operator")
    assert operator.info().user == OWNER
    assert texts(owned)[-1] == "from the operator"


def test_the_operators_write_moves_it_up_its_owners_list(memory, owned, clock):
    memory.session("other", user=OWNER).add("x")
    clock.tick(61)
    memory.session("chat").add("y")
    assert [info.id for info in memory.sessions(user=OWNER)] == ["chat", "other"]


CLAIMS = {
    "add": lambda chat: chat.add("x"),
    "update": lambda chat: chat.update(title="mine"),
    "replace": lambda chat: chat.replace("m0", "x"),
    "rewind": lambda chat: chat.rewind(before="m0"),
    "set_items": lambda chat: chat.set_items("x"),
    "clear": lambda chat: chat.clear(),
    "remove": lambda chat: chat.remove("m0"),
    "hide": lambda chat: chat.hide("m0"),
    "files.add": lambda chat: chat.files.add({"url": "v"}),
}


@pytest.mark.parametrize("write", CLAIMS.values(), ids=CLAIMS)
def test_the_first_write_of_a_user_claims_an_unowned_session(memory, write):
    memory.session("chat", metadata={"a": 1}).add({"role": "user", "content": "0", "id": "m0"})
    write(memory.session("chat", user=OWNER))
    info = memory.session("chat").info()
    assert (info.user, info.metadata) == (OWNER, {"a": 1})
    assert [info.id for info in memory.sessions(user=OWNER)] == ["chat"]
    with pytest.raises(NotOwner):
        memory.session("chat", user="bob").items()


def test_reading_claims_nothing(memory):
    memory.session("chat").add("x")
    for user in (OWNER, "bob"):
        assert texts(memory.session("chat", user=user)) == ["x"]
    assert memory.session("chat").info().user is None
    assert memory.sessions(user=OWNER) == []


def test_a_warm_handle_of_the_operator_keeps_the_claim(memory):
    operator = memory.session("chat")
    operator.add("x")
    memory.session("chat", user=OWNER).add("y")
    operator.add("z")
    assert operator.info().user == OWNER
    assert texts(operator) == ["x", "y", "z"]


def test_two_that_claim_at_once_are_not_both_let_in(opened):
    opened().session("chat").add("x")
    memory = opened(Meddling)
    bobs = opened().session("chat", user="bob")
    memory._engine.backend.before_commit = [lambda: bobs.add("bob's")]
    with pytest.raises(NotOwner):
        memory.session("chat", user=OWNER).add("ada's")
    assert texts(bobs) == ["x", "bob's"]


def test_two_that_begin_at_once_are_not_both_let_in(opened):
    memory = opened(Meddling)
    bobs = opened().session("chat", user="bob")
    memory._engine.backend.before_commit = [lambda: bobs.add("bob's")]
    with pytest.raises(NotOwner):
        memory.session("chat", user=OWNER).add("ada's")
    assert texts(bobs) == ["bob's"]
    assert opened().sessions(user=OWNER) == []


# --- a session that ends, and begins again as somebody else's, under a handle that knew it ---


def reclaim(opened, *said):
    """Deletes the session and begins it as bob's."""
    opened().session("chat").delete()
    bobs = opened().session("chat", user="bob")
    bobs.add(*said or ["bob's"])
    bobs.files.add({"url": "bob's"})
    return bobs


WRITES = {
    name: DOORS[name] for name in DOORS if name.partition(" ")[0] not in ("window", "items", "info")
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_a_warm_handle_is_not_let_into_another_users_new_life(opened, memory, owned, door):
    texts(owned)
    bobs = reclaim(opened)
    before = everything(memory, "bob")
    with pytest.raises(NotOwner) as caught:
        door(owned)
    assert "bob" not in str(caught.value)
    assert everything(memory, "bob") == before
    assert texts(bobs) == ["bob's"]
    assert memory.sessions(user=OWNER) == []


@pytest.fixture
def crowded(opened, memory, owned):
    """A warm handle that has met another writer, and the backend that meddles with it."""
    meddling = opened(Meddling)
    chat = meddling.session("chat", user=OWNER)
    chat.add("mine")
    meddling._engine.backend.before_commit = [lambda: owned.add("meanwhile")]
    chat.add("crowded")
    assert texts(owned)[-3:] == ["mine", "meanwhile", "crowded"]
    return chat, meddling._engine.backend


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_a_crowded_handle_is_not_let_into_another_users_new_life(opened, memory, crowded, door):
    reclaim(opened)
    before = everything(memory, "bob")
    with pytest.raises(NotOwner):
        door(crowded[0])
    assert everything(memory, "bob") == before


MEET = {name: DOORS[name] for name in DOORS if name in CLAIMS or name in ("files.remove", "delete")}


@pytest.mark.parametrize("state", ["warm", "crowded"])
@pytest.mark.parametrize("door", MEET.values(), ids=MEET)
def test_nor_if_the_new_life_begins_between_its_read_and_its_write(
    opened, memory, crowded, door, state
):
    chat, meddling = crowded
    if state == "warm":
        chat = opened(lambda _: meddling).session("chat", user=OWNER)
        chat.add("warm")
    meddling.before_commit = [lambda: reclaim(opened)]
    with pytest.raises(NotOwner):
        door(chat)
    assert meddling.before_commit == []
    bobs = memory.session("chat", user="bob")
    assert texts(bobs) == ["bob's"]
    assert [file.id for file in bobs.files.list()] == ["bob's"]
    assert bobs.info().title is None
    assert memory.sessions(user=OWNER) == []
    assert [info.id for info in memory.sessions(user="bob")] == ["chat"]


@pytest.mark.parametrize("door", ["add", "files.add"])
def test_nor_does_it_touch_what_has_the_same_id_there(opened, memory, crowded, door):
    chat, meddling = crowded
    item, file = (
        {"role": "user", "content": "bob's", "id": "same"},
        {"url": "same", "name": "bob's"},
    )
    meddling.before_commit = [lambda: reclaim(opened, item).files.add(file)]
    mine = {**item, "content": "ada's"} if door == "add" else {**file, "name": "ada's"}
    with pytest.raises(NotOwner):
        (chat.add if door == "add" else chat.files.add)(mine)
    bobs = memory.session("chat", user="bob")
    assert texts(bobs) == ["bob's"]
    assert [(file.id, file.name) for file in bobs.files.list()][1:] == [("same", "bob's")]


def test_a_crowded_write_to_a_session_that_was_deleted_meanwhile_begins_it_anew(
    opened, memory, crowded
):
    chat, meddling = crowded
    meddling.before_commit = [lambda: opened().session("chat").delete()]
    chat.add("new")
    assert texts(memory.session("chat", user=OWNER)) == ["new"]
    assert chat.info().title is None
    assert [info.id for info in memory.sessions(user=OWNER)] == ["chat"]
    with pytest.raises(NotOwner):
        memory.session("chat", user="bob").items()


def test_a_crowded_write_to_a_session_that_is_its_users_again(opened, memory, crowded):
    chat, meddling = crowded

    def again():
        opened().session("chat").delete()
        opened().session("chat", user=OWNER).add("again")

    meddling.before_commit = [again]
    chat.add("new")
    assert texts(memory.session("chat", user=OWNER)) == ["again", "new"]
    assert chat.info().user == OWNER


def test_a_crowded_write_to_a_session_that_is_nobodys_now_claims_it(opened, memory, crowded):
    chat, meddling = crowded

    def unowned():
        opened().session("chat").delete()
        opened().session("chat").add("nobody's")

    meddling.before_commit = [unowned]
    chat.add("new")
    assert texts(memory.session("chat", user=OWNER)) == ["nobody's", "new"]
    with pytest.raises(NotOwner):
        memory.session("chat", user="bob").items()


@pytest.mark.parametrize("door", ["add", "files.add"])
def test_a_crowded_write_is_not_in_another_users_life_for_a_moment(opened, memory, crowded, door):
    """Nor may it be taken back again: bob would have read it, or its writer might have died."""
    chat, meddling = crowded
    bobs = opened().session("chat", user="bob")
    refused: list[str] = []

    class Watching(Wrapper):
        def commit(self, stream, **how):
            try:
                return super().commit(stream, **how)
            except Conflict:
                refused.append(stream)
                raise
            finally:
                assert {*texts(bobs), *(file.id for file in bobs.files.list())} <= {"bob's"}

    meddling.before_commit = [lambda: reclaim(opened)]
    chat._engine.backend = Watching(meddling)
    with pytest.raises(NotOwner):
        DOORS[door](chat)
    assert refused, "or this test tests nothing"
    assert texts(bobs) == ["bob's"]
    assert memory.sessions(user=OWNER) == []


def test_a_crowded_handle_knows_what_others_said_of_the_session(opened, owned, crowded):
    """Its write passes theirs by, so what it had read of the session before is out of date."""
    chat, meddling = crowded
    meddling.before_commit = [lambda: owned.update(title="Paris", metadata={"b": 2})]
    chat.add("passing by")
    assert chat.info().title == "Paris"
    chat.update(metadata={"c": 3})
    info = owned.info()
    assert (info.title, info.metadata) == ("Paris", {"a": 1, "b": 2, "c": 3})


def test_a_store_that_knows_versions_only_keeps_every_writers_messages(opened, memory, owned):
    """A backend of the application's own need not know of lives."""

    class Plain(Wrapper):
        def commit(self, stream, *, expect=None, **how):
            return super().commit(stream, expect=None if expect is None else int(expect), **how)

    def write(name):
        mine = opened(Plain).session("chat", user=OWNER)
        for n in range(20):
            mine.add(f"{name} {n}")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, "abcdef"))
    assert sorted(texts(owned)[3:]) == sorted(f"{name} {n}" for name in "abcdef" for n in range(20))


def test_a_handle_that_is_alone_again_looks_no_more_before_it_writes(opened, crowded):
    chat, meddling = crowded
    chat._engine.backend = counting = Counting(meddling)
    chat.add("alone")
    counting.reset()
    chat.add("alone again")
    assert counting.reads == 0


@pytest.mark.parametrize("times", [1, 5, 30])
def test_an_unsteady_session_is_written_to_in_the_end(opened, memory, crowded, times):
    chat, meddling = crowded
    others = opened().session("chat", user=OWNER)
    meddling.before_commit = [lambda: others.add("other")] * times
    chat.update(title="mine")
    chat.add("mine too")
    assert chat.info().title == "mine"
    assert texts(chat)[-1] == "mine too"
