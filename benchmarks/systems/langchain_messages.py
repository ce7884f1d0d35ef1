"""The measured messages as LangChain's."""

from __future__ import annotations

import json

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from benchmarks.messages import Message


def chat(message: Message) -> BaseMessage:
    """A message of LangChain, made as an application makes it."""
    if message["role"] == "tool":
        return ToolMessage(message["content"], tool_call_id=message["tool_call_id"])
    if message["role"] == "user":
        return HumanMessage(message["content"])
    calls = [
        {
            "id": call["id"],
            "name": call["function"]["name"],
            "args": json.loads(call["function"]["arguments"]),
        }
        for call in message.get("tool_calls", ())
    ]
    return AIMessage(message["content"] or "", tool_calls=calls)
