"""The history in `RunnableWithMessageHistory`: nothing is lost, and nothing in silence."""

from __future__ import annotations

import asyncio
import threading
import warnings
from typing import Any

import pytest
from langchain_core._api import LangChainDeprecationWarning
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda

from langchain_threadkeep import (
    HISTORY_FACTORY_CONFIG,
    ThreadkeepChatMessageHistory,
    session_history_factory,
)
from tests.integrations.langchain.chains import Echo, texts
from threadkeep.errors import BackendError, NotOwner

pytestmark = pytest.mark.filterwarnings(
    # what is tested here is what people move away from
    "ignore:RunnableWithMessageHistory is deprecated"
)
CONFIG = {"configurable": {"session_id": "t"}}


@pytest.fixture
def model():
    return Echo()


@pytest.fixture
def remembered(memory):
    """`remembered(runnable, **keys)`: as applications wrap it."""

    def wrap(runnable, window=None, **keys):
        from langchain_core.runnables.history import RunnableWithMessageHistory

        factory = session_history_factory(memory, window=window)
        return RunnableWithMessageHistory(runnable, factory, **keys)

    return wrap


def prompt(model):
    return (
        ChatPromptTemplate.from_messages(
            [("system", "be kind"), MessagesPlaceholder("history"), ("human", "{question}")]
        )
        | model
    )


class TestInARunnable:
    def test_messages_in_and_out(self, remembered, model, memory):
        chain = remembered(model)
        assert chain.invoke([HumanMessage("1")], CONFIG).text == "re: 1"
        chain.invoke("2", CONFIG)
        assert texts(model.seen[1]) == ["1", "re: 1", "2"]
        stored = ThreadkeepChatMessageHistory("t", memory).messages
        assert texts(stored) == ["1", "re: 1", "2", "re: 2"]

    def test_with_a_key_for_the_history(self, remembered, model, chat):
        keys = {"input_messages_key": "question", "history_messages_key": "history"}
        chain = remembered(prompt(model), **keys)
        for number in "12":
            chain.invoke({"question": number}, CONFIG)
        assert texts(model.seen[1]) == ["be kind", "1", "re: 1", "2"]
        assert [item.text for item in chat.items()] == ["1", "re: 1", "2", "re: 2"]

    def test_streams_are_stored_as_whole_messages(self, remembered, model, memory):
        chain = remembered(model)
        assert len(list(chain.stream([HumanMessage("a b")], CONFIG))) >= 3
        assert [type(m) for m in ThreadkeepChatMessageHistory("t", memory).messages] == [
            HumanMessage, AIMessage,
        ]  # fmt: skip

    def test_a_batch_of_sessions(self, remembered, model, memory):
        configs = [{"configurable": {"session_id": f"s{n}"}} for n in range(5)]
        remembered(model).batch([[HumanMessage(str(n))] for n in range(5)], configs)
        for number in range(5):
            stored = ThreadkeepChatMessageHistory(f"s{number}", memory).messages
            assert texts(stored) == [str(number), f"re: {number}"]

    def test_async(self, remembered, model, chat):
        async def run():
            chain = remembered(model)
            await chain.ainvoke([HumanMessage("1")], CONFIG)
            async for _ in chain.astream([HumanMessage("2")], CONFIG):
                pass
            await chain.abatch([[HumanMessage("3")]], [CONFIG])

        asyncio.run(run())
        assert [item.text for item in chat.items()] == [
            "1", "re: 1", "2", "re:2", "3", "re: 3",
        ]  # fmt: skip

    def test_users_by_the_ready_made_fields(self, remembered, model, memory):
        chain = remembered(model, history_factory_config=HISTORY_FACTORY_CONFIG)
        ada = {"configurable": {"session_id": "t", "user_id": "ada"}}
        chain.invoke([HumanMessage("1")], ada)
        assert memory.session("t").info().user == "ada"
        with pytest.raises(NotOwner):
            chain.invoke(
                [HumanMessage("1")], {"configurable": {"session_id": "t", "user_id": "bob"}}
            )

    def test_a_sliding_window_loses_nothing(self, remembered, model, chat):
        chain = remembered(model, window={"max_messages": 4, "step": 0})
        for number in range(8):
            chain.invoke([HumanMessage(str(number))], CONFIG)
        assert max(map(len, model.seen)) == 5
        said = [text for number in range(8) for text in (str(number), f"re: {number}")]
        assert [item.text for item in chat.items()] == said

    @pytest.mark.parametrize("window", [None, {"max_messages": 3, "step": 0}])
    def test_two_turns_at_once_lose_nothing(self, remembered, model, chat, window):
        chain = remembered(model, window=window)
        for number in range(3):
            chain.invoke([HumanMessage(str(number))], CONFIG)
        entered, let_go = model.hold()
        slow = threading.Thread(target=chain.invoke, args=([HumanMessage("slow")], CONFIG))
        slow.start()
        assert entered.wait(20)
        for number in range(3, 6):
            chain.invoke([HumanMessage(str(number))], CONFIG)
        let_go.set()
        slow.join()
        said = [item.text for item in chat.items()]
        assert said[-2:] == ["slow", "re: slow"]
        assert said[:-2] == [text for n in range(6) for text in (str(n), f"re: {n}")]

    def test_a_history_of_ones_own_dictionary_is_read_anew(self, memory, model):
        from langchain_core.runnables.history import RunnableWithMessageHistory

        kept = ThreadkeepChatMessageHistory("t", memory)
        chain = RunnableWithMessageHistory(model, lambda: kept)
        model.fails = True
        with pytest.raises(RuntimeError):
            chain.invoke([HumanMessage("1")])
        model.fails = False
        memory.session("t").add("from elsewhere")
        chain.invoke([HumanMessage("2")])
        assert texts(model.seen[-1]) == ["from elsewhere", "2"]
        assert texts(kept.messages) == ["from elsewhere", "2", "re: 2"]

    def test_a_dict_in_and_out(self, remembered, chat):
        runnable: Any = RunnableLambda(lambda said: {"answer": [AIMessage(f"{len(said['said'])}")]})
        keys = {"input_messages_key": "said", "output_messages_key": "answer"}
        chain = remembered(runnable, **keys)
        for _ in range(2):
            chain.invoke({"said": "hi"}, CONFIG)
        assert [item.text for item in chat.items()] == ["hi", "1", "hi", "3"]


