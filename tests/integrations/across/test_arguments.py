"""The arguments of adapters: one order, one name for each thing, and nothing is swallowed."""

from __future__ import annotations

import asyncio
import inspect
import string
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from llama_index.core.base.llms.types import ChatMessage

import agent_framework_threadkeep as agent_framework
import google_adk_threadkeep as google_adk
import langchain_threadkeep as langchain
import llama_index.memory.threadkeep as llama
import openai_agents_threadkeep as agents
from threadkeep import Memory, connect
from threadkeep.adapters import shared
from threadkeep.errors import ConfigError

Call = Callable[..., Any]

ONE_CONVERSATION: dict[str, Call] = {
    "ThreadkeepChatMessageHistory": langchain.ThreadkeepChatMessageHistory,
    "ThreadkeepMemory": llama.ThreadkeepMemory,
    "ThreadkeepMemory.from_defaults": llama.ThreadkeepMemory.from_defaults,
    "ThreadkeepSession": agents.ThreadkeepSession,
}
WITH_A_SOURCE = {
    "with_history",
    "import_sql",
    "import_sqlite",
    "import_simple_chat_store",
    "import_sqlalchemy_store",
}
"""Their first argument is what they wrap, or read from."""

OTHERS = {"trim_messages", "RecordingHooks", "stored_session_id"}
"""They take no store."""

OF_OURS = {"read_more_tool", "import_checkpoints"}
"""They take what another adapter of ours has made."""


def public_calls(package: ModuleType) -> dict[str, Call]:
    calls = {name: getattr(package, name) for name in package.__all__}
    prefix = package.__name__.partition("_")[0]
    return {f"{prefix} {name}": call for name, call in calls.items() if callable(call)}


CALLS: dict[str, Call] = {
    **public_calls(langchain),
    **public_calls(llama),
    **public_calls(agents),
    **public_calls(google_adk),
    **public_calls(agent_framework),
    "llama ThreadkeepMemory.from_defaults": llama.ThreadkeepMemory.from_defaults,
    "llama ThreadkeepMemory.bind": llama.ThreadkeepMemory.bind,
}


def plain(name: str) -> str:
    return name.partition(" ")[2]


SERVING_MANY = {
    name: call
    for name, call in CALLS.items()
    if plain(name) not in {*ONE_CONVERSATION, *WITH_A_SOURCE, *OTHERS, *OF_OURS}
}
WITH_USER = {n: c for n, c in CALLS.items() if "user_id" in inspect.signature(c).parameters}


def names(call: Call) -> set[str]:
    """What it takes: its parameters, and the fields of a pydantic class."""
    owner = getattr(call, "__self__", call)
    return {*inspect.signature(call).parameters, *getattr(owner, "model_fields", ())} - {"fields"}


def positional(call: Call) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in inspect.signature(call).parameters.values() if p.kind in kinds]


def required(name: str) -> dict[str, Any]:
    """What a call cannot do without."""
    sources: dict[str, dict[str, Any]] = {
        "with_history": {"runnable": RunnableLambda(str)},
        "import_sql": {"engine": "sqlite:///none.db"},
        "import_sqlalchemy_store": {"engine": "sqlite:///none.db"},
        "import_sqlite": {"path": "none"},
        "import_simple_chat_store": {"path": "none"},
    }
    if name == "llama memory_tools":
        return {"session_id": "c1"}
    return sources.get(plain(name), {})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THREADKEEP_URL", raising=False)
    yield tmp_path
    shared.close()


