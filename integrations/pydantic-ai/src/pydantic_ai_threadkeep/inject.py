"""Add long-term memory to a request to the model; it is in no history, and never stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from pydantic_ai.messages import InstructionPart, ModelMessage, ModelRequest, UserPromptPart
from pydantic_ai.models import ModelRequestContext

from pydantic_ai_threadkeep.item_fields import user_content
from threadkeep import Item
from threadkeep.longterm.context import Context


def question(messages: Sequence[ModelMessage]) -> str:
    """The text of the newest prompt of the user."""
    for message in reversed(messages):
        for part in reversed(message.parts):
            if isinstance(part, UserPromptPart):
                return Item(content=user_content(part.content)).text
    return ""


def with_context(request: ModelRequestContext, context: Context) -> ModelRequestContext:
    """The request with memory: after the instructions, and before the newest prompt."""
    if context.stable:
        parameters = request.model_request_parameters
        instructions = [*(parameters.instruction_parts or []), _instruction(context.stable)]
        instruction_parts = InstructionPart.sorted(instructions)
        parameters = dataclasses.replace(parameters, instruction_parts=instruction_parts)
        request = dataclasses.replace(request, model_request_parameters=parameters)
    if context.volatile:
        messages = _before_question(request.messages, context.volatile)
        request = dataclasses.replace(request, messages=messages)
    return request


def _instruction(text: str) -> InstructionPart:
    return InstructionPart(content=text, dynamic=True)


def _before_question(messages: Sequence[ModelMessage], text: str) -> list[ModelMessage]:
    new_messages = list(messages)
    for message_index in range(len(new_messages) - 1, -1, -1):
        message = new_messages[message_index]
        if not isinstance(message, ModelRequest):
            continue
        parts: list[Any] = list(message.parts)
        for part_index in range(len(parts) - 1, -1, -1):
            if isinstance(parts[part_index], UserPromptPart):
                parts[part_index] = _with_text_before(parts[part_index], text)
                new_messages[message_index] = dataclasses.replace(message, parts=parts)
                return new_messages
    return new_messages


def _with_text_before(prompt: UserPromptPart, text: str) -> UserPromptPart:
    if isinstance(prompt.content, str):
        return dataclasses.replace(prompt, content=f"{text}\n\n{prompt.content}")
    return dataclasses.replace(prompt, content=[text, *prompt.content])
