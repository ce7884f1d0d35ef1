"""What the model of an agent is sent: a window, memory, tools; and what is recorded of it."""

from __future__ import annotations

import re
from contextvars import ContextVar
from types import SimpleNamespace

import pytest
from pydantic_ai import Agent, RunContext, ToolReturn
from pydantic_ai.conversation import Conversation
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.usage import RequestUsage

import threadkeep
from pydantic_ai_threadkeep import ThreadkeepCapability, ThreadkeepConversationStore
from tests.integrations.pydantic_ai.conftest import run
from threadkeep import policies
from threadkeep.errors import ConfigError, NotOwner


class Heard:
    """A model that notes what it is sent, and answers by a script."""

    def __init__(self, *replies):
        self.sent, self.instructions, self.tools = [], [], []
        self.replies = list(replies)
        self.model = FunctionModel(self.answer)

    def answer(self, messages, info):
        self.sent.append(list(messages))
        self.instructions.append(info.instructions)
        self.tools.append([tool.name for tool in info.function_tools])
        reply = self.replies.pop(0) if self.replies else "ok"
        if callable(reply):
            reply = reply(messages)
        parts = [TextPart(reply)] if isinstance(reply, str) else [reply]
        usage = RequestUsage(input_tokens=7, output_tokens=3)
        return ModelResponse(parts, usage=usage)


def prompts(messages):
    return [p.content for m in messages for p in m.parts if isinstance(p, UserPromptPart)]


async def talk(store, agent, *texts, id="c", **options):
    for text in texts:
        conversation = await store.load(id) or Conversation(conversation_id=id)
        result = await agent.run(text, conversation=conversation, **options)
        await store.save(result)
    return result


def steps(texts):
    """Turns with a tool step each, as a store would hold them."""
    messages = []
    for number, text in enumerate(texts):
        messages += [
            ModelRequest([UserPromptPart(text)]),
            ModelResponse([ToolCallPart("look", {}, f"call_{number}")]),
            ModelRequest([ToolReturnPart("look", "found " * 20, f"call_{number}")]),
            ModelResponse([TextPart("so")]),
        ]
    return messages


@pytest.mark.parametrize("limit", range(1, 13))
def test_a_window_never_begins_in_the_middle_of_a_tool_step(memory, limit):
    store = ThreadkeepConversationStore(memory, window={"max_messages": limit, "step": 0})
    run(store.save(Conversation(conversation_id="c", messages=steps("abc"))))
    loaded = run(store.load("c"))
    calls = {
        p.tool_call_id for m in loaded.messages for p in m.parts if isinstance(p, ToolCallPart)
    }
    results = {
        p.tool_call_id for m in loaded.messages for p in m.parts if isinstance(p, ToolReturnPart)
    }
    assert results <= calls
    assert prompts(loaded.messages)[-1] == "c"
    everything = run(ThreadkeepConversationStore(memory).load("c")).messages
    assert loaded.messages == everything[-len(loaded.messages) :]
    assert len(loaded.messages) <= max(limit, 4)


def test_the_window_of_a_fork_reaches_into_its_source(memory):
    store = ThreadkeepConversationStore(memory)
    run(store.save(Conversation(conversation_id="c", messages=steps("abc"))))
    run(store.fork("c", at=8, new_conversation_id="f"))
    run(talk(store, Agent(Heard().model), "here", id="f"))
    whole = run(store.load("f")).messages
    for limit in (1, 2, 3, 6, 50):
        window = {"max_messages": limit, "step": 0}
        loaded = run(ThreadkeepConversationStore(memory, window=window).load("f"))
        expected = {1: 2, 2: 2, 3: 3, 6: 6, 50: 10}[limit]
        assert loaded.messages == whole[-expected:], limit


def test_what_is_said_in_a_window_goes_behind_the_whole_conversation(memory):
    store = ThreadkeepConversationStore(memory, window={"max_messages": 4})
    heard = Heard()
    run(talk(store, Agent(heard.model), *"abcdef"))
    assert prompts(heard.sent[-1])[-1] == "f"
    assert len(heard.sent[-1]) <= 5
    everything = run(ThreadkeepConversationStore(memory).load("c"))
    assert prompts(everything.messages) == list("abcdef")


def test_the_capability_cuts_the_request_and_not_the_history(memory, store):
    heard = Heard()
    cut = ThreadkeepCapability(memory, window={"max_messages": 4, "step": 0}, inject=False)
    agent = Agent(heard.model, system_prompt="Be brief.", capabilities=[cut])
    result = run(talk(store, agent, *"abcdef"))
    sent = heard.sent[-1]
    assert prompts(sent)[-1] == "f"
    assert len(prompts(sent)) <= 3
    assert sum(isinstance(p, SystemPromptPart) for m in sent for p in m.parts) == 1
    assert prompts(result.all_messages()) == list("abcdef")
    assert prompts(run(store.load("c")).messages) == list("abcdef")


