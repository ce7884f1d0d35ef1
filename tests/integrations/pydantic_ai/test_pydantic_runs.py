"""Real agents on conversations that are stored: tools, streams, approvals, several at once."""

from __future__ import annotations

import asyncio

import pytest
from pydantic_ai import Agent, ApprovalRequired, DeferredToolRequests, RunContext
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationConflict, InMemoryConversationStore
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.tools import DeferredToolResults

import threadkeep
from pydantic_ai_threadkeep import ThreadkeepConversationStore
from tests.integrations.pydantic_ai.conftest import Beside, run

CITIES = ("Oslo", "Rome")


@pytest.fixture
def both(memory):
    """Ours beside the framework's: each primitive does the same in both."""
    return Beside(ThreadkeepConversationStore(memory), InMemoryConversationStore())


def answer(messages, info):
    """Two calls at once, then what they found."""
    results = [p for m in messages for p in m.parts if isinstance(p, ToolReturnPart)]
    prompts = [p for m in messages for p in m.parts if isinstance(p, UserPromptPart)]
    if len(results) < 2 * len(prompts):
        turn = len(prompts)
        calls = [ToolCallPart("weather", {"city": c}, f"call_{turn}_{c}") for c in CITIES]
        return ModelResponse([TextPart("I look."), *calls])
    return ModelResponse([TextPart(f"{len(prompts)}: {results[-1].content}")])


async def stream(messages, info):
    yield "Hello "
    yield "there"


def guide(**options):
    agent = Agent(FunctionModel(answer, stream_function=stream), **options)

    @agent.tool_plain
    def weather(city: str) -> str:
        return f"{city}: 21 degrees"

    return agent


async def turn(store, agent, prompt, id="c", **options):
    conversation = await store.load(id) or Conversation(conversation_id=id)
    result = await agent.run(prompt, conversation=conversation, **options)
    await store.save(result)
    return result


def test_turns_with_parallel_calls_go_on_where_they_ended(both, memory):
    agent = guide(instructions="Be brief.")
    for number in range(1, 4):
        result = run(turn(both, agent, f"question {number}"))
        assert result.output == f"{number}: Rome: 21 degrees"
        loaded = run(both.load("c"))
        assert loaded.messages == result.all_messages()
        assert loaded.usage == result.conversation.usage
    assert [item.role for item in memory.session("c").items()] == [
        "user", "assistant", "tool", "tool", "assistant",
    ] * 3  # fmt: skip


def test_a_streamed_answer_is_stored_whole(both):
    async def go():
        agent = guide()
        async with agent.run_stream("hi", conversation=Conversation(conversation_id="c")) as result:
            text = await result.get_output()
        await both.save(Conversation(conversation_id="c", messages=result.all_messages()))
        return text, await both.load("c"), result.all_messages()

    text, loaded, messages = run(go())
    assert text == "Hello there"
    assert loaded.messages == messages


def test_a_paused_run_is_approved_in_another_process(both, memory):
    def pay(messages, info):
        if isinstance(messages[-1], ModelRequest) and any(
            isinstance(part, ToolReturnPart) for part in messages[-1].parts
        ):
            return ModelResponse([TextPart("Paid.")])
        return ModelResponse([ToolCallPart("pay", {"sum": 5}, "call_1")])

    agent = Agent(FunctionModel(pay), output_type=[str, DeferredToolRequests])

    @agent.tool
    def pay_bill(context: RunContext[None], sum: int) -> str:
        return "done"

    @agent.tool(name="pay")
    def pay_tool(context: RunContext[None], sum: int) -> str:
        if not context.tool_call_approved:
            raise ApprovalRequired(metadata={"limit": 3})
        return f"{sum} paid"

    paused = run(turn(both, agent, "pay 5"))
    assert isinstance(paused.output, DeferredToolRequests)
    both.ours = ThreadkeepConversationStore(memory)

    async def approve():
        loaded = await both.load("c")
        assert loaded.deferred_tool_requests == paused.output
        assert loaded.deferred_tool_requests.metadata == {"call_1": {"limit": 3}}
        results = DeferredToolResults(approvals={"call_1": True})
        result = await agent.run(conversation=loaded, deferred_tool_results=results)
        await both.save(result)
        return result

    assert run(approve()).output == "Paid."
    assert run(both.load("c")).deferred_tool_requests is None


def test_of_two_runs_at_once_one_is_refused_and_loses_nothing(store, memory):
    async def go():
        await turn(store, guide(), "begin")
        outcomes = await asyncio.gather(
            *(turn(store, guide(), f"at once {n}") for n in range(2)), return_exceptions=True
        )
        refused = [o for o in outcomes if isinstance(o, ConversationConflict)]
        for outcome in outcomes:
            assert not isinstance(outcome, Exception) or outcome in refused
        for number in range(len(refused)):
            await turn(store, guide(), f"again {number}")
        return await store.load("c"), refused

    loaded, refused = run(go())
    prompts = [p.content for m in loaded.messages for p in m.parts if isinstance(p, UserPromptPart)]
    assert len(prompts) == 3
    assert len(refused) in (0, 1)
    assert len(memory.session("c").items()) == 15


def test_many_writers_of_one_conversation_store_every_turn_once(store):
    async def writer(number):
        while True:
            try:
                return await turn(store, Agent(TestModel(custom_output_text="ok")), f"w{number}")
            except ConversationConflict:
                continue

    async def go():
        await asyncio.gather(*(writer(number) for number in range(8)))
        return await store.load("c")

    loaded = run(go())
    prompts = [p.content for m in loaded.messages for p in m.parts if isinstance(p, UserPromptPart)]
    assert sorted(prompts) == [f"w{n}" for n in range(8)]
    assert loaded.usage.requests == 8


def test_a_crash_before_the_save_leaves_what_was_there(both, memory):
    run(turn(both, guide(), "one"))
    before = run(both.load("c"))

    class Crash(Exception):
        pass

    def crash(messages, info):
        raise Crash

    with pytest.raises(Crash):
        run(turn(both, Agent(FunctionModel(crash)), "two"))
    both.ours = ThreadkeepConversationStore(memory)
    assert run(both.load("c")) == before
    assert run(turn(both, guide(), "two")).output == "2: Rome: 21 degrees"


@pytest.mark.parametrize("step", range(6))
def test_a_crash_at_any_commit_of_a_save_leaves_all_of_it_or_nothing(memory, step, monkeypatch):
    store = ThreadkeepConversationStore(memory)
    run(turn(store, guide(), "one"))
    before = run(store.load("c"))
    backend, commits = memory.backend, 0
    commit = backend.commit

    def crash(*args, **kwargs):
        nonlocal commits
        commits += 1
        if commits > step:
            raise threadkeep.errors.BackendError("the process is gone")
        return commit(*args, **kwargs)

    result = run(guide().run("two", conversation=run(store.load("c"))))
    monkeypatch.setattr(backend, "commit", crash)
    try:
        run(store.save(result))
        saved = True
    except threadkeep.errors.BackendError:
        saved = False
    monkeypatch.undo()
    assert saved == (step > 2), "the index, the scope's list, and the conversation"
    store = ThreadkeepConversationStore(memory)
    loaded = run(store.load("c"))
    assert loaded.messages == (result.all_messages() if saved else before.messages)
    assert len(memory.session("c").items()) == (10 if saved else 5)
    if not saved:
        run(store.save(result))
        assert run(store.load("c")).messages == result.all_messages()
        assert [r.conversation_id for r in run(store.list_conversations())] == ["c"]
