"""`info`, `update`, `replace`, `rewind`, `clear`, `delete`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.engine.doubles import START, Meddling
from threadkeep import Item
from threadkeep.errors import BackendError, CorruptRecord, InputError, NotFound
from threadkeep.types import Record


def at(seconds):
    return datetime.fromtimestamp(START + seconds, UTC)


def named(count, first=0):
    return [{"role": "user", "content": f"{n}", "id": f"m{n}"} for n in range(first, first + count)]


def texts(chat):
    return [item.content for item in chat.items()]


class TestInfo:
    def test_says_what_is_known(self, memory, clock):
        chat = memory.session("chat", user="ada", agent="planner", metadata={"model": "gpt-5"})
        assert chat.info() is None
        chat.add("x")
        clock.tick(90)
        chat.add("y")
        info = chat.info()
        assert (info.id, info.user, info.agent, info.title) == ("chat", "ada", "planner", None)
        assert info.metadata == {"model": "gpt-5"}
        assert (info.created_at, info.updated_at) == (at(0), at(90))
        assert info.forked_from is None

    def test_metadata_of_a_handle_counts_only_when_the_session_begins(self, memory):
        memory.session("chat", user="ada", metadata={"a": 1}).add("x")
        later = memory.session("chat", user="ada", agent="other", metadata={"a": 2, "b": 3})
        later.add("y")
        assert later.info().metadata == {"a": 1}
        assert later.info().agent is None

    def test_a_session_record_that_cannot_be_read_opens_to_nobody(self, memory, backend, chat):
        chat.add("secret")
        put = [Record("session", "session", "{", START)]
        backend.commit("default/session/chat", put=put, now=START)
        for door in (chat, memory.session("chat"), memory.session("chat", user="bob")):
            with pytest.raises(CorruptRecord, match="'chat'"):
                door.items()
            with pytest.raises(CorruptRecord):
                door.add("x")
        assert memory.sessions() == []
        assert memory.sessions(user="ada") == []


class TestUpdate:
    def test_sets_the_title_and_merges_metadata_key_by_key(self, chat, clock):
        chat.add("x")
        clock.tick(5)
        chat.update(title="Rome", metadata={"a": 1, "b": {"c": 2}})
        info = chat.update(metadata={"a": None, "b": {"d": 3}, "e": 4})
        assert info == chat.info()
        assert (info.title, info.metadata) == ("Rome", {"b": {"d": 3}, "e": 4})
        assert (info.created_at, info.updated_at) == (at(0), at(5))

    def test_none_removes_the_title_and_leaving_it_out_does_not(self, chat):
        chat.update(title="Rome")
        assert chat.update(metadata={"a": 1}).title == "Rome"
        assert chat.update(title=None).title is None

    def test_begins_a_session_without_items(self, memory, chat):
        chat.update(title="empty")
        assert chat.items() == []
        assert [info.title for info in memory.sessions(user="ada")] == ["empty"]

    def test_keeps_the_items_and_files(self, chat):
        chat.add("x")
        chat.files.add({"url": "u"})
        chat.update(title="t")
        assert texts(chat) == ["x"]
        assert [file.id for file in chat.files.list()] == ["u"]

    @pytest.mark.parametrize(
        ("bad", "name"),
        [
            ({"title": 5}, "title"),
            ({"metadata": "x"}, "metadata"),
            ({"metadata": {"a": object()}}, r"metadata\.a"),
            ({"metadata": {5: 1}}, "metadata"),
        ],
    )
    def test_bad_input_changes_nothing(self, chat, bad, name):
        before = chat.update(title="t", metadata={"a": 1})
        with pytest.raises(InputError, match=name):
            chat.update(**bad)
        assert chat.info() == before

    def test_two_updates_that_meet_are_both_kept(self, opened, chat):
        memory = opened(Meddling)
        meddler = memory._engine.backend
        mine = memory.session("chat", user="ada")
        mine.add("x")
        meddler.before_commit = [lambda: chat.update(metadata={"theirs": 1})]
        mine.update(metadata={"mine": 1})
        assert chat.info().metadata == {"mine": 1, "theirs": 1}


@pytest.mark.proves("C12")
class TestReplace:
    def test_keeps_place_and_date(self, chat, clock):
        old = chat.add(*named(3))
        clock.tick(50)
        new = chat.replace("m1", {"role": "assistant", "content": "one!"})
        assert (new.id, new.seq, new.created_at) == ("m1", old[1].seq, old[1].created_at)
        assert (new.role, new.content) == ("assistant", "one!")
        assert chat.items() == [old[0], new, old[2]]

    def test_takes_a_new_date_if_one_is_given(self, chat):
        chat.add(*named(1))
        assert chat.replace("m0", {"role": "user", "content": "x", "created_at": START + 9})
        assert chat.items()[0].created_at == at(9)

    def test_leaves_no_payload_of_the_old_content(self, chat):
        chat.add(Item(id="m0", content="x", raw={"format": "own/1", "data": {"text": "x"}}))
        chat.replace("m0", "y")
        assert chat.items()[0].raw is None

    @pytest.mark.parametrize("id", ["m9", "=m0", "__fake_id__"])
    def test_an_item_that_is_not_there(self, chat, id):
        chat.add(*named(2))
        with pytest.raises(NotFound, match=id):
            chat.replace(id, "x")
        assert texts(chat) == ["0", "1"]

    def test_in_a_session_that_is_not_there(self, memory, chat):
        with pytest.raises(NotFound):
            chat.replace("m0", "x")
        assert memory.sessions() == []

    @pytest.mark.parametrize("bad", [5, {"role": "user"}, None, ["x"]])
    def test_bad_input_changes_nothing(self, chat, bad):
        chat.add(*named(1))
        with pytest.raises(InputError, match="item"):
            chat.replace("m0", bad)
        assert texts(chat) == ["0"]

    def test_an_item_taken_back_meanwhile_is_not_brought_back(self, opened, chat):
        memory = opened(Meddling)
        mine = memory.session("chat", user="ada")
        mine.add(*named(2))
        memory._engine.backend.before_commit = [lambda: chat.rewind(before="m1")]
        with pytest.raises(NotFound):
            mine.replace("m1", "x")
        assert texts(chat) == ["0"]


@pytest.mark.proves("C12")
class TestRewind:
    def test_takes_back_an_item_and_everything_after_it(self, chat):
        added = chat.add(*named(5))
        assert chat.rewind(before="m3") == added[3:]
        assert texts(chat) == ["0", "1", "2"]
        assert chat.rewind(before=added[1].seq) == added[1:3]
        chat.add("new")
        assert texts(chat) == ["0", "new"]

    def test_takes_back_the_newest(self, chat):
        added = chat.add(*named(5))
        assert chat.rewind(last=2) == added[3:]
        assert chat.rewind(last=0) == []
        assert chat.rewind(last=9) == added[:3]
        assert chat.rewind(last=1) == []

    def test_gives_each_of_the_newest_to_one_caller_only(self, opened, chat):
        memory = opened(Meddling)
        mine = memory.session("chat", user="ada")
        chat.add(*named(5))
        taken = []
        memory._engine.backend.before_commit = [lambda: taken.extend(chat.rewind(last=1))]
        taken += mine.rewind(last=1)
        assert [item.id for item in taken] == ["m4", "m3"]

    def test_wants_one_end_to_begin_at(self, chat):
        for wrong in ({}, {"before": "m0", "last": 1}, {"last": -1}):
            with pytest.raises(InputError):
                chat.rewind(**wrong)

    def test_what_was_taken_back_may_come_again_at_the_end(self, chat):
        chat.add(*named(4))
        taken = chat.rewind(before="m2")
        chat.add("between", *taken)
        assert texts(chat) == ["0", "1", "between", "2", "3"]

    def test_of_thousands(self, chat):
        added = chat.add(*named(2_500))
        assert chat.rewind(before="m7") == added[7:]
        assert texts(chat) == [f"{n}" for n in range(7)]

    def test_to_the_beginning_keeps_the_session(self, chat):
        chat.add(*named(2))
        chat.update(title="t")
        chat.rewind(before="m0")
        assert chat.items() == []
        assert chat.info().title == "t"

    def test_keeps_the_files(self, chat):
        chat.add(*named(2))
        chat.files.add({"url": "u"})
        chat.rewind(before="m0")
        assert len(chat.files.list()) == 1

    @pytest.mark.parametrize("bad", ["m9", ""])
    def test_an_unknown_item(self, chat, bad):
        chat.add(*named(2))
        with pytest.raises(NotFound):
            chat.rewind(before=bad)
        assert texts(chat) == ["0", "1"]

    @pytest.mark.parametrize("bad", [None, 1.5, True])
    def test_no_place_at_all(self, chat, bad):
        chat.add(*named(2))
        with pytest.raises(InputError, match="before"):
            chat.rewind(before=bad)
        assert texts(chat) == ["0", "1"]

    def test_says_exactly_what_it_took_if_others_write_meanwhile(self, opened, chat):
        memory = opened(Meddling)
        mine = memory.session("chat", user="ada")
        mine.add(*named(3))
        memory._engine.backend.before_commit = [lambda: chat.add(*named(1, first=3))]
        assert [item.id for item in mine.rewind(before="m1")] == ["m1", "m2", "m3"]
        assert texts(chat) == ["0"]


class TestClear:
    @pytest.mark.parametrize(("keep", "left"), [(0, ""), (1, "4"), (3, "234"), (5, "01234")])
    def test_keeps_the_newest(self, chat, keep, left):
        chat.add(*named(5))
        chat.clear(keep_last=keep)
        assert "".join(texts(chat)) == left
        chat.clear(keep_last=99)
        assert "".join(texts(chat)) == left

    def test_keeps_title_metadata_and_files_unless_told(self, chat):
        chat.add("x")
        chat.update(title="t", metadata={"a": 1})
        chat.files.add({"url": "u"})
        chat.clear()
        assert (chat.info().title, chat.info().metadata) == ("t", {"a": 1})
        assert len(chat.files.list()) == 1
        chat.clear(files=True)
        assert chat.files.list() == []
        assert chat.info().title == "t"

    def test_of_thousands(self, chat):
        chat.add(*named(2_500))
        chat.clear(keep_last=1_200)
        assert texts(chat) == [f"{n}" for n in range(1_300, 2_500)]

    def test_seqs_are_not_used_again(self, chat):
        (old,) = chat.add("x")
        chat.clear()
        assert chat.add("y")[0].seq > old.seq

    def test_of_nothing_begins_nothing(self, chat):
        chat.clear(files=True)
        assert chat.info() is None

    @pytest.mark.parametrize("bad", [-1, 1.0, "1", True])
    def test_impossible_numbers_change_nothing(self, chat, bad):
        chat.add("x")
        with pytest.raises(InputError, match="keep_last"):
            chat.clear(keep_last=bad)
        assert texts(chat) == ["x"]


class TestRemove:
    def test_takes_single_items_and_no_others(self, chat):
        chat.add(*named(5))
        chat.remove("m1", "m3", "m77")
        assert texts(chat) == ["0", "2", "4"]
        chat.remove("m1")
        chat.remove()
        assert texts(chat) == ["0", "2", "4"]

    def test_of_thousands(self, chat):
        chat.add(*named(2_500))
        chat.remove(*(f"m{n}" for n in range(2_499)))
        assert texts(chat) == ["2499"]

    def test_from_nothing_begins_nothing(self, memory, chat):
        chat.remove("m1")
        assert memory.sessions() == []

    @pytest.mark.parametrize("bad", ["", 5, None])
    def test_bad_ids_change_nothing(self, chat, bad):
        chat.add(*named(2))
        with pytest.raises(InputError, match="id"):
            chat.remove("m0", bad)
        assert texts(chat) == ["0", "1"]


class TestDelete:
    def test_takes_everything_and_the_list_forgets_it(self, memory, chat):
        chat.add("x")
        chat.update(title="t")
        chat.files.add({"url": "u"})
        chat.delete()
        assert chat.info() is None
        assert chat.items() == []
        assert chat.files.list() == []
        assert memory.sessions() == []
        assert memory.sessions(user="ada") == []

    def test_again_is_no_error(self, chat):
        chat.delete()
        chat.add("x")
        chat.delete()
        chat.delete()
        assert chat.info() is None

    def test_leaves_nothing_in_the_store(self, chat, backend):
        chat.add("x")
        chat.delete()
        assert backend.streams("default/session/") == ([], None)

    def test_a_new_life_has_nothing_of_the_old(self, memory, chat, clock):
        chat.add(*named(3))
        chat.update(title="old", metadata={"a": 1})
        chat.files.add({"url": "u"})
        chat.delete()
        clock.tick(10)
        chat.add("new")
        assert texts(chat) == ["new"]
        assert chat.files.list() == []
        info = chat.info()
        assert (info.title, info.metadata, info.created_at) == (None, {}, at(10))
        assert [info.id for info in memory.sessions(user="ada")] == ["chat"]

    def test_others_stay(self, memory, chat):
        chat.add("x")
        memory.session("chat2", user="ada").add("y")
        chat.delete()
        assert [info.id for info in memory.sessions(user="ada")] == ["chat2"]

    def test_by_the_operator_takes_it_off_its_users_list(self, memory, chat):
        chat.add("x")
        memory.session("chat").delete()
        assert memory.sessions(user="ada") == []


def test_writers_that_never_stop_end_in_an_error_and_not_in_a_loop(opened, chat):
    memory = opened(Meddling)
    mine = memory.session("chat", user="ada")
    mine.add("x")
    memory._engine.backend.before_commit = [lambda: chat.add("y")] * 1_000
    with pytest.raises(BackendError, match="try again"):
        mine.update(title="t")


class TestRewrite:
    def test_puts_messages_in_the_place_of_all(self, chat):
        chat.add(*named(3))
        chat.update(title="t")
        chat.files.add({"url": "u"})
        added = chat.set_items("a", {"role": "assistant", "content": "b", "id": "m1"})
        assert chat.items() == added
        assert texts(chat) == ["a", "b"]
        assert chat.info().title == "t"
        assert len(chat.files.list()) == 1
        assert chat.set_items() == []
        assert chat.items() == []

    def test_begins_a_session_only_with_a_message(self, chat):
        assert chat.set_items() == []
        assert chat.info() is None
        chat.set_items("a")
        assert texts(chat) == ["a"]

    def test_of_thousands(self, chat):
        chat.add(*named(1_200))
        chat.set_items(*named(2_500, first=5_000))
        assert texts(chat) == [str(n) for n in range(5_000, 7_500)]

    def test_bad_input_changes_nothing(self, chat):
        chat.add(*named(2))
        with pytest.raises(InputError, match="message 1"):
            chat.set_items("a", {"role": "user", "content": {"x": object()}})
        assert texts(chat) == ["0", "1"]

    def test_what_came_meanwhile_goes_too(self, opened, chat):
        memory = opened(Meddling)
        mine = memory.session("chat", user="ada")
        chat.add(*named(2))
        memory._engine.backend.before_commit = [lambda: chat.add("meanwhile")]
        mine.set_items("a")
        assert texts(chat) == ["a"]


def test_metadata_may_be_merged_by_a_callable_that_sees_what_there_is(opened, chat):
    memory = opened(Meddling)
    mine = memory.session("chat", user="ada")
    chat.update(metadata={"n": 1})
    memory._engine.backend.before_commit = [lambda: chat.update(metadata={"n": 5})]
    info = mine.update(metadata=lambda known: {"n": known["n"] + 1})
    assert info.metadata == {"n": 6}
