"""Real runs of ADK's runner, with a model that says what a script tells it."""

from __future__ import annotations

import asyncio

import pytest
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.events.event import Event
from google.adk.sessions import InMemorySessionService
from google.adk.sessions.base_session_service import GetSessionConfig
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

import threadkeep
from google_adk_threadkeep import ThreadkeepSessionService, instructions, stored_session_id
from tests.integrations.google_adk.conftest import (
    APP,
    USER,
    WHO,
    ask,
    called,
    make_runner,
    said,
    usage,
)
from tests.window.histories import tool_loops
from tests.window.looking import last_step, many, newest_user_message
from threadkeep.testing import assert_valid

CHAT = {**WHO, "session_id": "chat"}
STORED = stored_session_id(APP, USER, "chat")


def read(service, **config):
    asked = GetSessionConfig(**config) if config else None
    return asyncio.run(service.get_session(**CHAT, config=asked))


def without_ids(events):
    """What was said, without the ids and times that each run draws anew."""
    drawn = {"id", "invocation_id", "timestamp"}
    return [event.model_dump(exclude={*drawn, "content"}) for event in events]


def test_a_run_reads_back_what_it_gave_and_goes_on_in_the_next_turn(service):
    script = [called("Oslo", "Rome"), said("Both warm."), said("Yes.")]
    runner, model = make_runner(service, script)
    first = asyncio.run(ask(runner, "How warm?"))
    second = asyncio.run(ask(runner, "Sure?"))
    events = read(service).events
    assert [e for e in events if e.author == "guide"] == [*first, *second]
    prompt = model.requests[-1].contents
    parts = [part for content in prompt for part in content.parts]
    assert [part.text for part in parts if part.text] == ["How warm?", "Both warm.", "Sure?"]
    answers = [p.function_response.response for p in parts if p.function_response]
    assert answers == [{"result": "Oslo: 21 degrees"}, {"result": "Rome: 21 degrees"}]


def test_the_prompts_are_those_of_the_in_memory_service(service):
    prompts = []
    for one in (service, InMemorySessionService()):
        runner, model = make_runner(one, [called("Oslo", "Rome"), said("Warm."), said("Yes.")])
        asyncio.run(ask(runner, "How warm?"))
        asyncio.run(ask(runner, "Sure?"))
        texts = [[p.model_dump(exclude={"function_call": {"id"}, "function_response": {"id"}})
                  for c in r.contents for p in c.parts] for r in model.requests]  # fmt: skip
        prompts.append(texts)
    assert prompts[0] == prompts[1]


def test_other_frameworks_read_a_run_with_parallel_calls(service, memory):
    runner, _ = make_runner(service, [called("Oslo", "Rome"), said("Both warm.")])
    asyncio.run(ask(runner, "How warm?"))
    messages = memory.session(STORED, user=USER).window().to_openai()
    assert_valid(messages, "openai")
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "tool", "assistant"]
    assert [m["content"] for m in messages[2:4]] == ["Oslo: 21 degrees", "Rome: 21 degrees"]


