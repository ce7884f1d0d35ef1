"""The everyday agent does what its page says: with a scripted model, over restarts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

import threadkeep
from examples.everyday_agent import everyday_agent
from threadkeep.testing import ScriptedModel

CONFIG = {"configurable": {"thread_id": "everyday", "user_id": "ada"}}
LONG = "word " * 3_000
SAVE = {"tool_calls": [{"name": "save_memory", "args": {"text": "I am allergic to nuts"}}]}


def learner(messages):
    return json.dumps({"facts": [], "instructions": [], "summary": "They spoke of long words."})


@pytest.fixture
def chat(tmp_path):
    """`chat(replies, *questions)`: a run of the program; what its model was asked."""

    def run(replies, *questions, config=CONFIG):
        url = f"sqlite:///{tmp_path}/chat.db"
        with (
            threadkeep.connect(url, llm={"call": learner, "every": 4}) as memory,
            ScriptedModel(replies) as model,
        ):
            options: Any = {"base_url": model.base_url, "api_key": "none", "max_retries": 0}
            agent = everyday_agent(ChatOpenAI(model="gpt-5", **options), memory)
            for question in questions:
                agent.invoke({"messages": [{"role": "user", "content": question}]}, config)
            assert memory.flush(timeout=30)
            usage = memory.responses.usage(user="ada")
        return [request["messages"] for request in model.requests], usage

    return run


def texts(messages, role):
    return [message["content"] for message in messages if message["role"] == role]


def test_it_remembers_over_restarts(chat):
    chat(["Hello Ada"], "I am Ada")
    [prompt], usage = chat(["You are Ada"], "Who am I?")
    assert "I am Ada" in texts(prompt, "user")
    assert usage["gpt-5"].responses == 2


def test_the_summary_stands_in_for_what_the_window_leaves_out(chat):
    chat([LONG, LONG, LONG], *(f"question {n}: {LONG}" for n in range(3)))
    [prompt], _ = chat(["Of words"], "What did we speak of?")
    [system] = texts(prompt, "system")
    assert "- They spoke of long words." in system
    assert not any("question 0" in text for text in texts(prompt, "user")[:-1])


def test_it_saves_what_is_known_of_the_user_for_all_threads(chat):
    chat([SAVE, "Noted"], "Remember: I am allergic to nuts")
    other = {"configurable": {"thread_id": "dinner", "user_id": "ada"}}
    [prompt], _ = chat(["No nuts"], "What shall I cook?", config=other)
    assert any("allergic to nuts" in text for text in texts(prompt, "system"))
