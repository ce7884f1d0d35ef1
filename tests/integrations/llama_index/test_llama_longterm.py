"""Long-term memory in LlamaIndex: told within the token limit, never stored, and nobody else's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
from llama_index.core.chat_engine import (
    CondensePlusContextChatEngine,
    ContextChatEngine,
    SimpleChatEngine,
)
from llama_index.core.memory import Memory
from llama_index.core.utils import get_tokenizer

from llama_index.memory.threadkeep import (
    FactsBlock,
    FilesBlock,
    InstructionsBlock,
    SummaryBlock,
    ThreadkeepAsyncChatStore,
    ThreadkeepMemory,
    memory_tools,
)
from tests.integrations.llama_index.conftest import Scripted, Shelf, call, weather
from threadkeep.errors import ConfigError, NotOwner
from threadkeep.longterm import summaries
from threadkeep.longterm.markers import MARK_END, MARK_START, is_injected
from threadkeep.types.knowledge import Summary
from threadkeep.types.versions import generation_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:is_running called from within:DeprecationWarning"),
]


@pytest.fixture
def ada(memory):
    ada = memory.user("ada")
    ada.facts.add("Ada has a cat")
    ada.instructions.add("Answer in French")
    return ada


def on(memory, **options):
    options = {"session_id": "chat", "user": "ada", **options}
    return ThreadkeepMemory.from_defaults(memory=memory, **options)


def stored(memory, session="chat"):
    return [item.text for item in memory.session(session).items()]


def simple(model, memory):
    return SimpleChatEngine.from_defaults(llm=model.llm, memory=memory, system_prompt="Be kind.")


def context(model, memory):
    return ContextChatEngine.from_defaults(
        retriever=Shelf(), llm=model.llm, memory=memory, system_prompt="Be kind."
    )


def condensing(model, memory):
    return CondensePlusContextChatEngine.from_defaults(
        retriever=Shelf(), llm=model.llm, memory=memory, system_prompt="Be kind."
    )


ENGINES = {"simple": simple, "context": context, "condense plus context": condensing}


class TestTheMemory:
    @pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
    def test_engines_are_told_and_store_none_of_it(self, memory, ada, make):
        model = Scripted("bonjour", "oui", "oui", "oui")
        engine = make(model, on(memory))
        engine.chat("hi")
        asyncio.run(engine.achat("again"))
        for prompt in (model.prompts[0], model.prompts[-1]):
            told = [m.content for m in prompt if m.role == MessageRole.SYSTEM]
            assert "Ada has a cat" in "".join(told)
            assert "Be kind." in told[0]
            assert prompt[-1].role == MessageRole.USER
        assert stored(memory)[::2] == ["hi", "again"]
        assert not any(map(is_injected, stored(memory)))
        assert not any(is_injected(message.content or "") for message in engine.chat_history)

    def test_an_agent_is_told_in_every_step_and_stores_none_of_it(self, memory, ada):
        model = Scripted([call("c1")], "chaud")
        agent = FunctionAgent(tools=[weather], llm=model.llm, system_prompt="Be kind.")

        async def run():
            return str(await agent.run("weather?", memory=on(memory)))

        assert asyncio.run(run()) == "chaud"
        for prompt in model.prompts:
            assert [message.role for message in prompt[:2]] == [MessageRole.SYSTEM] * 2
            assert prompt[0].content == "Be kind."
            assert "Answer in French" in prompt[1].content
        assert model.prompts[0][1] == model.prompts[1][1], "the prefix stays"
        assert not any(map(is_injected, stored(memory)))

    def test_who_has_nothing_remembered_gets_the_messages_alone(self, memory, ada):
        bob = on(memory, session_id="bobs", user="bob")
        bob.put(ChatMessage(role="user", content="hi"))
        assert [message.content for message in bob.get()] == ["hi"]
        off = on(memory, inject=False)
        off.put(ChatMessage(role="user", content="hi"))
        assert [message.content for message in off.get()] == ["hi"]

    def test_it_joins_a_system_message_that_is_part_of_the_conversation(self, memory, ada):
        kept = on(memory)
        kept.put_messages(
            [ChatMessage(role="system", content="Be kind."), ChatMessage(role="user", content="hi")]
        )
        system, user = kept.get()
        assert system.content.startswith("Be kind.")
        assert "Ada has a cat" in system.content
        assert user.content == "hi"
        assert [message.content for message in kept.get_all()] == ["Be kind.", "hi"]

    @pytest.mark.parametrize("limit", [30, 60, 120, 200, 420, 1_000])
    @pytest.mark.parametrize("spent", [0, 20])
    def test_all_of_it_together_is_within_the_token_limit(self, memory, ada, limit, spent):
        for n in range(30):
            ada.facts.add(f"Ada knows somebody whose number is {n}")
        kept = on(memory, token_limit=limit)
        for n in range(40):
            kept.put(ChatMessage(role="user", content=f"message number {n}"))
            kept.put(ChatMessage(role="assistant", content=f"answer number {n}"))
        kept.put(ChatMessage(role="user", content="and now?"))
        shown = kept.get(initial_token_count=spent)
        count = sum(len(get_tokenizer()(message.content)) for message in shown)
        assert count + spent <= limit
        assert shown[-1].content == "and now?"
        told = [m for m in shown if m.role == MessageRole.SYSTEM]
        assert bool(told) is ((limit - spent) // 4 >= 100)

    def test_a_history_that_is_handed_back_is_stored_without_it(self, memory, ada):
        kept = on(memory)
        kept.put(ChatMessage(role="user", content="hi"))
        kept.set(kept.get())
        kept.put_messages(kept.get()[:1])
        assert stored(memory) == ["hi"]

    def test_a_user_who_types_our_marks_is_stored(self, memory, ada):
        text = f"{MARK_START} a {MARK_END}"
        on(memory).put(ChatMessage(role="user", content=text))
        assert stored(memory) == [text]

    def test_a_reference_keeps_the_choice(self, memory):
        kept = on(memory, inject={"max_tokens": 100})
        assert ThreadkeepMemory.from_dict(kept.to_dict()).inject == {"max_tokens": 100}

    def test_a_wrong_choice_is_refused_at_construction(self, memory):
        with pytest.raises(ConfigError, match="inject"):
            on(memory, inject={"tokens": 5})


def sum_up(memory, session, text):
    chat = memory.session(session)
    seen = chat._stream.read()
    summaries.write(
        chat._engine,
        summaries.load(chat._engine, session),
        Summary(session, text, last_seq=chat.items(last=1)[0].seq),
        generation=generation_of(seen.version),
        user=seen.info.user,
    )


class TestBlocks:
    def test_a_memory_of_llama_index_is_told_what_is_known(self, memory, ada, tmp_path):
        chat = ada.session("chat")
        chat.add("I have a cat")
        chat.files.add({"name": "plan.pdf", "url": "https://x/plan.pdf"})
        sum_up(memory, "chat", "Ada spoke of her cat.")
        made: dict[str, Any] = {"memory": memory, "user": "ada"}
        kept = Memory.from_defaults(
            session_id="chat",
            chat_store=ThreadkeepAsyncChatStore(memory=memory, user="ada"),
            memory_blocks=[
                FactsBlock(**made), InstructionsBlock(**made), SummaryBlock(**made),
                FilesBlock(**made),
            ],
        )  # fmt: skip

        async def ask():
            await kept.aput(ChatMessage(role="user", content="hi"))
            return await kept.aget()

        system = asyncio.run(ask())[0]
        assert system.role == MessageRole.SYSTEM
        for text in ("Ada has a cat", "Answer in French", "spoke of her cat", "plan.pdf"):
            assert text in system.content
        assert stored(memory) == ["I have a cat", "hi"]

    def test_each_user_has_their_own_and_each_session_without_one(self, memory, ada):
        memory.session("kiosk").facts.add("Somebody has a dog")

        def told(user, session=None):
            return asyncio.run(FactsBlock(memory=memory, user=user).aget(session_id=session))

        assert "cat" in told("ada")
        assert "cat" in told("ada", "any")
        assert told("bob", "any") == told(None, "any") == ""
        assert "dog" in told(None, "kiosk")
        with pytest.raises(ConfigError, match="session_id"):
            told(None)

    def test_instructions_of_another_session_are_not_told(self, memory, ada):
        ada.instructions.add("Not now", session="other")
        block = InstructionsBlock(memory=memory, user="ada")
        assert "Not now" not in asyncio.run(block.aget(session_id="chat"))
        assert "Not now" not in asyncio.run(block.aget())
        assert "Not now" in asyncio.run(block.aget(session_id="other"))

    def test_the_summary_of_somebody_else_is_refused(self, memory, ada):
        ada.session("chat").add("hello")
        sum_up(memory, "chat", "Ada said hello.")
        with pytest.raises(NotOwner):
            asyncio.run(SummaryBlock(memory=memory, user="bob").aget(session_id="chat"))

    def test_truncating_keeps_the_most_worthy(self, memory, ada):
        for n in range(20):
            ada.facts.add(f"Ada knows person {n}", confidence=0.1)
        ada.facts.add("Ada is allergic to nuts", pinned=True, confidence=0.1)
        block = FactsBlock(memory=memory, user="ada", priority=1)
        count = get_tokenizer()

        async def cut(tokens):
            whole = await block.aget()
            return whole, await block.atruncate(whole, tokens)

        whole, less = asyncio.run(cut(200))
        assert len(count(less)) <= len(count(whole)) - 200
        assert less.splitlines()[1].startswith("- Ada is allergic to nuts")
        assert set(less.splitlines()) < set(whole.splitlines())
        assert asyncio.run(cut(10_000))[1] is None

    def test_a_block_is_as_long_as_it_may_be(self, memory, ada):
        for n in range(50):
            ada.facts.add(f"Ada knows person {n}")
        block = FactsBlock(memory=memory, user="ada", max_tokens=100)
        assert 60 < len(get_tokenizer()(asyncio.run(block.aget()))) <= 100

    def test_messages_are_taken_only_from_who_asks_for_it(self, memory, ada):
        said = [ChatMessage(role="user", content="I moved to Porto")]
        block = FactsBlock(memory=memory, user="ada")
        asyncio.run(block.aput(said, from_short_term_memory=True, session_id="li"))
        assert stored(memory, "li") == []
        keeping = FactsBlock(memory=memory, user="ada", accept_short_term_memory=True)
        asyncio.run(keeping.aput(said, from_short_term_memory=True, session_id="li"))
        (item,) = memory.session("li", user="ada").items()
        assert item.text == "I moved to Porto"
        assert "session_id" not in str(item.raw)

    def test_a_dump_holds_no_secret_and_no_store(self, memory):
        dumped = FactsBlock(memory=memory, user="ada").model_dump()
        assert set(dumped) >= {"name", "user"}
        assert "memory" not in dumped


def asks(name, **args):
    return [ToolCallBlock(tool_call_id=f"c-{name}", tool_name=name, tool_kwargs=args)]


class TestRecall:
    def test_what_was_said_before_stands_before_the_question(self, memory, ada):
        ada.session("old").add("I visited the tram museum in Porto")
        kept = on(memory)
        kept.put(ChatMessage(role="user", content="Which trams did I see?"))
        *_, question = kept.get()
        assert question.content.startswith(MARK_START)
        assert "tram museum in Porto" in question.content
        assert question.content.endswith("Which trams did I see?")
        assert stored(memory) == ["Which trams did I see?"]
        system = on(memory, session_id="new").get("Which trams did I see?")[0]
        assert system.role == MessageRole.SYSTEM
        assert "tram museum in Porto" in system.content
        off = on(memory, inject={"recall": False})
        assert "museum" not in str(off.get("Which trams did I see?"))
        bob = on(memory, session_id="bobs", user="bob")
        assert bob.get("Which trams did I see?") == []


class TestTools:
    def test_an_agent_saves_finds_and_forgets(self, memory, ada):
        ada.session("old").add("My brother collects trams")
        kept = on(memory)

        async def ask(text, *replies):
            model = Scripted(*replies)
            agent = FunctionAgent(tools=memory_tools(kept), llm=model.llm)
            return str(await agent.run(text, memory=kept))

        async def story():
            save = asks("save_memory", text="Ada is allergic to nuts")
            await ask("I am allergic to nuts", save, "noted")
            fact = memory.user("ada").facts.list()[-1]
            assert (fact.text, fact.extractor) == ("Ada is allergic to nuts", "agent")
            await ask("what do you know?", asks("search_memory", query="trams nuts"), "a lot")
            await ask("forget nuts", asks("forget_memory", id=fact.id[:8]), "done")

        asyncio.run(story())
        results = [item.text for item in memory.session("chat").items() if item.role == "tool"]
        assert results[0] == "Saved."
        assert "My brother collects trams" in results[1]
        assert results[2] == "Forgotten: Ada is allergic to nuts"
        assert [fact.text for fact in ada.facts.list()] == ["Ada has a cat"]

    def test_whose_it_is_no_argument_of_the_model(self, memory):
        tools: list[Any] = [*memory_tools(memory, session_id="chat", user="ada")]
        for tool in tools:
            names = set(tool.metadata.get_parameters_dict()["properties"])
            assert names in ({"text"}, {"query"}, {"id"})

    def test_a_conversation_has_to_be_named(self, memory):
        with pytest.raises(ConfigError, match="session_id"):
            memory_tools(memory)