def test_what_another_framework_said_is_in_the_prompt(memory):
    chat = memory.session(STORED, user=USER)
    calls = [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]
    chat.add({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Warm?"})
    chat.add({"role": "assistant", "content": None, "tool_calls": calls})
    chat.add({"role": "tool", "tool_call_id": "c1", "content": "21"})
    chat.add({"role": "assistant", "content": "It is."})
    service = ThreadkeepSessionService(memory, agent="guide")
    runner, model = make_runner(service, [said("Sure.")])
    asyncio.run(ask(runner, "Sure?"))
    parts = [part for content in model.requests[0].contents for part in content.parts]
    assert [p.function_call.name for p in parts if p.function_call] == ["weather"]
    (answer,) = [p.function_response for p in parts if p.function_response]
    assert (answer.id, answer.name, answer.response) == ("c1", "weather", {"result": "21"})
    texts = " ".join(part.text or "" for part in parts)
    assert "Be brief." in texts
    assert "It is." in texts


def test_two_runs_on_one_session_at_once_do_not_mix(service):
    asyncio.run(service.create_session(**CHAT))
    first, _ = make_runner(service, [called("Oslo"), said("One.")])
    second, _ = make_runner(service, [called("Rome"), said("Two.")])

    async def both():
        return await asyncio.gather(
            ask(first, "first"), ask(second, "second"), return_exceptions=True
        )

    outcomes = asyncio.run(both())
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [
        StaleSessionError
    ]
    winner = next(n for n, outcome in enumerate(outcomes) if not isinstance(outcome, Exception))
    texts = [p.text for e in read(service).events for p in e.content.parts if p.text]
    question, answer = (("first", "One."), ("second", "Two."))[winner]
    assert texts[-2:] == [question, answer]
    assert ("One.", "Two.")[1 - winner] not in texts


def test_a_crash_between_steps_keeps_what_was_said_and_the_session_goes_on(service, memory):
    runner, _ = make_runner(service, [called("Oslo"), RuntimeError("the model is down")])
    with pytest.raises(RuntimeError, match="down"):
        asyncio.run(ask(runner, "How warm?"))
    events = read(service).events
    assert [event.author for event in events[:3]] == ["user", "guide", "guide"]
    runner, model = make_runner(ThreadkeepSessionService(memory), [said("21 degrees.")])
    asyncio.run(ask(runner, "Well?"))
    parts = [part for content in model.requests[0].contents for part in content.parts]
    assert [p.function_response.response for p in parts if p.function_response]
    assert_valid(memory.session(STORED).window().to_openai(), "openai")


def test_parallel_agents_share_one_session_object(service):
    async def appends():
        session = await service.create_session(**CHAT)
        events = [Event(author=f"a{n}", invocation_id="i") for n in range(20)]
        await asyncio.gather(*(service.append_event(session, event) for event in events))
        return session.events

    held = asyncio.run(appends())
    assert read(service).events == held


def test_answers_are_recorded_with_their_usage(memory):
    service = ThreadkeepSessionService(memory, record_responses=True)
    script = [
        called("Oslo", usage_metadata=usage(9, 4, 2)),
        said("Warm.", usage_metadata=usage(20, 3)),
    ]
    runner, _ = make_runner(service, script)
    asyncio.run(ask(runner, "How warm?"))
    first, second = memory.responses.list(conversation=STORED)[::-1]
    assert (first.tokens.input_tokens, first.tokens.output_tokens, first.tokens.total_tokens) == (
        9,
        6,
        15,
    )
    assert (second.tokens.input_tokens, second.tokens.output_tokens) == (20, 3)
    assert second.previous_response_id == first.id
    assert [entry["role"] for entry in first.input] == ["user"]
    assert [entry["type"] for entry in second.input] == ["function_call_output"]
    assert (second.text, second.model, second.user) == ("Warm.", "scripted-1", USER)


@pytest.mark.parametrize("recall", [False, True])
def test_instructions_tell_the_agent_what_is_known_of_its_user(service, memory, recall):
    memory.user(USER).facts.add("Ada is allergic to nuts.")
    memory.user("bob").facts.add("Bob has a dog.")
    rendered = instructions(memory, base="Be brief.", recall=recall)
    runner, model = make_runner(service, [said("No nuts.")], instruction=rendered)
    asyncio.run(ask(runner, "What may I eat, nuts?"))
    system = str(model.requests[0].config.system_instruction)
    assert "Be brief." in system
    assert "allergic to nuts" in system
    assert "Bob" not in system
    assert "allergic" not in str(memory.session(STORED).items())


class TestWindow:
    def test_a_turn_is_told_what_fits_and_appends_go_on(self, memory):
        service = ThreadkeepSessionService(memory, window={"max_exchanges": 2})
        for number in range(6):
            runner, model = make_runner(
                service, [called("Oslo", "Rome"), said(f"Answer {number}.")]
            )
            asyncio.run(ask(runner, f"Question {number}?"))
        texts = [p.text for c in model.requests[-1].contents for p in c.parts if p.text]
        assert texts == ["Question 3?", "Answer 3.", "Question 4?", "Answer 4.", "Question 5?"]
        assert len(read(ThreadkeepSessionService(memory)).events) == 24

    def test_a_cut_result_stays_the_answer_to_its_call(self, memory):
        def report(city: str) -> dict[str, str]:
            """A long report."""
            return {"result": f"{city} " * 20_000}

        whole = ThreadkeepSessionService(memory)
        call = types.Part(function_call=types.FunctionCall(name="report", args={"city": "Oslo"}))
        ask_for = said("x").model_copy(
            update={"content": types.Content(role="model", parts=[call])}
        )
        runner, _ = make_runner(whole, [ask_for, said("Long.")], tools=[report])
        asyncio.run(ask(runner, "Report!"))
        policies = [
            threadkeep.policies.max_tool_result(1_000),
            threadkeep.policies.max_tokens(50_000),
        ]
        service = ThreadkeepSessionService(memory, window=policies)
        runner, model = make_runner(service, [said("Done.")], tools=[report])
        asyncio.run(ask(runner, "And now?"))
        parts = [part for content in model.requests[0].contents for part in content.parts]
        (answer,) = [p.function_response for p in parts if p.function_response]
        assert answer.name == "report"
        assert len(str(answer.response)) < 10_000
        assert [p.function_call.id for p in parts if p.function_call] == [answer.id]

    def test_a_rewind_of_a_window_is_refused_since_state_would_be_lost(self, memory):
        whole = ThreadkeepSessionService(memory)
        runner, _ = make_runner(whole, [said("One."), said("Two.")])
        asyncio.run(ask(runner, "1"))
        asyncio.run(ask(runner, "2"))
        before = read(whole)
        windowed = ThreadkeepSessionService(memory, window={"max_exchanges": 1})
        runner, _ = make_runner(windowed, [])
        rewind = {"user_id": USER, "session_id": "chat"}
        last = before.events[-1].invocation_id
        with pytest.raises(threadkeep.errors.InputError, match="needs all of its events"):
            asyncio.run(runner.rewind_async(**rewind, rewind_before_invocation_id=last))
        assert read(whole) == before


@many
@given(history=tool_loops(), limit=st.integers(1, 4))
def test_a_window_shows_the_last_step_and_the_question(history, limit):
    with threadkeep.connect("memory://") as memory:
        stored = memory.session(STORED).add(*history)
        events = read(ThreadkeepSessionService(memory, window={"max_messages": limit})).events
        shown = [p for e in events if e.content for p in e.content.parts]
        calls = {p.function_call.id: p.function_call.name for p in shown if p.function_call}
        answers = {p.function_response.id for p in shown if p.function_response}
        step = last_step(stored)
        assert {call["id"] for item in step for call in item.tool_calls} <= calls.keys()
        assert {item.tool_call_id for item in step if item.tool_call_id} <= answers <= calls.keys()
        texts = " ".join(p.text or "" for p in shown)
        assert all(item.text.strip() in texts for item in newest_user_message(stored))


class TestRewind:
    @pytest.fixture
    def rewound(self, service):
        runner, model = make_runner(
            service, [said("One."), called("Oslo"), said("Two."), said("3.")]
        )
        asyncio.run(ask(runner, "first"))
        asyncio.run(ask(runner, "second"))
        second = read(service).events[-1].invocation_id
        asyncio.run(
            runner.rewind_async(user_id=USER, session_id="chat", rewind_before_invocation_id=second)
        )
        return runner, model

    def test_the_model_does_not_see_what_was_taken_back(self, rewound):
        runner, model = rewound
        asyncio.run(ask(runner, "third"))
        texts = [p.text for c in model.requests[-1].contents for p in c.parts if p.text]
        assert texts == ["first", "One.", "third"]

    def test_neither_do_other_frameworks_nor_search(self, rewound, memory):
        chat = memory.session(STORED, user=USER)
        assert [item.text for item in chat.window()] == ["first", "One."]
        assert not memory.user(USER).recall("second")

    def test_adk_still_has_all_events(self, rewound, service):
        session = read(service)
        assert len(session.events) == 7
        assert session.events[-1].actions.rewind_before_invocation_id
        assert read(service, num_recent_events=3).events == session.events[-3:]
