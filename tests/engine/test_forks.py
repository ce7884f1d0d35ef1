"""`Session.fork`: a copy that is there as a whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.engine.doubles import START, Failing, Judge, Meddling
from threadkeep import Query
from threadkeep.errors import BackendError, Conflict, InputError, NotFound, NotOwner
from threadkeep.types import Record

pytestmark = pytest.mark.proves("C12")


def at(seconds):
    return datetime.fromtimestamp(START + seconds, UTC)


def named(count):
    return [{"role": "user", "content": f"{n}", "id": f"m{n}"} for n in range(count)]


def said(chat):
    return [(item.id, item.content, item.created_at) for item in chat.items()]


@pytest.fixture
def grown(memory, clock):
    """A session with items of several dates, a title, metadata and files."""
    chat = memory.session("chat", user="ada", agent="planner", metadata={"a": 1})
    for n in range(5):
        chat.add({"role": "user", "content": f"{n}", "id": f"m{n}"})
        clock.tick(10)
    chat.update(title="Rome")
    chat.files.add({"url": "u", "name": "map", "pages": 3, "expiration_timestamp": START + 900})
    return chat


def test_carries_ids_dates_files_title_and_metadata(grown, clock):
    clock.tick(100)
    copy = grown.fork("copy")
    assert said(copy) == said(grown)
    assert [file.to_dict() for file in copy.files.list()] == [
        file.to_dict() for file in grown.files.list()
    ]
    info = copy.info()
    assert (info.id, info.user, info.agent) == ("copy", "ada", "planner")
    assert (info.title, info.metadata, info.forked_from) == ("Rome", {"a": 1}, "chat")
    assert info.created_at == at(150)


def test_a_file_of_the_copy_still_expires(grown, clock):
    copy = grown.fork("copy")
    clock.now = START + 900
    assert copy.files.list() == []


@pytest.mark.parametrize(("upto", "left"), [("m0", 1), ("m2", 3), ("m4", 5), (None, 5)])
def test_up_to_and_with_an_item(grown, upto, left):
    assert said(grown.fork("copy", upto=upto)) == said(grown)[:left]


def test_up_to_a_seq(grown):
    assert said(grown.fork("copy", upto=grown.items()[1].seq)) == said(grown)[:2]


def test_both_go_on_apart(grown):
    copy = grown.fork("copy")
    copy.replace("m0", "changed")
    copy.add("more")
    grown.rewind(before="m1")
    assert [item.content for item in grown.items()] == ["0"]
    assert [item.content for item in copy.items()] == ["changed", *"1234", "more"]


def test_a_fork_of_a_fork_keeps_the_first_dates(grown, clock):
    clock.tick(1_000)
    once = grown.fork("once")
    clock.tick(1_000)
    assert said(once.fork("twice")) == said(grown)


def test_it_is_on_its_users_list(grown, memory):
    grown.fork("copy")
    assert [info.id for info in memory.sessions(user="ada")] == ["copy", "chat"]


def test_of_a_session_without_items(memory, chat):
    chat.update(title="empty")
    assert chat.fork("copy").info().title == "empty"


@pytest.mark.parametrize("id", ["chat", "there"])
def test_an_existing_target_is_refused_and_not_touched(grown, memory, id):
    memory.session("there", user="ada").add("x")
    before = said(memory.session(id))
    with pytest.raises(Conflict, match=f"{id!r} exists already"):
        grown.fork(id)
    assert said(memory.session(id)) == before


def test_another_users_target_is_refused_and_not_touched(grown, memory):
    memory.session("there", user="bob").add("x")
    with pytest.raises(NotOwner):
        grown.fork("there")
    assert [item.content for item in memory.session("there").items()] == ["x"]


def test_what_is_not_there_cannot_be_forked(memory, chat):
    with pytest.raises(NotFound, match="'chat'"):
        chat.fork("copy")
    chat.add("x")
    with pytest.raises(NotFound, match="'m9'"):
        chat.fork("copy", upto="m9")
    assert [info.id for info in memory.sessions(user="ada")] == ["chat"]


@pytest.mark.parametrize("bad", ["", 5, None])
def test_a_bad_name_is_refused(grown, memory, bad):
    with pytest.raises(InputError, match="session id"):
        grown.fork(bad)
    assert len(memory.sessions(user="ada")) == 1


def test_of_thousands_of_items(opened):
    chat = opened().session("chat", user="ada")
    chat.add(*named(2_500))
    assert said(chat.fork("copy")) == said(chat)
    assert len(chat.fork("part", upto="m1700").items()) == 1_701


@pytest.mark.parametrize(
    "count",
    [
        998,
        1_000,
    ],
)
def test_no_commit_is_beyond_the_limits_of_a_backend(opened, count):
    opened().session("chat", user="ada").add(*named(count))
    copy = opened(Judge).session("chat", user="ada").fork("copy")
    assert len(copy.items()) == count


@pytest.fixture
def torn(opened, clock):
    """A session of 2,500 items, and what is left of a fork of it that was cut short."""
    chat = opened().session("chat", user="ada")
    chat.add(*named(2_500))
    chat.files.add({"url": "u"})
    broken = opened(lambda inner: Failing(inner, "session/copy", 2, BackendError("cut short")))
    with pytest.raises(BackendError, match="cut short"):
        broken.session("chat", user="ada").fork("copy")
    return chat


def test_the_rest_of_a_fork_that_was_cut_short_is_not_seen(torn, opened, backend, clock):
    (page,) = backend.read(Query("default/session/copy", "item"), now=clock.now)
    assert len(page.records) == 2_000, "or this test tests nothing"
    for user in ("ada", "bob", None):
        copy = opened().session("copy", user=user)
        assert copy.info() is None
        assert copy.items() == []
        assert copy.window() == []
        assert copy.files.list() == []
    assert [info.id for info in opened().sessions()] == ["chat"]
    assert [info.id for info in opened().sessions(user="ada")] == ["chat"]


def test_the_rest_of_a_fork_that_was_cut_short_is_replaced_by_the_next(torn):
    assert said(torn.fork("copy", upto="m1")) == said(torn)[:2]


@pytest.mark.parametrize(
    "begin",
    [
        lambda copy: copy.add("new"),
        lambda copy: copy.update(title="new"),
        lambda copy: copy.files.add({"url": "new"}),
    ],
    ids=["add", "update", "files.add"],
)
def test_the_rest_of_a_fork_that_was_cut_short_is_replaced_by_any_write(torn, opened, begin):
    copy = opened().session("copy", user="bob")
    begin(copy)
    assert all(item.content == "new" for item in copy.items())
    assert all(file.id == "new" for file in copy.files.list())
    assert copy.info().user == "bob"


def test_the_rest_of_a_fork_that_was_cut_short_can_be_deleted(torn, opened, backend):
    opened().session("copy").delete()
    assert backend.streams("default/session/")[0] == ["default/session/chat"]


@pytest.mark.parametrize("user", ["ada", "bob"])
def test_who_begins_the_target_meanwhile_keeps_it(opened, user):
    memory = opened(Meddling)
    chat = memory.session("chat", user="ada")
    chat.add(*named(2_500))
    theirs = opened().session("copy", user=user)
    memory._engine.backend.before_commit = [lambda: None, lambda: theirs.add("theirs")]
    with pytest.raises((Conflict, NotOwner)):
        chat.fork("copy")
    assert [item.content for item in theirs.items()] == ["theirs"]


def test_an_item_that_cannot_be_read_is_carried_as_it_is(chat, backend):
    chat.add("one")
    put = [Record("item", "bad", "{", START)]
    backend.commit("default/session/chat", put=put, now=START)
    assert [item.type for item in chat.fork("copy").items()] == ["message", "opaque"]


def test_a_users_fork_of_an_unowned_session_is_theirs(memory):
    memory.session("chat").add("anybody's")
    copy = memory.session("chat", user="ada").fork("copy")
    copy.add("ada's secret")
    with pytest.raises(NotOwner):
        memory.session("copy", user="bob").items()
    assert [info.id for info in memory.sessions(user="ada")] == ["copy"]
