"""Every place that takes a user id: `entry(service, session, value)` writes, or reads, for it.

Where `value` stands is in the entry's name. What it gives back is all that it could read.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sqlite3
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from agent_framework import AgentSession
from agents import Agent, RunContextWrapper
from google.adk.events.event import Event
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory
from llama_index.core.base.llms.types import ChatMessage

import agent_framework_threadkeep as agent_framework
import google_adk_threadkeep as google_adk
import langchain_threadkeep as langchain
import llama_index.memory.threadkeep as llama
import openai_agents_threadkeep as openai_agents
from langchain_threadkeep.identity import IdentityResolver
from tests.integrations.agent_framework.conftest import ScriptedClient, make_agent, said

Entry = Callable[[Any, str, Any], Any]

READERS: dict[str, Entry] = {}
"""Entries that read, and write nothing."""

WRITERS: dict[str, Entry] = {}
"""Entries that write to the session."""

SILENT: dict[str, Entry] = {}
"""Entries that give back nothing of what is stored."""

VARIABLE: ContextVar[Any] = ContextVar("user_id")


def reader(name: str) -> Callable[[Entry], Entry]:
    return lambda entry: READERS.setdefault(name, entry)


def writer(name: str) -> Callable[[Entry], Entry]:
    return lambda entry: WRITERS.setdefault(name, entry)


def silent(name: str) -> Callable[[Entry], Entry]:
    return lambda entry: SILENT.setdefault(name, entry)


def add_and_read(chat: Any) -> str:
    chat.add("hello")
    return str(chat.items())


# --- the core and the history service


@writer("memory.session")
def _(service, session, value):
    return add_and_read(service.memory.session(session, user=value))


@writer("memory.user")
def _(service, session, value):
    return add_and_read(service.memory.user(value).session(session))


@reader("memory.user.facts")
def _(service, _, value):
    return service.memory.user(value).facts.list()


@reader("memory.sessions")
def _(service, _, value):
    return service.memory.sessions(user=value)


@silent("memory.process")
def _(service, session, value):
    return service.memory.extract(user=value, session=session)


@writer("conversations.add_items")
def _(service, session, value):
    memory = service.memory
    if memory.session(session).info() is None:
        memory.conversations.create(session, user=value)
    memory.conversations.add_items(session, {"role": "user", "content": "hello"}, user=value)
    return memory.conversations.items(session, user=value)


@writer("responses.add")
def _(service, session, value):
    answer = {"id": f"r-{session}", "output": [], "conversation": session}
    service.memory.responses.add(answer, user=value)
    return service.memory.responses.list(user=value)


@writer("response.user")
def _(service, session, value):
    answer = {"id": f"r-{session}", "output": [], "conversation": session, "user": value}
    return service.memory.responses.add(answer)


@reader("feedback.list")
def _(service, session, value):
    return service.memory.feedback.list(user=value, conversation=session)


@writer("HistoryService identity")
def _(service, session, value):
    service.store_history(session, "user", "hello", identity=value)
    return service.get_history(session, identity=value)


@writer("HistoryService other_history_props")
def _(service, session, value):
    service.store_history(session, "user", "hello", {"identity": value})
    return service.get_history(session, {"identity": value})


# --- LangChain


@writer("ThreadkeepChatMessageHistory")
def _(service, session, value):
    history = langchain.ThreadkeepChatMessageHistory(session, service.memory, user=value)
    history.add_user_message("hello")
    return history.messages


@writer("session_history_factory")
def _(service, session, value):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model: Any = RunnableLambda(lambda _: AIMessage("ok"))
        chain: Any = RunnableWithMessageHistory(
            model,
            langchain.session_history_factory(service.memory),
            history_factory_config=langchain.HISTORY_FACTORY_CONFIG,
        )
    at = {"configurable": {"session_id": session, "user_id": value}}
    return chain.invoke([HumanMessage("hello")], at)


def places(entry: Callable[..., Any], name: str, *, context: bool = False) -> None:
    """Every place in which a run of LangChain may have the id."""
    WRITERS[f"{name} user="] = lambda s, session, value: entry(s, session, user_id=value)
    WRITERS[f"{name} callable"] = lambda s, session, value: entry(
        s, session, user_id=lambda _: value
    )
    WRITERS[f"{name} ContextVar"] = partial(_with_variable, entry)
    for key in ("user_id", "langgraph_auth_user_id"):
        WRITERS[f"{name} configurable.{key}"] = partial(_with_configurable, entry, key)
    if context:
        WRITERS[f"{name} dict context"] = lambda s, session, value: entry(
            s, session, context={"user_id": value}
        )
        WRITERS[f"{name} object context"] = lambda s, session, value: entry(
            s, session, context=SimpleNamespace(user_id=value)
        )


def _with_variable(entry, service, session, value):
    token = VARIABLE.set(value)
    try:
        answer = entry(service, session, user_id=VARIABLE)
        return asyncio.run(answer) if inspect.iscoroutine(answer) else answer
    finally:
        VARIABLE.reset(token)


def _with_configurable(entry, key, service, session, value):
    return entry(service, session, configurable={key: value})


def at(session, configurable=None):
    return {"configurable": {"thread_id": session, **(configurable or {})}}


def middleware(service, session, user_id=None, configurable=None, context=None):
    model = GenericFakeChatModel(messages=iter([AIMessage("ok")]))
    ours = langchain.ThreadkeepMiddleware(service.memory, user=user_id)
    agent = create_agent(model, middleware=[ours])
    return agent.invoke(
        {"messages": [HumanMessage("hello")]}, at(session, configurable), context=context
    )


def with_history(service, session, user_id=None, configurable=None):
    chain: Any = RunnableLambda(lambda messages: AIMessage(str(messages)))
    ours = langchain.with_history(chain, service.memory, user=user_id)
    return ours.invoke("hello", at(session, configurable))


def nodes(service, session, user_id=None, configurable=None):
    state = {"messages": [HumanMessage("hello", id="h")]}
    save = langchain.save_history_node(service.memory, user=user_id)
    load = langchain.load_history_node(service.memory, user=user_id)
    save.invoke(state, at(session, configurable))
    return load.invoke({"messages": []}, at(session, configurable))


def load_node(service, session, value):
    load = langchain.load_history_node(service.memory, user=value)
    return load.invoke({"messages": []}, at(session))


places(middleware, "ThreadkeepMiddleware", context=True)
places(with_history, "with_history")
places(nodes, "nodes")
READERS["load_history_node"] = load_node


@writer("server's authenticated user")
def _(service, session, value):
    server = SimpleNamespace(user=SimpleNamespace(identity=value))
    who = IdentityResolver().resolve(at(session), SimpleNamespace(server_info=server))
    return add_and_read(service.memory.session(who.session, user=who.user))


def langchain_tools(service, session, user_id=None, configurable=None):
    _, search, _ = langchain.memory_tools(service.memory, session_id=session, user=user_id)
    return search.invoke({"query": "what fact is known?"}, at(session, configurable))


READERS["langchain memory_tools user="] = langchain_tools
READERS["langchain memory_tools callable"] = lambda s, session, value: langchain_tools(
    s, session, lambda _: value
)
READERS["langchain memory_tools configurable"] = lambda s, session, value: langchain_tools(
    s, session, None, {"user_id": value}
)


def imported(make: Callable[[Any, str], None], load: Callable[..., Any]) -> Entry:
    def entry(service, session, value):
        folder = service.folder
        make(folder, session)
        return load(folder, service.memory, value)

    return entry


def sql_table(folder, session):
    with sqlite3.connect(folder / "langchain.db") as db:
        db.execute("CREATE TABLE IF NOT EXISTS message_store (id INTEGER, session_id, message)")
        message = json.dumps({"type": "human", "data": {"type": "human", "content": "hello"}})
        db.execute("DELETE FROM message_store")
        db.execute("INSERT INTO message_store VALUES (1, ?, ?)", (session, message))
    db.close()


WRITERS["import_sql"] = imported(
    sql_table,
    lambda folder, memory, value: langchain.import_sql(
        f"sqlite:///{folder}/langchain.db", memory, user=value
    ),
)


# --- OpenAI Agents


async def agents_session(service, session, user_id=None, context=None):
    run = None if context is None else RunContextWrapper(context)
    chat = openai_agents.ThreadkeepSession(session, service.memory, user=user_id)
    await chat.add_items([{"role": "user", "content": "hello"}], wrapper=run)
    return await chat.get_items(wrapper=run)


async def agents_instructions(service, session, user_id=None, context=None, summary_of=None):
    read = openai_agents.instructions(service.memory, user=user_id, session_id=summary_of)
    return await read(RunContextWrapper(context), Agent("guide"))


def agents_places(entry: Callable[..., Any], name: str, entries: dict[str, Entry]) -> None:
    entries[f"{name} user="] = lambda s, session, value: entry(s, session, value)
    entries[f"{name} callable"] = lambda s, session, value: entry(s, session, lambda _: value)
    entries[f"{name} ContextVar"] = partial(_with_variable, entry)
    entries[f"{name} dict context"] = lambda s, session, value: entry(
        s, session, None, {"user_id": value}
    )
    entries[f"{name} object context"] = lambda s, session, value: entry(
        s, session, None, SimpleNamespace(user_id=value)
    )


async def instructions_of_session(service, session, user_id=None, context=None):
    return await agents_instructions(service, session, user_id, context, summary_of=session)


agents_places(agents_session, "ThreadkeepSession", WRITERS)
agents_places(agents_instructions, "instructions", READERS)
agents_places(instructions_of_session, "instructions session_id=", READERS)


def agents_file(folder, session):
    with sqlite3.connect(folder / "agents.db") as db:
        columns = "id INTEGER, session_id TEXT, message_data TEXT, created_at TEXT"
        db.execute(f"CREATE TABLE IF NOT EXISTS agent_messages ({columns})")
        db.execute("DELETE FROM agent_messages")
        row = (1, session, '{"role": "user", "content": "hello"}', "2025-01-01 00:00:00")
        db.execute("INSERT INTO agent_messages VALUES (?, ?, ?, ?)", row)
    db.close()


WRITERS["import_sqlite"] = imported(
    agents_file,
    lambda folder, memory, value: openai_agents.import_sqlite(
        folder / "agents.db", memory, user=value
    ),
)


# --- Google ADK


@silent("ThreadkeepSessionService")
async def _(service, session, value):
    sessions = google_adk.ThreadkeepSessionService(service.memory)
    of = {"app_name": "guide", "user_id": value}
    made = await sessions.create_session(**of, session_id=f"{session} {uuid4()}")
    await sessions.append_event(made, Event(author="user"))
    read = await sessions.get_session(**of, session_id=made.id)
    return read, await sessions.list_sessions(**of), await sessions.get_user_state(**of)


@reader("ThreadkeepMemoryService")
async def _(service, _, value):
    memories = google_adk.ThreadkeepMemoryService(service.memory)
    return await memories.search_memory(app_name="guide", user_id=value, query="fact known")


# --- Microsoft Agent Framework


async def agent_framework_run(service, session, user_id=None, state=None):
    history = agent_framework.ThreadkeepHistoryProvider(service.memory, user=user_id)
    known = agent_framework.ThreadkeepContextProvider(service.memory, user=user_id)
    client, run = ScriptedClient(said("ok")), AgentSession(session_id=session)
    run.state.update(state or {})
    await make_agent(client, history, known).run("hello", session=run)
    return [message.to_dict() for message in client.asked[0]]


WRITERS["ThreadkeepHistoryProvider user="] = agent_framework_run
WRITERS["ThreadkeepHistoryProvider callable"] = lambda s, session, value: agent_framework_run(
    s, session, lambda _: value
)
WRITERS["ThreadkeepHistoryProvider ContextVar"] = partial(_with_variable, agent_framework_run)
WRITERS["ThreadkeepHistoryProvider state"] = lambda s, session, value: agent_framework_run(
    s, session, None, {"user_id": value}
)


# --- LlamaIndex


def llama_memory(made):
    made.put(ChatMessage(role="user", content="hello"))
    return made.get()


@writer("ThreadkeepMemory")
def _(service, session, value):
    return llama_memory(llama.ThreadkeepMemory(session, service.memory, user=value))


@writer("ThreadkeepMemory.from_defaults")
def _(service, session, value):
    make = llama.ThreadkeepMemory.from_defaults
    return llama_memory(make(memory=service.memory, session_id=session, user=value))


@writer("ThreadkeepMemory.bind")
def _(service, session, value):
    bound = llama.ThreadkeepMemory.bind(service.memory, user=value, session_id=session)
    return llama_memory(bound.from_defaults())


@writer("ThreadkeepChatStore")
def _(service, session, value):
    store = llama.ThreadkeepChatStore(service.memory, user=value)
    store.add_message(session, ChatMessage(role="user", content="hello"))
    return store.get_messages(session), store.get_keys()


@writer("ThreadkeepAsyncChatStore")
async def _(service, session, value):
    store = llama.ThreadkeepAsyncChatStore(service.memory, user=value)
    await store.add_message(session, ChatMessage(role="user", content="hello"))
    return await store.get_messages(session), await store.get_keys()


async def block(kind, service, session, value):
    made = kind(service.memory, user=value)
    return await made.aget(session_id=session)


async def block_of_user(service, _, value):
    return await llama.FactsBlock(service.memory, user=value).aget()


READERS["FactsBlock"] = partial(block, llama.FactsBlock)
READERS["FactsBlock without a session"] = block_of_user


@writer("SummaryBlock")
async def _(service, session, value):
    options = {"session_id": session, "accept_short_term_memory": True}
    made = llama.SummaryBlock(service.memory, user=value, **options)
    await made.aput([ChatMessage(role="user", content="hello")])
    return await made.aget()


@reader("llama_index memory_tools")
def _(service, session, value):
    search: Any = llama.memory_tools(service.memory, session_id=session, user=value)[1]
    return search(query="what fact is known?").content


def simple_store(folder, session):
    message = {"role": "user", "blocks": [{"block_type": "text", "text": "hello"}]}
    (folder / "simple.json").write_text(json.dumps({"store": {session: [message]}}))


WRITERS["import_simple_chat_store"] = imported(
    simple_store,
    lambda folder, memory, value: llama.import_simple_chat_store(
        folder / "simple.json", memory, user=value
    ),
)
