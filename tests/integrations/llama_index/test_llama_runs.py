"""Real chat engines, agents and workflow contexts on a `ThreadkeepMemory`, models scripted."""

from __future__ import annotations

import asyncio
import json

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage, TextBlock, ThinkingBlock
from llama_index.core.chat_engine import (
    CondensePlusContextChatEngine,
    ContextChatEngine,
    SimpleChatEngine,
)
from llama_index.core.workflow import Context

import threadkeep
from llama_index.memory.threadkeep import ThreadkeepMemory
from tests.integrations.llama_index.conftest import Scripted, Shelf, call, weather
from threadkeep.adapters.shared import shared_memory
from threadkeep.testing import assert_valid

# LlamaIndex's own workflows, not ours, look at every attribute of an agent.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:is_running called from within:DeprecationWarning"),
]


def on(memory, **options):
    return ThreadkeepMemory.from_defaults(memory=memory, session_id="chat", **options)


def texts(memory):
    return [item.text for item in memory.session("chat").items()]


def simple(model, memory):
    return SimpleChatEngine.from_defaults(llm=model.llm, memory=memory)


def context(model, memory):
    return ContextChatEngine.from_defaults(retriever=Shelf(), llm=model.llm, memory=memory)


def condensing(model, memory):
    return CondensePlusContextChatEngine.from_defaults(
        retriever=Shelf(), llm=model.llm, memory=memory, skip_condense=True
    )


ENGINES = {"simple": simple, "context": context, "condense plus context": condensing}


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
class TestEngines:
    def test_an_empty_memory_is_not_taken_for_a_missing_one(self, memory, make):
        make(Scripted("hello"), on(memory)).chat("hi")
        assert texts(memory) == ["hi", "hello"]

    def test_a_conversation_goes_on_in_another_engine(self, memory, make):
        make(Scripted("hello"), on(memory)).chat("hi")
        model = Scripted("you said hi")
        assert make(model, on(memory)).chat("what?").response == "you said hi"
        assert {"hi", "hello"} <= set(model.said[0])
        assert texts(memory) == ["hi", "hello", "what?", "you said hi"]

    def test_async_and_streams_keep_the_same(self, memory, make):
        async def story():
            engine = make(Scripted("one", "two"), on(memory))
            await engine.achat("a")
            streamed = await engine.astream_chat("b")
            async for _ in streamed.async_response_gen():
                pass
            if streamed.awrite_response_to_history_task:
                await streamed.awrite_response_to_history_task

        asyncio.run(story())
        assert texts(memory) == ["a", "one", "b", "two"]

    def test_a_stream_writes_from_a_thread_of_its_own(self, memory, make):
        streamed = make(Scripted("word by word"), on(memory)).stream_chat("a")
        assert "".join(streamed.response_gen) == "word by word"
        if streamed.write_response_to_history_thread:
            streamed.write_response_to_history_thread.join()
        assert texts(memory) == ["a", "word by word"]

    def test_reset_and_chat_history(self, memory, make):
        engine = make(Scripted("hello"), on(memory))
        engine.chat("hi")
        assert [m.content for m in engine.chat_history] == ["hi", "hello"]
        engine.reset()
        assert engine.chat_history == []

    def test_a_chat_history_of_the_caller_wipes_nothing(self, memory, make):
        kept = on(memory)
        engine = make(Scripted("hello", "again"), kept)
        engine.chat("hi")
        history = [
            ChatMessage(role="user", content="other"),
            ChatMessage(role="assistant", content="x"),
        ]
        with pytest.warns(UserWarning, match="archive"):
            engine.chat("hm", chat_history=history)
        assert texts(memory) == ["other", "x", "hm", "again"]
        archived = memory.session("chat/archive/1").items()
        assert [item.text for item in archived] == ["hi", "hello"]


def test_an_engine_makes_its_own_memory_of_a_bound_class(memory):
    bound = ThreadkeepMemory.bind(memory, user="ada", session_id="chat")
    engine = SimpleChatEngine.from_defaults(llm=Scripted("hello").llm, memory_cls=bound)
    engine.chat("hi")
    assert texts(memory) == ["hi", "hello"]
    assert memory.session("chat").info().user == "ada"


def agent(model, **options):
    return FunctionAgent(llm=model.llm, tools=[weather], streaming=False, **options)


