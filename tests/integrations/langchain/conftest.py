"""A real SQLite file, and what looks at it afterwards from outside."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from langchain_openai import ChatOpenAI

import threadkeep
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
