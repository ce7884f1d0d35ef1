"""Which messages of an agent are the same: ids, retries, and transcripts that are sent again."""

from __future__ import annotations

from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
from langchain_threadkeep.begin_turn import begin_turn
from tests.engine.doubles import Counting
from tests.integrations.langchain.chains import (
    ASK,
    CONFIG,
    said,
    shown,
    user,
    weather,
)
from threadkeep.backends.memory import MemoryBackend


class TestIds:
    def test_a_resent_turn_is_stored_once(self, agent, chat):
        runner, _ = agent(["1", "2"])
        runner.invoke(user("a", id="u"), CONFIG)
        runner.invoke(user("a", id="u"), CONFIG)
        assert said(chat) == [("user", "a"), ("assistant", "1"), ("assistant", "2")]

    def test_answers_with_one_id_are_answers_of_their_turns(self, memory, chat, saver):
        from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel

        same = AIMessage("cached", id="a")
        ours = ThreadkeepMiddleware(memory)
        runner = create_agent(
            FakeMessagesListChatModel(responses=[same]), middleware=[ours], checkpointer=saver
        )
        for number in range(3):
            runner.invoke(user(f"q{number}"), CONFIG)
        assert [text for _, text in said(chat)] == [
            "q0", "cached", "q1", "cached", "q2", "cached",
        ]  # fmt: skip

    def test_an_object_of_an_earlier_turn_may_be_said_again(self, memory, served, chat):
        chat_model, model = served(["1", "2", "3"])
        runner = create_agent(chat_model, middleware=[ThreadkeepMiddleware(memory)])
        yes = HumanMessage("yes")
        for message in (yes, HumanMessage("no"), yes):
            runner.invoke({"messages": [message]}, CONFIG)
        assert [text for _, text in said(chat)] == ["yes", "1", "no", "2", "yes", "3"]
        assert shown(model) == ["yes", "1", "no", "2", "yes"]


class TestResends:
    @pytest.fixture
    def bare(self, memory, served, saver):
        """The client keeps the transcript, whether or not the server does so too."""

        def make(replies, resend="detect"):
            chat_model, model = served(replies)
            ours = ThreadkeepMiddleware(memory, resend=resend)
            return create_agent(chat_model, [weather], middleware=[ours], checkpointer=saver), model

        return make

    def test_a_transcript_without_ids_is_recognised(self, bare, chat):
        runner, model = bare(["1", ASK, "2", "3"])
        transcript = []
        for text in ("a", "b", "c"):
            transcript.append({"role": "user", "content": text})
            state = runner.invoke({"messages": transcript}, CONFIG)
            transcript.append({"role": "assistant", "content": state["messages"][-1].text})
        assert [text for _, text in said(chat)] == [
            "a", "1", "b", "weather", "Lisbon: 21", "2", "c", "3",
        ]  # fmt: skip
        assert shown(model) == ["a", "1", "b", None, "Lisbon: 21", "2", "c"]

    def test_a_transcript_is_recognised_where_a_redactor_changed_it(self, served, saver):
        with threadkeep.connect("memory://", redactor=lambda text, _: text.replace("4", "*")) as m:
            chat_model, model = served(["1", "42", "3"])
            runner = create_agent(
                chat_model, middleware=[ThreadkeepMiddleware(m)], checkpointer=saver
            )
            transcript = []
            for text in ("card 4", "b", "c"):
                transcript.append({"role": "user", "content": text})
                state = runner.invoke({"messages": transcript}, CONFIG)
                transcript.append({"role": "assistant", "content": state["messages"][-1].text})
            texts = [item.text for item in m.session("t").items()]
        assert texts == ["card *", "1", "b", "*2", "c", "3"]
        assert shown(model) == ["card *", "1", "b", "*2", "c"]

    @pytest.mark.parametrize("length", [10, 1_000])
    def test_a_resent_transcript_costs_redactions_and_writes_of_what_is_new(self, length):
        redacted_texts = []

        def redact(text, kind):
            redacted_texts.append(text)
            return text.replace("4", "*")

        def resent():
            texts = ["card 4", "noted", *(chr(1_000 + number) for number in range(length - 2))]
            kinds = (HumanMessage, AIMessage)
            return [
                kinds[number % 2](text, id=uuid4().hex) for number, text in enumerate(texts)
            ] + [HumanMessage("And 4?", id="new")]

        backend = Counting(MemoryBackend())
        with threadkeep.connect(backend, redactor=redact) as memory:
            begin_turn(memory.session("t"), resent()[:-1], "detect")
            redacted_texts.clear()
            backend.reset()
            begin_turn(memory.session("t"), resent(), "detect")
            assert len(redacted_texts) <= 20
            assert len(backend.commits) == 1
            stored = [item.text for item in memory.session("t").items()]
        assert len(stored) == length + 1
        assert (stored[0], stored[-1]) == ("card *", "And *?")

    def test_a_whole_transcript_with_tools_is_recognised(self, bare, chat):
        runner, _ = bare([ASK, "1", "2"])
        state = runner.invoke(user("a"), CONFIG)
        again = [m.model_copy(update={"id": None}) for m in state["messages"]]
        runner.invoke({"messages": [*again, HumanMessage("b")]}, CONFIG)
        assert [text for _, text in said(chat)] == ["a", "weather", "Lisbon: 21", "1", "b", "2"]

    def test_a_question_without_an_answer_is_recognised(self, bare, chat):
        runner, model = bare([400, "1"])
        with pytest.raises(Exception, match="Bad request"):
            runner.invoke(user("a"), CONFIG)
        runner.invoke(user("a"), CONFIG)
        assert said(chat) == [("user", "a"), ("assistant", "1")]
        assert shown(model) == ["a"]

    def test_the_same_words_in_a_later_turn_are_new(self, bare, chat):
        runner, _ = bare(["1", "2"])
        for _ in range(2):
            runner.invoke(user("yes"), CONFIG)
        assert [text for _, text in said(chat)] == ["yes", "1", "yes", "2"]

    def test_append_takes_every_message_as_new(self, bare, chat):
        runner, _ = bare(["1", "2"], resend="append")
        runner.invoke(user("a"), CONFIG)
        given = [HumanMessage("a"), AIMessage("1"), HumanMessage("b")]
        runner.invoke({"messages": given}, CONFIG)
        assert [text for _, text in said(chat)] == ["a", "1", "a", "1", "b", "2"]

    def test_another_word_is_another_transcript(self, bare, chat):
        runner, _ = bare(["1", "2"])
        runner.invoke(user("a"), CONFIG)
        given = [HumanMessage("x"), AIMessage("1"), HumanMessage("b")]
        runner.invoke({"messages": given}, CONFIG)
        assert [text for _, text in said(chat)] == ["a", "1", "x", "1", "b", "2"]