class TestAgents:
    def test_tools_in_parallel_are_stored_and_go_on_in_another_run(self, memory):
        async def story():
            both = [ThinkingBlock(content="hm"), call("c1"), call("c2", "Rome")]
            await agent(Scripted(both, "21 each")).run("Oslo and Rome?", memory=on(memory))
            model = Scripted("Rome")
            await agent(model).run("Warmer?", memory=on(memory))
            assert "Oslo: 21 degrees" in model.said[0]

        asyncio.run(story())
        window = memory.session("chat").window()
        assert_valid(window.to_openai(), "openai")
        assert_valid(window.to_responses(), "responses")
        assert_valid(window.to_anthropic(), "anthropic")
        assert texts(memory)[-1] == "Rome"

    def test_two_runs_at_once_lose_nothing(self, memory):
        async def story():
            runs = [
                agent(Scripted([call(f"c{n}")], f"answer {n}")).run(f"q{n}", memory=on(memory))
                for n in range(4)
            ]
            await asyncio.gather(*runs)

        asyncio.run(story())
        found = texts(memory)
        assert {f"q{n}" for n in range(4)} | {f"answer {n}" for n in range(4)} <= set(found)
        assert found.count("Oslo: 21 degrees") == 4
        assert_valid(memory.session("chat").window().to_openai(), "openai")

    def test_a_crash_before_the_final_write_loses_what_was_never_handed_over(self, memory):
        """LlamaIndex hands tool messages over at the end of a run only."""

        async def story():
            with pytest.raises(Exception, match="the model is gone"):
                await agent(Scripted([call("c1")], OSError("the model is gone"))).run(
                    "Oslo?", memory=on(memory)
                )
            assert texts(memory) == ["Oslo?"]
            await agent(Scripted("and on")).run("Still there?", memory=on(memory))

        asyncio.run(story())
        assert texts(memory) == ["Oslo?", "Still there?", "and on"]

    def test_a_chat_history_of_the_caller_wipes_nothing(self, memory):
        async def story():
            kept = on(memory, on_set="append")
            await agent(Scripted("hello")).run("hi", memory=kept)
            history = [ChatMessage(role="user", content="other")]
            with pytest.warns(UserWarning, match="appended"):
                await agent(Scripted("again")).run("hm", memory=kept, chat_history=history)

        asyncio.run(story())
        assert texts(memory) == ["hi", "hello", "other", "hm", "again"]

    def test_react_agents_and_workflows(self, memory):
        async def story():
            react = ReActAgent(llm=Scripted("Thought: easy\nAnswer: 4").llm, streaming=False)
            await react.run("2+2?", memory=on(memory))
            guide = agent(Scripted("hello"), name="guide", description="guides")
            team = AgentWorkflow(agents=[guide], root_agent="guide")
            await team.run("hi", memory=on(memory))

        asyncio.run(story())
        found = texts(memory)
        assert found[0] == "2+2?"
        assert found[-2:] == ["hi", "hello"]


class TestContext:
    def test_carries_no_history_and_re_attaches_the_live_memory(self, memory):
        async def story():
            first = agent(Scripted("hello"))
            running = Context(first)
            await first.run("my secret word", ctx=running, memory=on(memory))
            saved = json.dumps(running.to_dict())
            second = agent(Scripted("still here"))
            again = Context.from_dict(second, json.loads(saved))
            await second.run("and now?", ctx=again)
            return saved

        saved = asyncio.run(story())
        stored = json.loads(json.loads(saved)["state"]["state_data"]["_data"]["memory"])
        assert "secret" not in json.dumps(stored)
        assert texts(memory) == ["my secret word", "hello", "and now?", "still here"]

    def test_of_a_url_goes_on_in_another_process(self, tmp_path):
        url = f"sqlite:///{tmp_path}/chat.db"

        async def story():
            first = agent(Scripted("hello"))
            running = Context(first)
            kept = ThreadkeepMemory.from_defaults(memory=url, session_id="chat")
            await first.run("hi", ctx=running, memory=kept)
            saved = running.to_dict()
            kept._memory.close()
            second = agent(Scripted("still here"))
            await second.run("and now?", ctx=Context.from_dict(second, saved))
            shared_memory(url).close()

        asyncio.run(story())
        with threadkeep.connect(url) as memory:
            assert texts(memory) == ["hi", "hello", "and now?", "still here"]


def test_an_image_and_thoughts_reach_the_model_again(memory):
    model = Scripted("a cat")
    kept = on(memory)
    thought = ThinkingBlock(content="hm", additional_information={"signature": "s"})
    kept.put_messages(
        [
            ChatMessage(role="user", content="See?"),
            ChatMessage(role="assistant", blocks=[thought, TextBlock(text="yes")]),
        ]
    )
    simple(model, kept).chat("What?")
    assert model.prompts[0][1].blocks[0] == thought
