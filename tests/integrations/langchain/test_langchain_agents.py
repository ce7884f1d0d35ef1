"""Agents of `create_agent` with `ThreadkeepMiddleware`: what is stored is all that was said, once.

The chat model asks a scripted server over HTTP, which refuses prompts that OpenAI would refuse.
"""

from __future__ import annotations

import asyncio

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
from tests.integrations.langchain.chains import (
    ASK,
    ASK_TWO,
    CONFIG,
    said,
    shown,
    texts,
    user,
    weather,
)
from threadkeep.errors import ConfigError, NotOwner


@pytest.fixture(params=["no saver", "saver"])
def saver(request):
    return InMemorySaver() if request.param == "saver" else None


@pytest.fixture
def agent(memory, served, saver):
    """`agent(replies)`: an agent with the memory, and the server behind its model."""

    def make(replies, middleware=(), window=None, **options):
        chat_model, model = served(replies)
        ours = ThreadkeepMiddleware(memory, window=window, **options.pop("ours", {}))
        options = {"checkpointer": saver, "tools": [weather], **options}
        return create_agent(chat_model, middleware=[*middleware, ours], **options), model

    return make


@pytest.fixture(params=["sync", "async", "stream", "async stream"])
def run(request):
    """Runs an agent to its end, in one of four ways."""

    async def drained(stream):
        return [part async for part in stream]

    ways = {
        "sync": lambda agent, given, config: agent.invoke(given, config),
        "async": lambda agent, given, config: asyncio.run(agent.ainvoke(given, config)),
        "stream": lambda agent, given, config: list(agent.stream(given, config)),
        "async stream": lambda agent, given, config: asyncio.run(
            drained(agent.astream(given, config, stream_mode="messages"))
        ),
    }
    return lambda agent, given, config=CONFIG: ways[request.param](agent, given, config)


class TestEveryWayToRun:
    def test_turns_with_tools_are_stored_whole_and_shown_again(self, agent, run, chat):
        runner, model = agent(["hello", ASK_TWO, "warm", "bye"], system_prompt="be kind")
        for text in ("hi", "weather?", "thanks"):
            run(runner, user(text))
        assert said(chat) == [
            ("user", "hi"), ("assistant", "hello"), ("user", "weather?"),
            ("assistant", "weather+weather"), ("tool", "Lisbon: 21"), ("tool", "Rome: 21"),
            ("assistant", "warm"), ("user", "thanks"), ("assistant", "bye"),
        ]  # fmt: skip
        assert shown(model) == [
            "hi", "hello", "weather?", None, "Lisbon: 21", "Rome: 21", "warm", "thanks",
        ]  # fmt: skip
        assert [m["role"] for m in model.requests[-1]["messages"]].count("system") == 1

    def test_a_model_that_fails_costs_only_its_answer(self, agent, run, chat):
        runner, model = agent(["hello", 400, "bye"])
        run(runner, user("hi"))
        with pytest.raises(Exception, match="Bad request"):
            run(runner, user("again", id="u2"))
        assert said(chat)[-1] == ("user", "again")
        run(runner, user("again", id="u2"))
        assert said(chat) == [
            ("user", "hi"), ("assistant", "hello"), ("user", "again"), ("assistant", "bye"),
        ]  # fmt: skip
        assert shown(model) == ["hi", "hello", "again"]

    def test_a_failure_between_tools_and_answer(self, agent, run, chat):
        runner, model = agent([ASK, 400, "warm"])
        with pytest.raises(Exception, match="Bad request"):
            run(runner, user("weather?", id="u"))
        assert said(chat)[1:] == [("assistant", "weather"), ("tool", "Lisbon: 21")]
        run(runner, user("and now?"))
        assert shown(model) == ["weather?", None, "Lisbon: 21", "and now?"]
        assert said(chat)[-2:] == [("user", "and now?"), ("assistant", "warm")]

    def test_structured_output(self, agent, run, chat):
        class Weather(BaseModel):
            """The weather."""

            degrees: int

        told = {"tool_calls": [{"name": "Weather", "args": {"degrees": 21}}]}
        runner, model = agent([told, told], response_format=ToolStrategy(Weather))
        for text in ("weather?", "again?"):
            run(runner, user(text))
        assert [role for role, _ in said(chat)] == ["user", "assistant", "tool"] * 2
        assert len(model.requests) == 2


