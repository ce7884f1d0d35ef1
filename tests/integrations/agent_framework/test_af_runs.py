"""Real runs of agents, with a model that says what a script tells it."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest
from agent_framework import AgentSession, Content, InMemoryHistoryProvider, Message

import threadkeep
from agent_framework_threadkeep import ThreadkeepContextProvider, ThreadkeepHistoryProvider
from tests.integrations.agent_framework.conftest import (
    ScriptedClient,
    ask,
    called,
    dumps,
    make_agent,
    said,
)
from threadkeep.errors import ConfigError, NotOwner
from threadkeep.testing import assert_valid

TURN = ["user", "assistant", "tool", "assistant"]


def test_the_next_turn_is_told_the_last(history, memory):
    client = ScriptedClient(called("Oslo", "Rome"), said("Both warm."), said("Yes."))
    agent = make_agent(client, history)
    ask(agent, "How warm?")
    assert ask(agent, "Sure?").text == "Yes."
    assert [message.role for message in client.asked[-1]] == [*TURN, "user"]
    messages = memory.session("chat").window().to_openai()
    assert_valid(messages, "openai")
    assert [m["role"] for m in messages[:5]] == ["user", "assistant", "tool", "tool", "assistant"]
    assert [m["content"] for m in messages[2:4]] == ["Oslo: 21 degrees", "Rome: 21 degrees"]


@pytest.mark.proves("D22")
def test_the_prompts_are_those_of_the_in_memory_provider(history):
    prompts = []
    for provider in (history, InMemoryHistoryProvider()):
        client = ScriptedClient(called("Oslo", "Rome"), said("Warm."), said("Yes."))
        agent, session = make_agent(client, provider), AgentSession(session_id="chat")
        ask(agent, "How warm?", session)
        ask(agent, "Sure?", session)
        ids = {"id", "additional_properties"}  # drawn anew in each run; the provider's name
        prompts.append(
            [
                (m.role, [c.to_dict(exclude=ids) for c in m.contents])
                for asked in client.asked
                for m in asked
            ]
        )
    assert prompts[0] == prompts[1]


def test_streamed_answers_are_saved(history):
    client = ScriptedClient(called("Oslo"), said("Warm."))
    agent = make_agent(client, history)

    async def stream():
        session = AgentSession(session_id="chat")
        return [update async for update in agent.run("How warm?", stream=True, session=session)]

    asyncio.run(stream())
    read = asyncio.run(history.get_messages("chat"))
    assert [message.role for message in read] == TURN
    assert read[-1].text == "Warm."


def test_two_runs_on_one_session_at_once_keep_both_turns_whole(history, memory):
    agents = [
        make_agent(ScriptedClient(called(city), said(f"{city} is warm.")), history)
        for city in ("Oslo", "Rome")
    ]

    async def both():
        sessions = [AgentSession(session_id="chat") for _ in agents]
        runs = [a.run("How warm?", session=s) for a, s in zip(agents, sessions, strict=True)]
        return await asyncio.gather(*runs)

    asyncio.run(both())
    read = asyncio.run(history.get_messages("chat"))
    assert [message.role for message in read] == TURN * 2
    for turn in (read[:4], read[4:]):
        (call,) = [c for c in turn[1].contents if c.type == "function_call"]
        assert turn[2].contents[0].call_id == call.call_id
        assert call.arguments["city"] in turn[3].text
    assert_valid(memory.session("chat").window().to_openai(), "openai")


def test_many_saves_at_once_lose_nothing(history):
    async def saves():
        batches = ([Message("user", [f"{n}a"]), Message("assistant", [f"{n}b"])] for n in range(16))
        await asyncio.gather(*(history.save_messages("chat", batch) for batch in batches))

    asyncio.run(saves())
    texts = [message.text for message in asyncio.run(history.get_messages("chat"))]
    assert sorted(texts) == sorted(f"{n}{x}" for n in range(16) for x in "ab")
    assert all(b == a[:-1] + "b" for a, b in zip(texts[::2], texts[1::2], strict=True))


def test_a_run_that_crashes_saves_nothing_and_the_session_goes_on(history, memory):
    client = ScriptedClient(said("Hello."), called("Oslo"), RuntimeError("the model is down"))
    agent = make_agent(client, history)
    ask(agent, "Hi")
    with pytest.raises(RuntimeError, match="down"):
        ask(agent, "How warm?")
    client = ScriptedClient(said("Well."))
    ask(make_agent(client, ThreadkeepHistoryProvider(memory)), "Again?")
    assert [message.text for message in client.asked[0]] == ["Hi", "Hello.", "Again?"]


def test_a_crash_between_steps_keeps_the_steps_if_each_is_saved(history, memory):
    client = ScriptedClient(called("Oslo"), RuntimeError("the model is down"))
    options = {"require_per_service_call_history_persistence": True}
    agent = make_agent(client, history, **options)
    with pytest.raises(RuntimeError, match="down"):
        ask(agent, "How warm?")
    kept = asyncio.run(history.get_messages("chat"))
    assert [message.role for message in kept][:2] == ["user", "assistant"]
    client = ScriptedClient(said("21 degrees."))
    ask(make_agent(client, history, **options), "Well?")
    assert_valid(memory.session("chat").window().to_openai(), "openai")
    assert client.asked[0][-1].text == "Well?"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("each_step", [False, True], ids=["saved once", "each step saved"])
def test_a_transcript_sent_with_each_run_is_stored_once(history, each_step, streamed):
    """The framework names calls after they are saved, in the objects that its provider holds."""

    async def stored_by(provider):
        session, transcript = AgentSession(session_id="chat"), []
        for number in range(3):
            client = ScriptedClient(called("Oslo", "Rome"), said(f"Warm {number}."))
            agent = make_agent(
                client, provider, require_per_service_call_history_persistence=each_step
            )
            transcript.append(Message("user", [f"How warm {number}?"]))
            if streamed:
                stream = agent.run(list(transcript), session=session, stream=True)
                transcript += (await stream.get_final_response()).messages
            else:
                transcript += (await agent.run(list(transcript), session=session)).messages
        state = session.state[provider.source_id]
        return [message.role for message in await provider.get_messages("chat", state=state)]

    ours, theirs = (asyncio.run(stored_by(p)) for p in (history, InMemoryHistoryProvider()))
    assert ours == theirs == TURN * 3


def test_a_window_bounds_the_prompt(memory):
    history = ThreadkeepHistoryProvider(memory, window={"max_exchanges": 2})
    for number in range(6):
        client = ScriptedClient(called("Oslo", "Rome"), said(f"Answer {number}."))
        ask(make_agent(client, history), f"Question {number}?")
    texts = [message.text for message in client.asked[0] if message.text]
    assert texts == ["Question 3?", "Answer 3.", "Question 4?", "Answer 4.", "Question 5?"]


def test_a_cut_result_stays_the_answer_to_its_call(memory):
    call = Content.from_function_call("c1", "report", arguments={})
    result = Content.from_function_result("c1", result="Oslo " * 20_000)
    turn = [Message("user", ["Report!"]), Message("assistant", [call]), Message("tool", [result])]
    whole = ThreadkeepHistoryProvider(memory)
    asyncio.run(whole.save_messages("chat", [*turn, Message("assistant", ["Long."])]))
    policies = [threadkeep.policies.max_tool_result(1_000), threadkeep.policies.max_tokens(50_000)]
    history = ThreadkeepHistoryProvider(memory, window=policies)
    (cut,) = [m.contents[0] for m in asyncio.run(history.get_messages("chat")) if m.role == "tool"]
    assert cut.call_id == "c1"
    assert len(cut.result) < 10_000
    assert [item.text for item in cut.items or ()] == [cut.result]


VARIABLE: ContextVar[str] = ContextVar("user")


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("ada", {}),
        (None, {"user_id": "ada"}),
        ("somebody", {"user_id": "ada"}),
        (lambda session: session and session.state.get("tenant"), {"tenant": "ada"}),
        (VARIABLE, {}),
    ],
    ids=["plain", "state", "state before plain", "callable", "variable"],
)
def test_the_user_of_a_run_owns_its_session(memory, source, state):
    token = VARIABLE.set("ada")
    try:
        history = ThreadkeepHistoryProvider(memory, user=source)
        ask(make_agent(ScriptedClient(said("Hello.")), history), "Hi", **state)
    finally:
        VARIABLE.reset(token)
    assert memory.session("chat").info().user == "ada"
    other = ThreadkeepHistoryProvider(memory, user="bob")
    with pytest.raises(NotOwner):
        ask(make_agent(ScriptedClient(said("Hello.")), other), "Hi")


@pytest.mark.parametrize("user", ["", True, object()])
def test_a_user_id_of_a_run_that_is_none_is_refused(history, user):
    agent = make_agent(ScriptedClient(said("Hello.")), history)
    with pytest.raises(ConfigError, match="user_id of the session's state"):
        ask(agent, "Hi", user_id=user)


def test_runs_at_once_of_several_users_do_not_mix(history, memory):
    async def run(user):
        session = AgentSession(session_id=f"chat of {user}")
        session.state["user_id"] = user
        await make_agent(ScriptedClient(said("Hello.")), history).run("Hi", session=session)

    async def all_of_them():
        await asyncio.gather(*(run(f"user{n}") for n in range(8)))

    asyncio.run(all_of_them())
    for n in range(8):
        assert [info.id for info in memory.sessions(user=f"user{n}")] == [f"chat of user{n}"]


def test_the_answer_of_a_run_is_recorded_with_its_usage(memory):
    history = ThreadkeepHistoryProvider(memory, user="ada", record_responses=True)
    counts = {"input_token_count": 9, "output_token_count": 4, "total_token_count": 13}
    client = ScriptedClient(
        called("Oslo", usage_details=counts), said("Warm.", usage_details=counts, response_id="r1")
    )
    ask(make_agent(client, history), "How warm?")
    (response,) = memory.responses.list(conversation="chat")
    assert (response.text, response.status, response.user) == ("Warm.", "completed", "ada")
    assert (response.tokens.input_tokens, response.tokens.output_tokens) == (18, 8)
    assert response.model == "scripted-1"
    assert [entry["role"] for entry in response.input] == ["user"]
    assert [call["name"] for call in response.tool_calls] == ["weather"]


class TestContext:
    @pytest.fixture
    def known(self, memory):
        memory.user("ada").facts.add("Ada is allergic to nuts.")
        memory.user("bob").facts.add("Bob has a dog.")
        old = memory.session("old", user="ada")
        old.add("The yellow tram goes to the harbour.", {"role": "assistant", "content": "Noted."})
        return memory

    def run(self, memory, text, **options):
        client = ScriptedClient(said("Hello."))
        history = ThreadkeepHistoryProvider(memory, user="ada")
        context = ThreadkeepContextProvider(memory, user="ada", **options)
        ask(make_agent(client, history, context, instructions="Be brief."), text)
        return str(client.options[0].get("instructions")), client.asked[0]

    def test_an_agent_is_told_what_is_known_of_its_user(self, known):
        instructions, asked = self.run(known, "Where does the yellow tram go?")
        system = instructions + str([message.text for message in asked if message.role == "system"])
        assert "Be brief." in system
        assert "allergic to nuts" in system
        assert "Bob" not in system
        assert "harbour" in asked[-2].text
        assert asked[-1].text == "Where does the yellow tram go?"
        assert "harbour" not in system

    def test_none_of_it_is_stored(self, known):
        self.run(known, "Where does the yellow tram go?")
        stored = str(known.session("chat").items())
        assert "allergic" not in stored
        assert "harbour" not in stored

    def test_recall_can_be_left_out_and_everything_can(self, known):
        question = "Where does the yellow tram go?"
        instructions, asked = self.run(known, question, inject={"recall": False})
        assert "harbour" not in instructions + str(dumps(asked))
        instructions, asked = self.run(known, question, inject=False)
        assert "allergic" not in instructions + str(dumps(asked))