class TestUnknownKeywords:
    @pytest.mark.parametrize("name", CALLS)
    def test_none_is_swallowed(self, name):
        call, taken = CALLS[name], names(CALLS[name])

        @settings(max_examples=20)
        @given(st.text(string.ascii_lowercase + "_", min_size=1).filter(lambda k: k not in taken))
        @example("chat_store_key")
        @example("kwargs")
        def refused(keyword):
            with pytest.raises(TypeError, match=f"has no argument {keyword!r}; (did|known)"):
                call(**{keyword: "c1"}, **required(name))

        refused()

    @pytest.mark.parametrize("name", CALLS)
    def test_a_misspelt_one_gets_the_nearest_name(self, name, folder):
        for parameter in sorted(names(CALLS[name])):
            for place in range(1, len(parameter)) if len(parameter) > 3 else ():
                misspelt = parameter[:place] + "q" + parameter[place + 1 :]
                with pytest.raises(TypeError, match=f"did you mean '{parameter}'"):
                    CALLS[name](**{misspelt: "c1"})
        assert list(folder.iterdir()) == []

    @pytest.mark.parametrize(
        ("call", "keyword", "right"),
        [
            (llama.ThreadkeepMemory.from_defaults, "chat_store_key", "session_id"),
            (llama.ThreadkeepMemory.from_defaults, "max_tokens", "token_limit"),
            (llama.ThreadkeepMemory.from_defaults, "async_database_uri", "memory"),
            (llama.ThreadkeepMemory.bind, "max_tokens", "token_limit"),
            (langchain.ThreadkeepChatMessageHistory, "connection_string", "memory"),
            (langchain.ThreadkeepChatMessageHistory, "max_tokens", "window"),
            (langchain.ThreadkeepMiddleware, "thread_id", "session_id"),
            (langchain.ThreadkeepMiddleware, "max_tokens", "window"),
            (agents.ThreadkeepSession, "db_path", "memory"),
        ],
    )
    def test_the_name_of_the_frameworks_own_class(self, call, keyword, right):
        with pytest.raises(TypeError, match=f"has no argument '{keyword}'; did you mean '{right}'"):
            call(**{keyword: "c1"})

    def test_a_subclass_may_have_fields_of_its_own(self):
        class Titled(llama.ThreadkeepMemory):
            title: str = ""

        assert Titled.from_defaults("c1", "memory://", title="Trip").title == "Trip"
        with pytest.raises(TypeError, match="did you mean 'title'"):
            Titled.from_defaults("c1", "memory://", titel="Trip")


class TestOrder:
    @pytest.mark.parametrize("name", ONE_CONVERSATION)
    def test_of_one_conversation(self, name):
        call = ONE_CONVERSATION[name]
        assert positional(call) == ["session_id", "memory"]
        assert list(inspect.signature(call).parameters)[2:4] == ["user", "window"]

    @pytest.mark.parametrize("name", SERVING_MANY)
    def test_of_one_that_serves_many(self, name):
        assert positional(SERVING_MANY[name]) == ["memory"]

    @pytest.mark.parametrize("name", [name for name in CALLS if plain(name) in WITH_A_SOURCE])
    def test_the_source_goes_before_the_memory(self, name):
        assert positional(CALLS[name])[1:] == ["memory"]

    @pytest.mark.parametrize("name", ONE_CONVERSATION)
    def test_the_wrong_way_round_is_an_error_that_says_so(self, name, folder):
        call = ONE_CONVERSATION[name]
        with connect("memory://") as memory:
            for args in [(memory, "s1"), (memory,), ("sqlite:///a.db", "s1"), ("sqlite:///a.db",)]:
                with pytest.raises(ConfigError, match="the order is session_id, memory"):
                    call(*args)
        with pytest.raises(ConfigError, match="memory must be a Memory or a URL"):
            call("s1", "s2")
        assert list(folder.iterdir()) == []

    @pytest.mark.parametrize("name", ONE_CONVERSATION)
    def test_one_by_position_too_many_says_the_order(self, name):
        with pytest.raises(TypeError, match=r"session_id, memory by position.*user.*window"):
            ONE_CONVERSATION[name]("s1", "memory://", "ada")

    def test_an_id_in_place_of_a_memory(self):
        with pytest.raises(ConfigError, match="session_id="):
            langchain.ThreadkeepMiddleware("s1")