class TestTheState:
    def test_it_is_never_rewritten(self, agent, chat, saver):
        runner, _ = agent(["1", "2", "3"], window={"max_messages": 2, "step": 0})
        for number in "123":
            state = runner.invoke(user(f"q{number}"), CONFIG)
        told = ["q1", "1", "q2", "2", "q3", "3"] if saver else ["q3", "3"]
        assert texts(state["messages"]) == told
        assert state.keys() == {"messages"}
        assert len(chat.items()) == 6

    def test_messages_come_back_as_langchain_made_them(self, agent, chat, memory):
        runner, _ = agent([ASK, "warm"])
        state = runner.invoke(user("weather?"), CONFIG)
        from langchain_threadkeep import ThreadkeepChatMessageHistory

        assert ThreadkeepChatMessageHistory("t", memory).messages == state["messages"]

    def test_a_window_is_what_the_model_sees(self, agent, chat):
        runner, model = agent(["1", "2", "3", "4"], window={"max_messages": 3, "step": 0})
        for number in "1234":
            runner.invoke(user(f"q{number}"), CONFIG)
        assert shown(model) == ["q3", "3", "q4"]

    def test_a_long_turn_keeps_its_question(self, agent, chat):
        runner, model = agent([ASK] * 6 + ["warm"], window={"max_messages": 5, "step": 0})
        runner.invoke(user("weather?"), CONFIG)
        assert shown(model) == ["weather?", None, "Lisbon: 21", None, "Lisbon: 21"]
        assert len(chat.items()) == 14

    def test_input_of_several_messages_and_kinds(self, agent, chat):
        runner, model = agent(["ok", "yes"])
        given = [SystemMessage("today is Monday"), HumanMessage("a"), HumanMessage("b")]
        runner.invoke({"messages": given}, CONFIG)
        runner.invoke(user("c"), CONFIG)
        assert [text for _, text in said(chat)] == ["today is Monday", "a", "b", "ok", "c", "yes"]
        assert shown(model) == ["a", "b", "ok", "c"]

    def test_a_store_that_keeps_nothing_still_answers(self, served, saver):
        chat_model, model = served([ASK, "warm"])
        ours = ThreadkeepMiddleware("none://")
        runner = create_agent(chat_model, [weather], middleware=[ours], checkpointer=saver)
        runner.invoke(user("weather?"), CONFIG)
        assert shown(model) == ["weather?", None, "Lisbon: 21"]

    def test_a_thread_that_began_without_a_memory_is_taken_over(self, memory, served, chat):
        saver = InMemorySaver()
        chat_model, _ = served(["1", ASK, "2", "3"])
        before = create_agent(chat_model, [weather], checkpointer=saver)
        for text in ("a", "b"):
            before.invoke(user(text), CONFIG)
        ours = ThreadkeepMiddleware(memory)
        after = create_agent(chat_model, [weather], middleware=[ours], checkpointer=saver)
        state = after.invoke(user("c"), CONFIG)
        assert [item.text for item in chat.items()] == texts(state["messages"])
        assert len(chat.items()) == 8


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


class TestPeople:
    def test_the_user_is_found_where_the_application_put_it(self, memory, served):
        chat_model, _ = served(lambda _: "ok")
        ours = ThreadkeepMiddleware(memory, user_id="nobody")
        runner = create_agent(chat_model, middleware=[ours])
        for number, (config, context) in enumerate(
            [({}, {"user_id": "ada"}), ({"user_id": "ada"}, None), ({}, None)]
        ):
            given = {"configurable": {"thread_id": f"t{number}", **config}}
            runner.invoke(user("hi"), given, context=context)
        owners = [memory.session(f"t{number}").info().user for number in range(3)]
        assert owners == ["ada", "ada", "nobody"]

    def test_a_callable_goes_first(self, memory, served):
        chat_model, _ = served(["ok"])
        ours = ThreadkeepMiddleware(memory, user_id=lambda runtime: runtime.context["who"])
        create_agent(chat_model, middleware=[ours]).invoke(
            user("hi"),
            {"configurable": {"thread_id": "t", "user_id": "bob"}},
            context={"who": "ada"},
        )
        assert memory.session("t").info().user == "ada"

    def test_a_stranger_is_refused_before_the_model_is_asked(self, memory, served):
        chat_model, model = served(["ok", "ok"])
        runner = create_agent(chat_model, middleware=[ThreadkeepMiddleware(memory)])
        runner.invoke(user("hi"), {"configurable": {"thread_id": "t", "user_id": "ada"}})
        with pytest.raises(NotOwner):
            runner.invoke(user("hi"), {"configurable": {"thread_id": "t", "user_id": "bob"}})
        assert len(model.requests) == 1

    def test_without_a_session_it_says_what_to_pass(self, memory, served):
        chat_model, _ = served(["ok"])
        runner = create_agent(chat_model, middleware=[ThreadkeepMiddleware(memory)])
        with pytest.raises(ConfigError, match="thread_id"):
            runner.invoke(user("hi"))

    def test_a_session_said_beforehand_goes_before_the_thread(self, memory, served):
        chat_model, _ = served(["ok"])
        ours = ThreadkeepMiddleware(memory, session_id="mine")
        create_agent(chat_model, middleware=[ours]).invoke(user("hi"), CONFIG)
        assert len(memory.session("mine").items()) == 2

    def test_a_url_and_no_store_touched_before_the_first_run(self, tmp_path):
        ours = ThreadkeepMiddleware(f"sqlite:///{tmp_path}/chat.db")
        assert list(tmp_path.iterdir()) == []
        ours.memory.close()

    def test_a_wrong_option_is_said_at_once(self, memory):
        with pytest.raises(ConfigError, match="resend"):
            ThreadkeepMiddleware(memory, resend="perhaps")


def test_files_are_named_to_the_model_on_request(memory, served, chat):
    chat.files.add({"url": "https://x/plan.pdf", "name": "plan.pdf"})
    for files, prompt in ((False, "be kind"), (True, "be kind"), (True, None)):
        chat_model, model = served(["ok"])
        ours = ThreadkeepMiddleware(memory, files=files)
        runner = create_agent(chat_model, middleware=[ours], system_prompt=prompt)
        runner.invoke(user("hi"), CONFIG)
        told = str([m for m in model.requests[0]["messages"] if m["role"] == "system"])
        assert ("https://x/plan.pdf" in told) is files
        assert prompt is None or prompt in told


def test_the_store_is_a_file_that_others_read(agent, tmp_path):
    runner, _ = agent([ASK, "warm"])
    runner.invoke(user("weather?"), CONFIG)
    with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db") as other:
        window = other.session("t").window().to_anthropic()
    assert [message["role"] for message in window] == ["user", "assistant", "user", "assistant"]
