"""`ThreadkeepMemory` by the verbs of LlamaIndex's `BaseMemory`."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
import warnings

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import BaseMemory

import threadkeep
from llama_index.memory.threadkeep import ThreadkeepMemory
from tests.integrations.llama_index.conftest import call
from threadkeep.errors import ConfigError, NotOwner


def user(text):
    return ChatMessage(role="user", content=text)


def said(text):
    return ChatMessage(role="assistant", content=text)


def asked(*calls):
    return ChatMessage(role="assistant", blocks=list(calls))


RESULT = ChatMessage(role="tool", content="21", additional_kwargs={"tool_call_id": "c1"})


def exchanges(count):
    return [m for n in range(count) for m in (user(f"q{n}"), said(f"a{n}"))]


@pytest.fixture
def kept(memory):
    return ThreadkeepMemory.from_defaults(memory=memory, session_id="chat", user="ada")


def test_is_a_memory_of_llama_index_that_is_never_falsy(kept):
    assert isinstance(kept, BaseMemory)
    assert bool(kept)
    assert not hasattr(type(kept), "__len__")


def test_constructing_does_no_io(tmp_path):
    ThreadkeepMemory.from_defaults(memory=f"sqlite:///{tmp_path}/none.db", session_id="chat")
    assert list(tmp_path.iterdir()) == []


def test_put_and_get_and_get_all(kept):
    kept.put(user("a"))
    kept.put_messages([said("b"), user("c")])
    kept.put_messages([])
    assert [m.content for m in kept.get()] == ["a", "b", "c"]
    assert kept.get("d", initial_token_count=3, anything="else") == kept.get_all(status=None)
    kept.reset()
    assert kept.get_all() == []


def test_async_does_the_same(kept):
    async def story():
        await kept.aput(user("a"))
        await kept.aput_messages([said("b")])
        assert await kept.aget(input=user("x"), initial_token_count=1) == await kept.aget_all()
        assert await kept.aget_all() == kept.get_all() == [user("a"), said("b")]
        await kept.areset()
        assert await kept.aget_all() == []

    asyncio.run(story())


def test_what_is_returned_is_fresh(kept):
    kept.put(user("a"))
    kept.get()[0].blocks.clear()
    kept.get_all()[0].additional_kwargs["x"] = 1
    assert kept.get_all() == [user("a")]


def test_the_token_limit_is_of_history_and_what_the_engine_puts_before(memory):
    kept = ThreadkeepMemory.from_defaults(
        memory=memory, session_id="chat", token_limit=200, tokenizer_fn=str.split
    )
    kept.put_messages(exchanges(60))
    whole = kept.get()
    assert 10 < len(whole) < 50
    assert whole[0].role == "user"
    assert len(kept.get(initial_token_count=150)) < len(whole) / 2
    assert kept.get(initial_token_count=10_000)[0].content == "q59"
    assert len(kept.get_all()) == 120


def test_a_window_never_opens_with_an_answer_that_was_cut_off(memory):
    for limit in range(1, 9):
        window = {"max_messages": limit, "step": 0}
        kept = ThreadkeepMemory.from_defaults(memory=memory, session_id="chat", window=window)
        if limit == 1:
            kept.put_messages([said("Hello! I am a guide."), *exchanges(5)])
            blocks = [call("c1")]
            answer = ChatMessage(
                role="tool", content="21", additional_kwargs={"tool_call_id": "c1"}
            )
            kept.put_messages([ChatMessage(role="assistant", blocks=blocks), answer, said("21")])
        assert kept.get()[0].role == "user"
        assert asyncio.run(kept.aget()) == kept.get()


def test_a_greeting_that_begins_the_conversation_stays(kept):
    kept.put_messages([said("Hello!"), user("Hi")])
    assert kept.get()[0].content == "Hello!"


def test_tool_calls_stay_with_their_results_and_count(memory):
    kept = ThreadkeepMemory.from_defaults(memory=memory, session_id="chat", token_limit=4_000)
    big = call("c1", "x " * 20_000)
    result = ChatMessage(role="tool", content="21", additional_kwargs={"tool_call_id": "c1"})
    kept.put_messages(
        [user("old"), ChatMessage(role="assistant", blocks=[big]), result, user("new")]
    )
    assert [m.content for m in kept.get()] == ["new"]


def test_threads_and_loops_share_one_memory(kept):
    def work(number):
        kept.put(user(f"sync {number}"))
        asyncio.run(kept.aput(user(f"async {number}")))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({m.content for m in kept.get_all()}) == 16


def test_another_user_sees_nothing(memory, kept):
    kept.put(user("a"))
    other = ThreadkeepMemory.from_defaults(memory=memory, session_id="chat", user="eve")
    for act in (other.get, other.get_all, other.reset, lambda: other.put(user("x"))):
        with pytest.raises(NotOwner):
            act()


class TestSet:
    def test_what_goes_on_from_what_is_stored_is_added_without_a_word(self, kept):
        kept.set(exchanges(2))
        kept.set([*exchanges(2), user("more")])
        kept.set([*exchanges(2), user("more")])
        assert kept.get_all() == [*exchanges(2), user("more")]

    def test_what_a_redactor_changed_is_no_other_history(self):
        def mask(text, _):
            return text.replace("4", "*")

        with threadkeep.connect("memory://", redactor=mask) as memory:
            kept = ThreadkeepMemory.from_defaults(memory=memory, session_id="chat")
            kept.set([user("card 4"), said("a")])
            kept.set([user("card 4"), said("a"), user("more")])
            assert [m.content for m in kept.get_all()] == ["card *", "a", "more"]
            assert [info.id for info in memory.sessions()] == ["chat"]

    def test_a_history_that_goes_on_is_redacted_where_it_is_new(self):
        redacted_texts = []

        def mask(text, _):
            redacted_texts.append(text)
            return text.replace("card", "*")

        with threadkeep.connect("memory://", redactor=mask) as memory:
            kept = ThreadkeepMemory.from_defaults(memory=memory, session_id="chat")
            history = [user("card 4"), *exchanges(50)]
            kept.set(history)
            redacted_texts.clear()
            kept.set([*history, user("my card")])
            assert [m.content for m in kept.get_all()][::101] == ["* 4", "my *"]
            assert [info.id for info in memory.sessions()] == ["chat"]
        assert len(redacted_texts) <= 20

    def test_another_history_takes_the_place_of_the_stored_one_which_is_archived(
        self, memory, kept
    ):
        kept.put_messages(exchanges(2))
        with pytest.warns(UserWarning, match="chat/archive/1"):
            kept.set([user("new")])
        assert kept.get_all() == [user("new")]
        archive = ThreadkeepMemory.from_defaults(memory=memory, session_id="chat/archive/1")
        assert archive.get_all() == exchanges(2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # one warning is enough
            kept.set([user("newer")])
        assert memory.session("chat/archive/2").info().user == "ada"

    def test_or_goes_behind_it(self, memory):
        kept = ThreadkeepMemory.from_defaults(memory=memory, session_id="chat", on_set="append")
        kept.put_messages(exchanges(2))
        with pytest.warns(UserWarning, match="appended"):
            kept.set([said("a1"), user("new")])
        assert kept.get_all() == [*exchanges(2), user("new")]

    def test_or_takes_its_place_if_so_told(self, memory):
        kept = ThreadkeepMemory.from_defaults(memory=memory, session_id="chat", on_set="replace")
        kept.put_messages(exchanges(2))
        asyncio.run(kept.aset([user("new")]))
        assert kept.get_all() == [user("new")]
        assert [info.id for info in memory.sessions()] == ["chat"]

    def test_of_nothing_archives_too(self, memory, kept):
        kept.put_messages(exchanges(1))
        with pytest.warns(UserWarning, match="archive"):
            kept.set([])
        assert kept.get_all() == []
        assert len(memory.session("chat/archive/1").items()) == 2


class TestReference:
    def test_holds_no_message_and_no_secret(self, kept):
        kept.put(user("a secret word"))
        text = json.dumps(kept.to_dict()) + kept.model_dump_json() + repr(kept)
        assert "secret" not in text

    def test_finds_the_live_store(self, kept):
        kept.put(user("a"))
        for back in (
            ThreadkeepMemory.from_dict(json.loads(json.dumps(kept.to_dict()))),
            pickle.loads(pickle.dumps(kept)),
        ):
            assert back.get_all() == [user("a")]
            assert back.user == "ada"

    def test_tells_stores_that_look_alike_apart(self):
        with threadkeep.connect("memory://") as one, threadkeep.connect("memory://") as two:
            first, second = (
                ThreadkeepMemory.from_defaults(memory=m, session_id="chat") for m in (one, two)
            )
            first.put(user("in one"))
            second.put(user("in two"))
            assert ThreadkeepMemory.from_dict(first.to_dict()).get_all() == [user("in one")]
            assert ThreadkeepMemory.from_dict(second.to_dict()).get_all() == [user("in two")]

    def test_of_a_url_opens_it_anywhere(self, tmp_path):
        url = f"sqlite:///{tmp_path}/other.db"
        kept = ThreadkeepMemory.from_defaults(memory=url, session_id="chat")
        kept.put(user("a"))
        assert kept.to_dict()["store"] == url
        kept._memory.close()
        back = ThreadkeepMemory.from_dict(kept.to_dict())
        assert back.get_all() == [user("a")]
        back._memory.close()

    def test_of_a_store_that_is_not_open_says_what_to_open(self, kept):
        gone = {**kept.to_dict(), "store": "<Memory sqlite:///gone.db namespace='default'>"}
        with pytest.raises(ConfigError, match=r"gone\.db"):
            ThreadkeepMemory.from_dict(gone)


def test_a_wrong_store_or_window_is_refused_at_construction(memory):
    with pytest.raises(ConfigError, match="a Memory or a URL"):
        ThreadkeepMemory.from_defaults(memory=b"memory://")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="max_token"):
        ThreadkeepMemory.from_defaults(memory=memory, window={"max_token": 1})


def test_media_of_others_that_llama_index_has_no_block_for_are_named(kept, memory):
    """An address that is no URL to it made the whole conversation unreadable."""
    image = {"type": "image_url", "image_url": {"url": "photo of Oslo"}}
    memory.session("chat", user="ada").add({"role": "user", "content": [image]}, "And now?")
    assert [m.content for m in kept.get()] == ["[photo of Oslo]", "And now?"]
