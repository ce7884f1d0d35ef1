"""LangChain's own redaction with `erase_replaced=True`: what was redacted is stored nowhere raw."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import PIIMiddleware
from langchain.tools import tool
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage

from langchain_threadkeep import ThreadkeepMiddleware, ThreadkeepSaver
from tests.integrations.langchain.saver.conftest import config
from threadkeep.errors import ConfigError

RAW = "kim@example.org"


class Model(GenericFakeChatModel):
    """Says what it is given to say, whatever tools it has."""

    def bind_tools(self, tools, **options):
        return self


@tool
def look_up(name: str) -> str:
    """The address of a person."""
    return f"The address of {name} is {RAW}."


def agent_on(memory, *middleware):
    call = {"name": "look_up", "args": {"name": "Kim"}, "id": "call-1"}
    answers = [AIMessage("", tool_calls=[call]), AIMessage(f"It is {RAW}."), AIMessage("Yes.")]
    redaction = PIIMiddleware(
        "email", strategy="redact", apply_to_output=True, apply_to_tool_results=True
    )
    return create_agent(
        Model(messages=iter(answers)),
        [look_up],
        middleware=[*middleware, redaction],
        checkpointer=ThreadkeepSaver(memory, erase_replaced=True),
    )


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with our middleware"])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("shape", ["message", "dict", "pair"])
def test_redacted_address_is_stored_nowhere_raw(memory, stored, beside, durability, shape):
    text = f"My address is {RAW}. What is Kim's?"
    message = {
        "message": HumanMessage(text, id="u1"),
        "dict": {"role": "user", "content": text},
        "pair": ("user", text),
    }[shape]
    agent = agent_on(memory, *([ThreadkeepMiddleware(memory)] if beside else []))
    agent.invoke({"messages": [message]}, config(), durability=durability)
    agent.invoke({"messages": [("user", "Is it?")]}, config(), durability=durability)
    bodies = [record.body for records in stored(memory).values() for record in records]
    assert [body for body in bodies if RAW in body] == []
    history = list(agent.get_state_history(config()))
    assert RAW not in str(history)
    texts = [message.text for message in agent.get_state(config()).values["messages"]]
    assert texts[0] == "My address is [REDACTED_EMAIL]. What is Kim's?"
    assert texts[-2:] == ["Is it?", "Yes."]


def test_memory_with_a_redactor_is_refused_and_the_way_is_named(opened):
    with pytest.raises(ConfigError, match="PIIMiddleware and erase_replaced=True"):
        ThreadkeepSaver(opened(redactor=lambda text, kind: text))
