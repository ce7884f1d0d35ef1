"""`with_history`: a chain that remembers, and raises at once if it cannot."""

from __future__ import annotations

import asyncio
import threading

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

from langchain_threadkeep import with_history
from tests.integrations.langchain.chains import Echo, texts
from threadkeep.errors import BackendError, ConfigError, InputError, NotOwner

CONFIG = {"configurable": {"thread_id": "t"}}


@pytest.fixture
def model():
    return Echo()


@pytest.fixture
def chain(model, memory):
    return with_history(model, memory)


def said(chat):
    return [item.text for item in chat.items()]


def test_it_remembers_sync_and_async_whole_and_streamed(chain, model, chat):
    async def run():
        await chain.ainvoke("3", CONFIG)
        return [chunk.text async for chunk in chain.astream("4", CONFIG)]

    assert chain.invoke("1", CONFIG).text == "re: 1"
    assert [chunk.text for chunk in chain.stream([HumanMessage("2")], CONFIG)][:2] == ["re:", "2"]
    assert asyncio.run(run())[:2] == ["re:", "4"]
    assert texts(model.seen[-1]) == ["1", "re: 1", "2", "re:2", "3", "re: 3", "4"]
    assert said(chat) == ["1", "re: 1", "2", "re:2", "3", "re: 3", "4", "re:4"]


def test_half_of_an_emoji_that_is_stored_reaches_no_model(chain, model, chat):
    chat.add("half \ud83d")
    chain.invoke("2", CONFIG)
    assert texts(model.seen[-1]) == ["half ?", "2"]
    assert said(chat)[0] == "half \ud83d"


def test_a_prompt_with_a_place_for_the_history(model, memory, chat):
    prompt = ChatPromptTemplate.from_messages(
        [MessagesPlaceholder("history"), ("human", "{question}")]
    )
    keys = {"input_messages_key": "question", "history_messages_key": "history"}
    chain = with_history(prompt | model, memory, session_id="t", **keys)
    for number in "12":
        chain.invoke({"question": number})
    assert texts(model.seen[1]) == ["1", "re: 1", "2"]
    assert said(chat) == ["1", "re: 1", "2", "re: 2"]


def test_a_write_that_fails_raises_before_the_model_is_asked(chain, model, memory, monkeypatch):
    def refuse(*_, **__):
        raise BackendError("the disk is full")

    monkeypatch.setattr(memory._engine.backend, "commit", refuse)
    with pytest.raises(BackendError, match="full"):
        chain.invoke("1", CONFIG)
    assert model.seen == []


def test_the_question_outlives_a_model_that_fails(chain, model, chat):
    model.fails = True
    with pytest.raises(RuntimeError):
        chain.invoke([HumanMessage("1", id="u")], CONFIG)
    assert said(chat) == ["1"]
    model.fails = False
    chain.invoke([HumanMessage("1", id="u")], CONFIG)
    assert texts(model.seen[-1]) == ["1"]
    assert said(chat) == ["1", "re: 1"]


def test_a_stream_that_is_left_keeps_the_question(chain, chat):
    stream = chain.stream("1 2 3", CONFIG)
    next(stream)
    stream.close()
    assert said(chat) == ["1 2 3"]


def test_two_turns_at_once(chain, model, chat):
    entered, let_go = model.hold()
    slow = threading.Thread(target=chain.invoke, args=("slow", CONFIG))
    slow.start()
    assert entered.wait(20)
    chain.invoke("quick", CONFIG)
    let_go.set()
    slow.join()
    assert said(chat) == ["slow", "quick", "re: quick", "re: slow"]


def test_a_batch(chain, memory):
    configs = [{"configurable": {"thread_id": f"t{n}"}} for n in range(4)]
    chain.batch([str(n) for n in range(4)], configs)
    for number in range(4):
        assert said(memory.session(f"t{number}")) == [str(number), f"re: {number}"]


def test_who_it_is(model, memory):
    chain = with_history(model, memory, user="ada")
    chain.invoke("1", CONFIG)
    with pytest.raises(NotOwner):
        chain.invoke("2", {"configurable": {"thread_id": "t", "user_id": "bob"}})
    with pytest.raises(ConfigError, match="thread_id"):
        chain.invoke("3")


def test_what_is_no_message_is_refused(chain, chat):
    with pytest.raises(InputError, match="int"):
        chain.invoke(5, CONFIG)
    with pytest.raises(InputError, match="input"):
        with_history(Echo(), chain._memory).invoke({"a": 1, "b": 2}, CONFIG)
    assert said(chat) == []


def test_the_window_is_what_the_model_sees(model, memory, chat):
    chain = with_history(model, memory, window={"max_messages": 3, "step": 0})
    for number in range(3):
        chat.add(f"q{number}", {"role": "assistant", "content": f"a{number}"})
    chain.invoke("1", CONFIG)
    assert texts(model.seen[0]) == ["q2", "a2", "1"]
    assert len(said(chat)) == 8
