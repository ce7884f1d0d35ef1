"""The summary of a session: whose it is, how long it lives, and what makes it go."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.doubles import Counting
from threadkeep import Record, connect
from threadkeep.cli.redact_entries import Redaction, _summary
from threadkeep.core import body, copy_streams
from threadkeep.core.settings import SUMMARY_TTL
from threadkeep.errors import NotOwner
from threadkeep.longterm import summaries
from threadkeep.longterm.stored_summary import SummarySpan
from threadkeep.sessions.derived import stream
from threadkeep.types.knowledge import Summary
from threadkeep.types.versions import generation_of

HOUR = 3_600


def sum_up(chat, text="They talked.", upto=None, span=None, **fields):
    """Store a summary, as a worker does, of the session up to an item."""
    seen = chat._stream.read()
    items = chat.items()
    last = (items[-1] if upto is None else upto).seq
    before = summaries.load(chat._engine, chat.id)
    said = Summary(chat.id, text, last_seq=last, **fields)
    user = seen.info.user
    return summaries.write(
        chat._engine,
        before,
        said,
        generation=generation_of(seen.version),
        user=user,
        span=span,
    )


@pytest.fixture
def chat(ada):
    chat = ada.session("chat")
    chat.add("one", "two", "three")
    return chat


def test_there_is_none_before_anybody_summed_up(chat, ada):
    assert chat.summary() is None
    assert ada.session("never begun").summary() is None


def test_it_is_given_back_as_it_was_written(chat, clock):
    assert sum_up(chat, "Ada counted.", topics=("counting", "numbers"))
    found = chat.summary()
    assert (found.text, found.topics, found.version) == ("Ada counted.", ("counting", "numbers"), 1)
    assert found.last_seq == chat.items()[-1].seq
    assert found.updated_at.timestamp() == clock.now
    assert asyncio.run(chat.asummary()) == found


def test_each_one_takes_the_place_of_the_one_before(chat):
    sum_up(chat, "first")
    chat.add("four")
    assert sum_up(chat, "second")
    assert (chat.summary().text, chat.summary().version) == ("second", 2)


def test_it_never_goes_back_to_an_older_place(chat):
    sum_up(chat, "all three")
    assert not sum_up(chat, "two of them", upto=chat.items()[1])
    assert chat.summary().text == "all three"


def test_of_two_writers_the_one_who_saw_an_older_one_loses(chat):
    before = summaries.load(chat._engine, chat.id)
    sum_up(chat, "the winner's")
    life = generation_of(chat._stream.read().version)
    late = Summary(chat.id, "the loser's", last_seq=chat.items()[-1].seq)
    assert not summaries.write(chat._engine, before, late, generation=life, user="ada")
    assert chat.summary().text == "the winner's"


def test_another_user_never_reads_it(memory, chat):
    sum_up(chat)
    with pytest.raises(NotOwner):
        memory.user("bob").session("chat").summary()


@pytest.mark.proves("A27")
def test_it_outlives_the_history_and_only_its_owner_reads_it_then(opened, clock):
    memory = opened(ttl=HOUR)
    chat = memory.session("chat", user="ada")
    chat.add("one")
    sum_up(chat, "Ada began to count.")
    clock.tick(2 * HOUR)
    assert chat.items() == []
    assert memory.session("chat", user="ada").summary().text == "Ada began to count."
    assert memory.session("chat").summary().text == "Ada began to count."  # the operator's door
    with pytest.raises(NotOwner):
        memory.session("chat", user="bob").summary()


@pytest.mark.proves("A27")
def test_it_is_forgotten_when_nobody_asked_for_it_that_long(chat, clock):
    sum_up(chat)
    for _ in range(3):
        clock.tick(SUMMARY_TTL - 1)
        assert chat.summary() is not None
    clock.tick(SUMMARY_TTL + 1)
    assert chat.summary() is None


@pytest.mark.proves("A27")
def test_how_long_that_is_can_be_said(opened, clock):
    memory = opened(summary_ttl=60)
    chat = memory.session("chat", user="ada")
    chat.add("one")
    sum_up(chat)
    clock.tick(59)
    assert chat.summary() is not None
    clock.tick(61)
    assert chat.summary() is None


def test_asking_often_writes_seldom(opened, clock):
    memory = opened(Counting)
    counted = memory._engine.backend
    chat = memory.session("chat", user="ada")
    chat.add("one")
    sum_up(chat)
    counted.reset()
    for _ in range(200):
        chat.summary()
        clock.tick(SUMMARY_TTL / 2_000)
    assert 1 <= len(counted.commits) <= 2


def test_it_goes_with_its_session(memory, chat):
    sum_up(chat)
    chat.delete()
    assert summaries.load(memory._engine, "chat").summary is None


@pytest.mark.proves("B55")
def test_a_deleted_conversation_takes_its_summary_along(memory, chat):
    sum_up(chat)
    memory.conversations.delete("chat")
    assert summaries.load(memory._engine, "chat").version == 0


def test_when_the_history_is_gone_deleting_the_session_still_deletes_it(opened, clock):
    memory = opened(ttl=HOUR)
    chat = memory.session("chat", user="ada")
    chat.add("one")
    sum_up(chat)
    clock.tick(2 * HOUR)
    memory.session("chat", user="bob").delete()
    assert chat.summary() is not None
    chat.delete()
    assert chat.summary() is None


EDITS = {
    "replace": lambda chat, id: chat.replace(id, "other"),
    "rewind": lambda chat, id: chat.rewind(before=id),
    "remove": lambda chat, id: chat.remove(id),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_what_it_covers_drops_it(chat, edit):
    sum_up(chat, upto=chat.items()[1])
    EDITS[edit](chat, chat.items()[1].id)
    assert chat.summary() is None


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_what_it_does_not_cover_leaves_it(chat, edit):
    sum_up(chat, upto=chat.items()[1])
    EDITS[edit](chat, chat.items()[2].id)
    assert chat.summary() is not None


@pytest.mark.parametrize("wipe", [lambda chat: chat.clear(), lambda chat: chat.set_items("new")])
def test_what_wipes_the_history_wipes_it(chat, wipe):
    sum_up(chat)
    wipe(chat)
    assert chat.summary() is None


def test_who_has_no_session_of_that_name_wipes_nothing(opened, clock):
    memory = opened(ttl=HOUR)
    chat = memory.session("chat", user="ada")
    chat.add("one")
    sum_up(chat)
    clock.tick(2 * HOUR)
    intruder = memory.session("chat", user="bob")
    intruder.clear()
    intruder.set_items()
    intruder.remove("x")
    assert chat.summary() is not None


def test_retention_leaves_it(opened):
    memory = opened(retain={"max_messages": 1})
    chat = memory.session("chat", user="ada")
    chat.add("one", {"role": "assistant", "content": "two"})
    sum_up(chat)
    chat.add("three")
    assert len(chat.items()) == 1
    assert chat.summary() is not None


def test_a_session_begun_anew_goes_on_from_the_summary_of_its_owner(opened, clock):
    memory = opened(ttl=HOUR)
    chat = memory.session("chat", user="ada")
    chat.add("one", "two", "three")
    sum_up(chat, "about numbers")
    clock.tick(2 * HOUR)
    chat.add("back again")
    assert chat.summary().text == "about numbers"
    assert sum_up(chat, "about numbers, and again")  # although its items are counted anew
    assert chat.summary().version == 2


def test_a_session_begun_anew_by_another_user_has_none(opened, clock):
    memory = opened(ttl=HOUR)
    memory.session("chat", user="ada").add("one")
    sum_up(memory.session("chat", user="ada"))
    clock.tick(2 * HOUR)
    memory.session("chat", user="bob").add("mine")
    assert memory.session("chat", user="bob").summary() is None
    assert memory.session("chat").summary() is None
    with pytest.raises(NotOwner):
        memory.session("chat", user="ada").summary()


@pytest.mark.proves("A31")
def test_of_an_anonymous_session_that_ended_no_user_learns_anything(opened, clock):
    memory = opened(ttl=HOUR)
    memory.session("chat").add("one")
    sum_up(memory.session("chat"))
    clock.tick(2 * HOUR)
    assert memory.session("chat", user="bob").summary() is None
    memory.session("chat", user="bob").add("mine")
    assert memory.session("chat", user="bob").summary() is None


def test_who_claims_an_anonymous_session_has_its_summary(memory):
    memory.session("chat").add("one")
    sum_up(memory.session("chat"))
    memory.session("chat", user="ada").add("it was me")
    assert memory.session("chat", user="ada").summary() is not None


def test_what_the_redactor_refuses_is_not_stored(opened):
    memory = opened(redactor=lambda text, kind: None if "secret" in text else text)
    chat = memory.session("chat", user="ada")
    chat.add("one")
    assert not sum_up(chat, "a secret")
    assert sum_up(chat, "numbers", topics=("secret things", "numbers"))
    assert chat.summary().topics == ("numbers",)


def test_one_that_cannot_be_read_counts_as_none(memory, chat, caplog):
    name = stream(memory._engine, "summary", "chat")
    body.report.cache_clear()  # it is reported once
    damaged = Record("summary", "summary", '{"text": 5', 0)
    memory._engine.commit(name, put=[damaged], ttl=None)
    assert chat.summary() is None
    assert sum_up(chat, "anew")
    assert chat.summary().text == "anew"
    assert "unreadable summary record" in caplog.text


def test_it_is_kept_in_the_store_of_long_term_memory(opened, tmp_path):
    memory = opened(longterm=f"sqlite:///{tmp_path}/longterm.db")
    chat = memory.session("chat", user="ada")
    chat.add("one")
    sum_up(chat)
    assert memory._engine.streams("default/summary/", cursor=None, limit=9)[0] == []
    assert chat.summary() is not None
    chat.delete()
    assert copy_streams.stream_names(memory._engine.longterm.backend) == []


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_prompts_show_a_summary_until_it_is_six_turns_behind(turns):
    with connect("memory://") as memory:
        chat = memory.session("chat")
        spoken, shown, renewed_at = 0, "", 0
        for number, count in enumerate(turns):
            chat.add(*("word" for _ in range(count)))
            first = spoken + 1
            spoken += count
            sum_up(chat, f"summary {number}", span=SummarySpan(first, count))
            text = chat.context()
            assert [s.text for s in (chat.summary(),) if s] == [f"summary {number}"]
            if not shown or spoken - renewed_at >= 6:
                shown, renewed_at = f"summary {number}", spoken
            assert f"- {shown}\n" in text


def test_what_prompts_show_goes_with_the_summary(chat):
    sum_up(chat, "the old secret", span=SummarySpan(1, 3))
    chat.add("four")
    sum_up(chat, "the new one", span=SummarySpan(4, 1))
    assert "the old secret" in chat.context()
    chat.remove(chat.items()[0].id)
    assert chat.context() == ""
    assert chat.summary() is None


def test_redacting_finds_what_prompts_show(chat, ada):
    sum_up(chat, "the old secret", span=SummarySpan(1, 3))
    chat.add("four")
    sum_up(chat, "the new one", span=SummarySpan(4, 1))
    redaction = Redaction(re.compile("old secret"), "x", dry_run=False)
    assert [entry.kind for entry in _summary(chat, redaction)] == ["summary"]
    assert chat.context() == ""


def test_the_summary_can_be_left_out_of_the_context(chat):
    sum_up(chat)
    assert "They talked." in chat.context()
    assert chat.context(summary=False) == ""