class TestUser:
    @pytest.mark.parametrize("name", WITH_USER)
    def test_and_its_alias_may_not_differ(self, name):
        for user, other in [("ada", "bob"), ("7", 8), (UUID(int=1), "1")]:
            with pytest.raises(ConfigError, match="user and user_id"):
                WITH_USER[name](user=user, user_id=other, **required(name))

    def test_every_name_that_takes_the_one_takes_the_other(self):
        takers = {n: c for n, c in CALLS.items() if "user" in inspect.signature(c).parameters}
        assert takers.keys() == WITH_USER.keys()
        assert len(takers) > 15

    def test_either_name_or_both(self):
        for ids in ({"user": 7}, {"user_id": "7"}, {"user": 7, "user_id": "7"}):
            session = f"c {sorted(ids)}"
            history = langchain.ThreadkeepChatMessageHistory(session, "memory://", **ids)
            history.add_user_message("hello")
            assert [info.id for info in history.memory.sessions(user="7")][:1] == [session]
            kept = llama.ThreadkeepMemory.from_defaults(session, "memory://", **ids)
            assert kept.user == kept.chat.user == "7"
            ours = agents.ThreadkeepSession(session, "memory://", **ids)
            assert ours.open().user == "7"

    def test_of_the_memory_may_not_differ_from_that_of_the_tools(self):
        kept = llama.ThreadkeepMemory.from_defaults("c1", "memory://", user="ada")
        assert len(llama.memory_tools(kept, session_id="c1", user="ada")) == 3
        wrong: Any
        for wrong in ({"user_id": "bob"}, {"user": "bob"}, {"session_id": "c2"}):
            with pytest.raises(ConfigError, match="another than that of the ThreadkeepMemory"):
                llama.memory_tools(kept, **wrong)

    def test_in_a_runs_configurable_is_warned_of_once_if_there_is_no_other(self):
        node = langchain.save_history_node("memory://")
        state = {"messages": [HumanMessage("hello", id="h")]}
        config: Any = {"configurable": {"thread_id": "c1", "user": "ada"}}
        with pytest.warns(UserWarning, match="user_id"):
            node.invoke(state, config)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            node.invoke(state, config)
            config["configurable"]["user_id"] = "ada"
            langchain.save_history_node("memory://").invoke(state, config)
            plain_node = langchain.save_history_node("memory://", user="ada")
            plain_node.invoke(state, {"configurable": {"thread_id": "c2", "user": {"id": 1}}})


class TestSessionIds:
    NONE: tuple[Any, ...] = (b"c1", True, 1.0, ["c1"], {"id": 1}, object(), HumanMessage("c1"))

    @pytest.mark.parametrize("name", ONE_CONVERSATION)
    def test_of_one_conversation(self, name):
        call = ONE_CONVERSATION[name]
        assert call("c1", "memory://").session_id == "c1"
        assert call(7, "memory://").session_id == "7"
        assert call(UUID(int=7), "memory://").session_id == str(UUID(int=7))
        assert call(None, "memory://").session_id != call(None, "memory://").session_id
        for value in (*self.NONE, ""):
            with pytest.raises(ConfigError, match="session_id must be a str"):
                call(value, "memory://")

    def test_of_a_run(self):
        node = langchain.load_history_node("memory://")
        node.invoke({"messages": []}, {"configurable": {"thread_id": 7}})
        for value in self.NONE:
            with pytest.raises(ConfigError, match="thread_id of the run's configurable must be"):
                node.invoke({"messages": []}, {"configurable": {"thread_id": value}})
            for source in (value, lambda _, value=value: value):
                with pytest.raises(ConfigError, match=r"session_id.* must be a str"):
                    langchain.save_history_node("memory://", session_id=source).invoke(
                        {"messages": []}, {"configurable": {"thread_id": "t"}}
                    )


OPENING = {*OTHERS, *WITH_A_SOURCE, "threadkeep_summarizer"}
"""They take no store, or do I/O when they are called, or want a model."""


class TestDefaultMemory:
    @pytest.mark.parametrize("name", [n for n in CALLS if plain(n) not in {*OPENING, *OF_OURS}])
    def test_is_not_opened_by_constructing(self, name, folder):
        CALLS[name](**required(name))
        assert list(folder.iterdir()) == []

    def test_is_that_of_connect(self, folder):
        history = langchain.ThreadkeepChatMessageHistory("c1")
        history.add_user_message("hello")
        assert (folder / "threadkeep.db").exists()
        assert llama.ThreadkeepMemory.from_defaults("c1").get()[0].content == "hello"
        llama.ThreadkeepChatStore().add_message("c1", ChatMessage(role="user", content="again"))
        items: Any = asyncio.run(agents.ThreadkeepSession("c1").get_items())
        assert [item["content"] for item in items] == ["hello", "again"]
        assert langchain.ThreadkeepMiddleware().memory is history.memory
        with connect() as memory:
            assert len(memory.session("c1").items()) == 2

    def test_follows_the_environment(self, monkeypatch):
        def default() -> Memory:
            return langchain.ThreadkeepMiddleware().memory

        first = default()
        monkeypatch.setenv("THREADKEEP_URL", "memory://")
        assert default() is not first
        assert default() is default()

    def test_of_a_serialized_memory(self):
        kept = llama.ThreadkeepMemory.from_defaults("c1")
        kept.put(ChatMessage(role="user", content="hello"))
        assert llama.ThreadkeepMemory.from_dict(kept.to_dict()).get_all() == kept.get_all()
