"""A first guess works, or its error says the fix: over a hundred, by where people come from."""

from __future__ import annotations

import re

import pytest
from langchain_core.messages import AIMessage, HumanMessage, messages_to_dict
from llama_index.core.llms import ChatMessage

import threadkeep
from langchain_threadkeep import (
    ThreadkeepChatMessageHistory,
    ThreadkeepMiddleware,
    ThreadkeepSaver,
    ThreadkeepStore,
)
from llama_index.memory.threadkeep import ThreadkeepMemory
from openai_agents_threadkeep import ThreadkeepSession
from tests.guesses.more_snippets import MORE_SNIPPETS
from tests.guesses.snippets import SNIPPETS
from threadkeep import policies

NAMES = {
    "AIMessage": AIMessage,
    "ChatMessage": ChatMessage,
    "HumanMessage": HumanMessage,
    "ThreadkeepChatMessageHistory": ThreadkeepChatMessageHistory,
    "ThreadkeepMemory": ThreadkeepMemory,
    "ThreadkeepMiddleware": ThreadkeepMiddleware,
    "ThreadkeepSaver": ThreadkeepSaver,
    "ThreadkeepSession": ThreadkeepSession,
    "ThreadkeepStore": ThreadkeepStore,
    "messages_to_dict": messages_to_dict,
    "policies": policies,
    "threadkeep": threadkeep,
}
CASES = [
    pytest.param(snippet, fix, id=f"{origin}-{number}")
    for origin, snippets in {**SNIPPETS, **MORE_SNIPPETS}.items()
    for number, (snippet, fix) in enumerate(snippets)
]


@pytest.fixture
def names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THREADKEEP_URL", raising=False)
    with threadkeep.connect("memory://") as memory:
        chat = memory.session("c1", user="ada")
        chat.add("I like tea", {"role": "assistant", "content": "Noted"})
        yield {**NAMES, "memory": memory, "chat": chat, "ada": memory.user("ada")}


@pytest.mark.proves("D21")
@pytest.mark.parametrize(("snippet", "fix"), CASES)
def test_a_first_guess_works_or_says_the_fix(names, snippet, fix):
    if fix is None:
        exec(snippet, names)
        return
    with pytest.raises((TypeError, ValueError, AttributeError, ImportError)) as caught:
        exec(snippet, names)
    assert re.search(fix, str(caught.value)), str(caught.value)


def test_there_are_more_than_a_hundred():
    snippets = [snippet for group in SNIPPETS.values() for snippet, _ in group]
    assert len(set(snippets)) == len(snippets) > 100