def test_an_object_in_the_metadata_of_a_result_ends_no_run(memory, store):
    """The model never sees metadata, so a tool may put anything there."""
    heard = Heard(ToolCallPart("look", {}, "call_1"), "so", "bye")
    cut = ThreadkeepCapability(memory, window={"max_messages": 100}, inject=False)
    agent = Agent(heard.model, capabilities=[cut])

    @agent.tool_plain
    def look() -> ToolReturn:
        return ToolReturn(return_value="found", metadata={"frame": object()})

    run(talk(store, agent, "a", "b"))
    read = [part for m in run(store.load("c")).messages for part in m.parts]
    (result,) = [part for part in read if isinstance(part, ToolReturnPart)]
    assert result.content == "found"
    assert result.metadata["frame"].startswith("<object object")
    assert prompts(heard.sent[-1]) == ["a", "b"]


def test_a_large_result_is_read_on_by_its_handle(memory, store):
    text = "".join(f"line {n}\n" for n in range(2000))

    def read_on(messages):
        shown = next(p.content for m in messages for p in m.parts if isinstance(p, ToolReturnPart))
        assert len(shown) < len(text) / 4
        handle, start = re.search(r'read_more\(handle="([^"]+)", start=(\d+)\)', shown).groups()
        return ToolCallPart("read_more", {"handle": handle, "start": int(start)}, "call_2")

    heard = Heard(ToolCallPart("look", {}, "call_1"), read_on, "done")
    cut = ThreadkeepCapability(
        memory,
        window=policies.max_tool_result(1000),
        read_more=True,
        inject=False,
    )
    agent = Agent(heard.model, capabilities=[cut])

    @agent.tool_plain
    def look() -> str:
        return text

    result = run(talk(store, agent, "look"))
    pages = [
        p.content
        for m in result.all_messages()
        for p in m.parts
        if isinstance(p, ToolReturnPart) and p.tool_name == "read_more"
    ]
    results = [p for m in heard.sent[1] for p in m.parts if isinstance(p, ToolReturnPart)]
    shown = results[0].content
    start = len(shown.partition("\n[")[0])
    assert text[start + 200 : start + 400] in pages[0]
    whole = [getattr(p, "content", "") for m in run(store.load("c")).messages for p in m.parts]
    assert text in whole


def test_facts_are_told_and_stand_in_no_history(memory, store):
    memory.user("ada").facts.add("Ada is allergic to nuts")
    memory.user("bob").facts.add("Bob rides a horse")
    memory.session("old", user="ada").add("My trams are green and old")
    heard = Heard()
    agent = Agent(
        heard.model, instructions="Be brief.", capabilities=[ThreadkeepCapability(memory)]
    )
    for number, user in enumerate(("ada", "bob")):
        deps = SimpleNamespace(user_id=user)
        own = ThreadkeepConversationStore(memory, user=user)
        run(talk(own, agent, "What of the green trams?", id=f"c{number}", deps=deps))
    assert heard.instructions[0].startswith("Be brief.")
    assert "allergic to nuts" in heard.instructions[0]
    assert "horse" not in repr(heard.sent[0]) + heard.instructions[0]
    assert "trams are green and old" in prompts(heard.sent[0])[0]
    assert "horse" in heard.instructions[1]
    assert "nuts" not in heard.instructions[1]
    for number in range(2):
        held = repr(run(store.load(f"c{number}")).messages)
        assert "nuts" not in held
        assert "horse" not in held
        assert "green and old" not in held


def test_without_inject_nothing_is_added(memory, store):
    memory.user("ada").facts.add("Ada is allergic to nuts")
    heard = Heard()
    agent = Agent(
        heard.model, capabilities=[ThreadkeepCapability(memory, user="ada", inject=False)]
    )
    run(talk(store, agent, "hi"))
    assert "nuts" not in repr(heard.sent) + repr(heard.instructions)


def test_an_agent_inside_a_tool_has_the_user_of_the_outer_run(memory, store):
    memory.user("ada").facts.add("Ada is allergic to nuts")
    inner, outer = Heard(), Heard(ToolCallPart("ask", {}, "call_1"), "done")
    sub_agent = Agent(inner.model, capabilities=[ThreadkeepCapability(memory)])
    agent = Agent(outer.model, capabilities=[ThreadkeepCapability(memory, user="ada")])

    @agent.tool_plain
    async def ask() -> str:
        return (await sub_agent.run("what may she eat?")).output

    run(talk(store, agent, "hi"))
    assert "nuts" in inner.instructions[0]
    alone = Heard()
    run(Agent(alone.model, capabilities=[ThreadkeepCapability(memory)]).run("what may she eat?"))
    assert "nuts" not in repr(alone.instructions)