class TestFailures:
    @pytest.fixture
    def broken(self, memory, monkeypatch):
        """A store that takes no writes, until it is told to."""

        def refuse(*_, **__):
            raise BackendError("the disk is full")

        monkeypatch.setattr(memory._engine.backend, "commit", refuse)
        return monkeypatch

    def test_what_was_lost_in_silence_is_said_by_the_next_read(
        self, remembered, model, broken, memory, caplog
    ):
        chain = remembered(model)
        assert chain.invoke([HumanMessage("1")], CONFIG).text == "re: 1", "LangChain says nothing"
        assert "2 messages of session 't' were not stored" in caplog.text
        broken.undo()
        with pytest.raises(BackendError, match="not stored"):
            chain.invoke([HumanMessage("2")], CONFIG)
        chain.invoke([HumanMessage("3")], CONFIG)
        assert texts(ThreadkeepChatMessageHistory("t", memory).messages) == ["3", "re: 3"]

    def test_nobody_is_told_of_what_another_user_tried(self, memory):
        ada, bob = (ThreadkeepChatMessageHistory("t", memory, user=u) for u in ("ada", "bob"))
        ada.add_messages([HumanMessage("hers")])
        with pytest.raises(NotOwner):
            bob.add_messages([HumanMessage("his")])
        assert texts(ada.messages) == ["hers"]
        with pytest.raises(BackendError, match="not stored"):
            assert bob.messages

    def test_a_handler_is_told_instead(self, memory, broken):
        told = []
        factory = session_history_factory(
            memory, on_write_error=lambda error, messages: told.append((str(error), len(messages)))
        )
        with pytest.raises(BackendError, match="full"):
            factory("t").add_messages([HumanMessage("1")])
        assert told == [("the disk is full", 1)]
        assert factory("t").messages == []


def test_the_warning_that_is_ignored_here_is_langchain_s_own():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        from langchain_core.runnables.history import RunnableWithMessageHistory

        RunnableWithMessageHistory(Echo(), ThreadkeepChatMessageHistory)
    assert [w.category for w in caught] == [LangChainDeprecationWarning]
