"""A real SQLite file, and what looks at it afterwards from outside."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
from tests.integrations.langchain.chains import weather
from threadkeep.testing import ScriptedModel


@pytest.fixture
def memory(tmp_path):
    with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db") as memory:
        yield memory


@pytest.fixture
def chat(memory):
    return memory.session("t")


@pytest.fixture
def served():
    """`served(replies)`: a chat model over HTTP that says them, and refuses invalid prompts."""
    with ExitStack() as stack:

        def serve(replies, **options):
            model = stack.enter_context(ScriptedModel(replies))
            client = {"base_url": model.base_url, "api_key": "none", "max_retries": 0}
            return ChatOpenAI(model="gpt-5", **client, **options), model

        yield serve


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
