"""A turn of an engine of LlamaIndex: `python -m examples.demo.frameworks.llama_index STORE ...`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import LLM
from llama_index.core.llms.mock import MockFunctionCallingLLM

from examples.demo import script
from examples.demo.frameworks import turns
from examples.demo.model import Model
from llama_index.memory.threadkeep import ThreadkeepMemory


def ask(turn: turns.Turn) -> None:
    """Go on with what the agent of LangChain has stored."""
    chat_memory = ThreadkeepMemory.from_defaults(turn.session, turn.memory, user=turn.user)
    SimpleChatEngine.from_defaults(llm=_llm(turn.model), memory=chat_memory).chat(turn.question)


def _llm(model: Model) -> LLM:
    """What `llama_index.llms.openai.OpenAI` would be, which the demo does not install."""

    def answer(messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:
        reply = model.complete([_sent(message) for message in messages])
        return ChatMessage(role="assistant", content=reply.choices[0].message.content)

    return MockFunctionCallingLLM(response_generator=answer, is_chat_model=True)


def _sent(message: ChatMessage) -> dict[str, Any]:
    wire_message: dict[str, Any] = {"role": message.role.value, "content": message.content or ""}
    if id := message.additional_kwargs.get("tool_call_id"):
        wire_message["tool_call_id"] = id
    if calls := [_call(block) for block in message.blocks if isinstance(block, ToolCallBlock)]:
        wire_message["tool_calls"] = calls
    return wire_message


def _call(block: ToolCallBlock) -> dict[str, Any]:
    function = {"name": block.tool_name, "arguments": json.dumps(block.tool_kwargs)}
    return {"id": block.tool_call_id, "type": "function", "function": function}


if __name__ == "__main__":
    sys.exit(turns.take("LlamaIndex", ask, script.BY_LLAMA_INDEX, sys.argv[1:]))
