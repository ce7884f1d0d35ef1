"""Give messages of the installed LangChain or LlamaIndex, of any version, to `chat.add`.

A script, for versions that the tests' environment does not have, without the adapters:

    uv run --no-project --with 'langchain-core==0.3.0' --with . python tests/integrations/older_versions.py
    uv run --no-project --with 'llama-index-core==0.11.0' --with . python tests/integrations/older_versions.py
"""  # noqa: E501

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import threadkeep

CALL = {"name": "weather", "args": {"city": "Lisbon"}, "id": "call_1"}
READ_CALL = {"id": "call_1", "name": "weather", "args": {"city": "Lisbon"}}
Expected = tuple[str, str, list[Any], str | None]


def langchain_cases() -> Iterator[tuple[Any, Expected]]:
    """Message objects, with role, text, tool calls and tool call id as they must be stored."""
    messages = importlib.import_module("langchain_core.messages")
    yield messages.HumanMessage("hi", id="m1", name="ada"), ("user", "hi", [], None)
    yield messages.SystemMessage("be kind"), ("system", "be kind", [], None)
    yield messages.AIMessage("", tool_calls=[CALL]), ("assistant", "", [READ_CALL], None)
    yield messages.AIMessageChunk("part"), ("assistant", "part", [], None)
    yield messages.ToolMessage("21", tool_call_id="call_1"), ("tool", "21", [], "call_1")
    yield messages.ChatMessage("x", role="user"), ("user", "x", [], None)
    parts = [{"type": "text", "text": "a"}]
    yield messages.HumanMessage(parts), ("user", "a", [], None)


def llama_index_cases() -> Iterator[tuple[Any, Expected]]:
    """As `langchain_cases`."""
    types = importlib.import_module("llama_index.core.base.llms.types")
    for role in ("user", "assistant", "system"):
        yield types.ChatMessage(role=role, content="hi"), (role, "hi", [], None)
    extra = {"tool_call_id": "call_1", "name": "weather"}
    result = types.ChatMessage(role="tool", content="21", additional_kwargs=extra)
    yield result, ("tool", "21", [], "call_1")
    function = {"name": "weather", "arguments": json.dumps(CALL["args"])}
    calls = [{"id": "call_1", "type": "function", "function": function}]
    call = types.ChatMessage(role="assistant", content="", additional_kwargs={"tool_calls": calls})
    yield call, ("assistant", "", [READ_CALL], None)


def langchain_dumps() -> dict[str, Callable[[Any], Any]]:
    """The ways in which LangChain writes a message."""
    load = importlib.import_module("langchain_core.load")
    messages = importlib.import_module("langchain_core.messages")
    return {
        "object": lambda message: message,
        "model_dump": lambda message: message.model_dump(),
        "messages_to_dict": lambda message: messages.messages_to_dict([message])[0],
        "dumpd": load.dumpd,
    }


def llama_index_dumps() -> dict[str, Callable[[Any], Any]]:
    """The ways in which LlamaIndex writes a message."""
    return {
        "object": lambda message: message,
        "model_dump": lambda message: message.model_dump(),
        "json": lambda message: json.loads(message.model_dump_json()),
    }


def check(cases: Iterator[tuple[Any, Expected]], dumps: dict[str, Callable[[Any], Any]]) -> int:
    """Add each message in each form; returns how many were added."""
    count = 0
    with threadkeep.connect("memory://") as memory:
        for message, expected in cases:
            for form, dump in dumps.items():
                chat = memory.session(f"{count}")
                chat.add(dump(message))
                (item,) = chat.items()
                found = (item.role, item.text, item.tool_calls, item.tool_call_id)
                assert found == expected, (form, found, expected)
                count += 1
    return count


FRAMEWORKS = {
    "langchain-core": (langchain_cases, langchain_dumps),
    "llama-index-core": (llama_index_cases, llama_index_dumps),
}

if __name__ == "__main__":
    for distribution, (cases, dumps) in FRAMEWORKS.items():
        try:
            installed = version(distribution)
        except ImportError:
            continue
        sys.stdout.write(f"{distribution} {installed}: {check(cases(), dumps())} messages read\n")