USER = ContextVar("user", default=None)


@pytest.mark.parametrize(
    ("source", "deps", "expected"),
    [
        ("ada", None, "ada"),
        ("ada", {"user_id": "bob"}, "bob"),
        (lambda context: context.deps["who"], {"who": "eve", "user_id": "bob"}, "eve"),
        (USER, None, "cid"),
        (7, None, "7"),
    ],
)
def test_the_user_of_a_run(memory, source, deps, expected):
    memory.user(expected).facts.add(f"This is {expected}")
    heard = Heard()
    agent = Agent(heard.model, capabilities=[ThreadkeepCapability(memory, user=source)])
    token = USER.set("cid")
    run(agent.run("who am I?", deps=deps))
    USER.reset(token)
    assert f"This is {expected}" in heard.instructions[0]


def test_a_user_id_of_a_wrong_type_is_an_error(memory):
    agent = Agent(Heard().model, capabilities=[ThreadkeepCapability(memory)])
    with pytest.raises(ConfigError, match="user_id of the run's deps"):
        run(agent.run("hi", deps={"user_id": ["ada"]}))


def test_another_users_conversation_is_refused(memory):
    ada, bob = (ThreadkeepConversationStore(memory, user=user) for user in ("ada", "bob"))
    run(talk(ada, Agent(Heard().model), "hi"))
    assert memory.session("c").info().user == "ada"
    for attempt in (
        lambda: bob.load("c"),
        lambda: bob.save(Conversation(conversation_id="c", messages=steps("x"))),
        lambda: bob.delete("c"),
        lambda: bob.fork("c"),
    ):
        with pytest.raises(NotOwner):
            run(attempt())
    assert run(bob.list_conversations()) == []
    assert [r.conversation_id for r in run(ada.list_conversations())] == ["c"]
    assert prompts(run(ada.load("c")).messages) == ["hi"]


def test_memory_tools_work_for_the_user_of_the_run(memory, store):
    save = ToolCallPart("save_memory", {"text": "Ada likes trams."}, "call_1")
    search = ToolCallPart("search_memory", {"query": "trams"}, "call_2")
    heard = Heard(save, search, "done")
    agent = Agent(heard.model, capabilities=[ThreadkeepCapability(memory, user="ada", tools=True)])
    run(talk(store, agent, "Remember that I like trams."))
    assert heard.tools[0] == ["save_memory", "search_memory", "forget_memory"]
    facts = memory.user("ada").facts.list()
    assert [fact.text for fact in facts] == ["Ada likes trams."]
    assert "trams" in repr(heard.sent[-1][-1])


def test_every_answer_is_a_response_with_the_tokens_of_the_model(memory, store):
    heard = Heard(ToolCallPart("look", {}, "call_1"), "done")
    agent = Agent(heard.model, capabilities=[ThreadkeepCapability(memory, record_responses=True)])

    @agent.tool_plain
    def look() -> str:
        return "found"

    run(talk(store, agent, "look"))
    second, first = memory.responses.list(conversation="c")
    assert [(entry["role"], entry["content"]) for entry in first.input] == [("user", "look")]
    assert first.output[0]["name"] == "look"
    assert second.input[0]["output"] == "found"
    assert second.output[0]["content"] == "done"
    assert second.previous_response_id == first.id
    for response in (first, second):
        assert response.usage["input_tokens"] == 7
        assert response.usage["output_tokens"] == 3
        assert response.model == heard.model.model_name


@pytest.mark.parametrize("made", [ThreadkeepCapability, ThreadkeepConversationStore])
def test_a_wrong_argument_names_the_right_one(made):
    with pytest.raises(TypeError, match="did you mean 'window'"):
        made(max_messages=3)
    with pytest.raises(TypeError, match="memory by position"):
        made("memory://", "ada")
    with pytest.raises(ConfigError):
        made("chat.db")
    with pytest.raises(ConfigError, match="window"):
        made("memory://", window=3)
    with pytest.raises(ConfigError, match="differ"):
        made("memory://", user="ada", user_id="bob")


def test_a_run_context_may_be_asked_for_the_user(memory):
    def user(context: RunContext[str]) -> str:
        return context.deps

    memory.user("ada").facts.add("Ada is allergic to nuts")
    heard = Heard()
    agent = Agent(heard.model, capabilities=[ThreadkeepCapability(memory, user=user)])
    run(agent.run("hi", deps="ada"))
    assert "nuts" in heard.instructions[0]


def test_a_closed_memory_says_so(memory):
    store = ThreadkeepConversationStore(memory)
    memory.close()
    with pytest.raises(threadkeep.errors.BackendError, match="closed"):
        run(store.load("c"))
