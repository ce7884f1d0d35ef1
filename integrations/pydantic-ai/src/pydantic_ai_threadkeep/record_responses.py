"""Record model answers as responses: input, output and token usage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic_ai.messages import ModelMessage, ModelResponse

from pydantic_ai_threadkeep.codec import to_items
from threadkeep import Item, Window
from threadkeep.adapters.record_responses import is_input

_CUT_OFF: Final = frozenset({"length"})


def answer_of(prompt: Sequence[ModelMessage], response: ModelResponse) -> dict[str, Any]:
    """An answer as `Responses.add` takes it.

    Args:
        prompt: what the model was sent.
        response: what it answered.
    """
    (item,) = to_items("answer", response)
    is_cut_off = response.state != "complete" or response.finish_reason in _CUT_OFF
    extra_fields = {
        "finish_reason": response.finish_reason,
        "provider": response.provider_name,
        "run": response.run_id,
    }
    return {
        "id": response.provider_response_id,
        "model": response.model_name,
        "status": "incomplete" if is_cut_off else "completed",
        "input": _new_input(prompt),
        "output": Window([item]).to_responses(),
        "usage": item.usage,
        "extra": {name: text for name, text in extra_fields.items() if text is not None},
    }


def _new_input(prompt: Sequence[ModelMessage]) -> list[dict[str, Any]]:
    """The entries of a prompt after the model's last answer: user input and tool results.

    The last answer is converted along with them, because results need their calls.
    """
    answer_indexes = [n for n, message in enumerate(prompt) if isinstance(message, ModelResponse)]
    new_messages = prompt[answer_indexes[-1] if answer_indexes else 0 :]
    items: list[Item] = [
        item for n, message in enumerate(new_messages) for item in to_items(str(n), message)
    ]
    entries = Window(item for item in items if item.type != "notice").to_responses()
    return list(filter(is_input, entries))
