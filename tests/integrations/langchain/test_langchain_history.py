"""`ThreadkeepChatMessageHistory` alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage

import threadkeep
from langchain_threadkeep import (
    ThreadkeepChatMessageHistory,
    session_history_factory,
)
from tests.integrations.langchain.chains import texts
from threadkeep.errors import ConfigError, InputError, NotOwner


class TestTheHistory:
    def test_gives_back_what_was_added(self, memory, chat):
        history = ThreadkeepChatMessageHistory("t", memory)
        assert history.messages == []
        history.add_user_message("hi")
        history.add_ai_message(AIMessage("hello", id="a"))
        history.add_messages([SystemMessage("be kind"), AIMessageChunk("x")])
        again = ThreadkeepChatMessageHistory("t", memory)
        assert again.messages == [
            HumanMessage("hi"), AIMessage("hello", id="a"),
            SystemMessage("be kind"), AIMessage("x"),
        ]  # fmt: skip
        assert str(history) == "Human: hi\nAI: hello\nSystem: be kind\nAI: x"
        history.clear()
        assert again.messages == [] == chat.items()

    def test_two_of_one_session_see_each_other(self, memory):
        one, other = (ThreadkeepChatMessageHistory("t", memory) for _ in range(2))
        assert one.messages == other.messages == []
        one.add_user_message("hi")
        assert texts(other.messages) == ["hi"]
        other.add_user_message("ho")
        assert texts(one.messages) == ["hi", "ho"]

    def test_messages_are_a_list_of_ones_own(self, memory):
        history = ThreadkeepChatMessageHistory("t", memory)
        history.add_user_message("hi")
        found = history.messages
        assert isinstance(found, list)
        found += [HumanMessage("mine")]
        found[0].content = "changed"
        assert texts(history.messages) == ["hi"]

    def test_the_async_verbs_are_the_same(self, memory):
        async def run():
            history = ThreadkeepChatMessageHistory("t", memory)
            await history.aadd_messages([HumanMessage("hi")])
            assert texts(await history.aget_messages()) == ["hi"]
            await history.aclear()
            return await history.aget_messages()

        assert asyncio.run(run()) == []

    def test_making_one_touches_no_store(self, tmp_path):
        with threadkeep.connect(f"sqlite:///{tmp_path}/none/chat.db") as memory:
            ThreadkeepChatMessageHistory("t", memory)
            session_history_factory(memory)("t", "ada")
        assert list(tmp_path.iterdir()) == []

    def test_a_url_is_opened_once(self, tmp_path):
        url = f"sqlite:///{tmp_path}/chat.db"
        one, other = (ThreadkeepChatMessageHistory("t", url) for _ in range(2))
        assert one.memory is other.memory
        one.memory.close()

    def test_a_stranger_is_refused(self, memory):
        factory = session_history_factory(memory)
        factory("t", "ada").add_user_message("hi")
        with pytest.raises(NotOwner):
            _ = factory("t", "bob").messages

    def test_a_window_is_sound_and_nothing_is_deleted(self, memory, chat):
        call = {"name": "f", "args": {}, "id": "c"}
        history = ThreadkeepChatMessageHistory("t", memory, window={"max_messages": 2})
        history.add_messages([HumanMessage("1"), AIMessage("", tool_calls=[call])])
        history.add_messages([HumanMessage("2"), AIMessage("two"), HumanMessage("3")])
        assert texts(history.messages) in (["two", "3"], ["3"])
        whole = ThreadkeepChatMessageHistory("t", memory, window={"max_messages": 9}).messages
        assert [message.type for message in whole] == [
            "human",
            "ai",
            "tool",
            "human",
            "ai",
            "human",
        ]
        assert len(chat.items()) == 5

    def test_a_wrong_window_is_said_at_once(self, memory):
        with pytest.raises(ConfigError, match="max_tokens"):
            session_history_factory(memory, window={"max_token": 5})

    def test_what_is_no_message_is_refused_and_nothing_written(self, memory):
        history = ThreadkeepChatMessageHistory("t", memory)
        with pytest.raises(InputError, match="str"):
            history.add_messages([HumanMessage("hi"), "ho"])
        assert history.messages == []


class TestIds:
    def test_a_retried_turn_is_stored_once(self, memory, chat):
        history = ThreadkeepChatMessageHistory("t", memory)
        for _ in range(2):
            history.add_messages([HumanMessage("hi", id="u"), AIMessage("hello", id="a")])
        assert texts(history.messages) == ["hi", "hello"]

    def test_a_cached_answer_is_an_answer_in_each_turn(self, memory):
        history = ThreadkeepChatMessageHistory("t", memory)
        cached = AIMessage("hello", id="a")
        history.add_messages([HumanMessage("1", id="u1"), cached])
        history.add_messages([HumanMessage("2", id="u2"), cached])
        history.add_messages([HumanMessage("3"), cached])
        assert texts(history.messages) == ["1", "hello", "2", "hello", "3", "hello"]
        assert {m.id for m in history.messages if m.type == "ai"} == {"a"}

    def test_a_question_of_an_earlier_turn_may_be_asked_again(self, memory):
        history = ThreadkeepChatMessageHistory("t", memory)
        yes = HumanMessage("yes", id="u")
        history.add_messages([yes, AIMessage("1")])
        history.add_messages([HumanMessage("no", id="v"), AIMessage("2")])
        for _ in range(2):
            history.add_messages([yes, AIMessage("3", id="a3")])
        assert texts(history.messages) == ["yes", "1", "no", "2", "yes", "3"]

    def test_one_object_twice_in_a_batch_is_said_twice(self, memory):
        history = ThreadkeepChatMessageHistory("t", memory)
        yes, ok = HumanMessage("yes", id="u"), AIMessage("ok", id="a")
        history.add_messages([yes, ok, yes, ok])
        assert texts(history.messages) == ["yes", "ok", "yes", "ok"]


IMPORTS = """
import sys, warnings
warnings.simplefilter("error")
import langchain_threadkeep
langchain_threadkeep.ThreadkeepChatMessageHistory
assert "langgraph" not in sys.modules
"""
WITHOUT = """
import sys
sys.modules["langchain_core.chat_history"] = None  # as it will be in langchain-core 2.0
from langchain_threadkeep import ThreadkeepChatMessageHistory
history = ThreadkeepChatMessageHistory("t", "memory://")
history.add_user_message("hi")
assert [m.content for m in history.messages] == ["hi"] and "Human: hi" == str(history)
"""


@pytest.mark.parametrize("script", [IMPORTS, WITHOUT], ids=["no warning", "without the base class"])
def test_importing(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
