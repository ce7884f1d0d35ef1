"""What changes after it was read: nothing is given out that is not there any more."""

from __future__ import annotations

import pytest

from tests.engine.doubles import Wrapper
from tests.longterm.recall.conftest import said, texts
from threadkeep.errors import BackendError, NotOwner

DAY = 86_400


@pytest.fixture
def chat(ada):
    session = ada.session("s")
    session.add(*(said(f"kite number {n}") for n in range(5)))
    assert len(ada.recall("kite")) == 5
    return session


def test_what_is_added_is_found_at_once(ada, chat, clock):
    for n in range(5, 8):
        chat.add(said(f"kite number {n}"))
        assert f"kite number {n}" in texts(ada.recall("kite"))
        clock.tick(45)


def test_a_session_written_to_again_after_long_is_read_on(ada, chat, clock):
    clock.tick(DAY)
    assert len(ada.recall("kite")) == 5
    chat.add(said("one more kite"))
    assert len(ada.recall("kite")) == 6


def test_what_other_memories_write_is_found(opened, ada, chat, clock):
    other = opened(clock=clock).user("ada").session("s")
    clock.tick(30)
    other.add(said("a kite from elsewhere"))
    assert "a kite from elsewhere" in texts(ada.recall("kite"))


def test_a_deleted_item_is_not_given_out(ada, chat):
    chat.remove(chat.items()[2].id)
    assert sorted(texts(ada.recall("kite"))) == [f"kite number {n}" for n in (0, 1, 3, 4)]


def test_an_edited_item_is_found_by_its_new_words_only(ada, chat, clock):
    clock.tick(1)
    chat.replace(chat.items()[2].id, said("a green bicycle"))
    assert texts(ada.recall("bicycle", 1)) == ["a green bicycle"]
    assert ada.recall("kite number 2")[0].text != "kite number 2"
    kites = [text for text in texts(ada.recall("kite")) if "kite" in text]
    assert sorted(kites) == [f"kite number {n}" for n in (0, 1, 3, 4)]


def test_an_edit_is_noticed_among_additions(ada, chat, clock):
    clock.tick(1)
    chat.replace(chat.items()[0].id, said("a green bicycle"))
    clock.tick(1)
    chat.add(said("good night"))
    assert texts(ada.recall("bicycle", 1)) == ["a green bicycle"]


def test_what_was_taken_back_is_not_given_out(ada, chat, clock):
    clock.tick(DAY)
    ada.recall("kite")
    chat.rewind(last=3)
    assert sorted(texts(ada.recall("kite"))) == ["kite number 0", "kite number 1"]


def test_what_was_cleared_is_not_given_out(ada, chat):
    chat.clear(keep_last=1)
    assert texts(ada.recall("kite")) == ["kite number 4"]
    chat.clear()
    assert ada.recall("kite") == []


def test_what_took_the_place_of_everything_is_found(ada, chat, clock):
    clock.tick(1)
    chat.set_items(said("a red kite"))
    assert texts(ada.recall("kite")) == ["a red kite"]


def test_a_deleted_session_is_not_given_out(ada, chat, clock):
    clock.tick(DAY)
    ada.recall("kite")
    chat.delete()
    assert ada.recall("kite") == []


def test_a_session_that_began_anew_is_read_anew(ada, chat):
    chat.delete()
    chat.add(said("a yellow kite"))
    assert texts(ada.recall("kite")) == ["a yellow kite"]


def test_a_session_that_expired_is_not_given_out(opened, clock):
    memory = opened(clock=clock, ttl=100)
    ada = memory.user("ada")
    ada.session("old").add(said("an old kite"))
    clock.tick(60)
    ada.session("new").add(said("a new kite"))
    assert len(ada.recall("kite")) == 2
    clock.tick(60)
    assert texts(ada.recall("kite")) == ["a new kite"]


def test_what_a_fork_repeats_is_given_out_once(ada, chat, clock):
    clock.tick(1)
    copy = chat.fork("t")
    copy.add(said("a kite of the fork"))
    found = ada.recall("kite")
    assert sorted(texts(found)) == sorted(
        [*(f"kite number {n}" for n in range(5)), "a kite of the fork"]
    )


def test_another_users_sessions_are_never_found(memory, ada, chat):
    ben = memory.user("ben")
    ben.session("b").add(said("the kite of Ben"))
    assert texts(ben.recall("kite")) == ["the kite of Ben"]
    assert "the kite of Ben" not in texts(ada.recall("kite"))
    with pytest.raises(NotOwner):
        ben.session("s").items()
    assert ben.recall("kite", session="s") == []


def test_a_session_that_another_user_took_over_is_not_given_out(memory, ada, chat):
    chat.delete()
    memory.user("ben").session("s").add(said("the kite of Ben"))
    assert ada.recall("kite") == []


def test_a_session_nobody_owns_is_not_found_until_it_is_claimed(memory, ada):
    memory.session("loose").add(said("a loose kite"))
    assert ada.recall("kite") == []
    ada.session("loose").add(said("mine now"))
    assert texts(ada.recall("kite"))[0] == "a loose kite"


def test_namespaces_stay_apart(opened, ada, chat, clock):
    other = opened(clock=clock, namespace="other").user("ada")
    assert other.recall("kite") == []


def test_many_sessions_and_long_ones_are_read_whole(ada):
    for n in range(120):
        ada.session(f"short {n}").add(said(f"word{n} is here"))
    ada.session("long").add(*(said(f"entry{n} of the list") for n in range(450)))
    for word in ("word0", "word60", "word119", "entry0", "entry199", "entry200", "entry449"):
        assert word in texts(ada.recall(word, 1))[0]


def test_a_build_that_was_cut_short_is_made_anew(opened, clock):
    class Tired(Wrapper):
        reads = 0

        def read(self, *queries, now):
            self.reads += 1
            if self.reads == 3:
                raise BackendError("the store is tired")
            return super().read(*queries, now=now)

    ada = opened(clock=clock).user("ada")
    for n in range(120):
        ada.session(f"s{n}").add(said(f"kite{n}"))
    later = opened(wrap=Tired, clock=clock).user("ada")
    with pytest.raises(BackendError, match="tired"):
        later.recall("kite0")
    assert texts(later.recall("kite0")) == ["kite0"]
    assert texts(later.recall("kite119")) == ["kite119"]
