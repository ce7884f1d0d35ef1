"""Put the chunks of a streamed chat completion together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.serve.sse import DONE, MalformedStream, ServerEvent

_HEAD: Final = ("id", "created", "model", "system_fingerprint", "service_tier")


class ChatAnswer:
    """A chat completion as far as it has arrived.

    Attributes:
        is_done: the stream said that it ends.
    """

    def __init__(self) -> None:
        self.is_done = False
        self._head: dict[str, Any] = {}
        self._message: dict[str, Any] = {"role": "assistant", "content": None}
        self._calls: dict[int, dict[str, Any]] = {}
        self._finish_reason: str | None = None
        self._started = False

    def take(self, event: ServerEvent) -> None:
        """Take in an event.

        Raises:
            MalformedStream: it is no chunk of a chat completion.
        """
        if event.data.strip() == DONE:
            self.is_done = True
            return
        chunk = event.json()
        if chunk.get("error"):
            raise MalformedStream("the upstream reported an error in its stream")
        self._head |= {key: chunk[key] for key in (*_HEAD, "usage") if chunk.get(key) is not None}
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict) and choice.get("index", 0) == 0:
                self._take_choice(choice)

    def message(self) -> dict[str, Any] | None:
        """The message so far, or `None` if nothing of it has arrived."""
        if not self._started:
            return None
        tool_calls = [self._calls[call_index] for call_index in sorted(self._calls)]
        status_field = {} if self.is_finished else {"status": "incomplete"}
        return self._message | ({"tool_calls": tool_calls} if tool_calls else {}) | status_field

    @property
    def is_finished(self) -> bool:
        """Whether the model ended its answer."""
        return self._finish_reason is not None

    def response(self) -> dict[str, Any]:
        """The completion as a response, with its status."""
        return response_of(self._head, self._finish_reason, self.message())

    def _take_choice(self, choice: Mapping[str, Any]) -> None:
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return
        self._started = True
        for delta_key, delta_value in delta.items():
            if delta_key == "tool_calls" and isinstance(delta_value, list):
                for call_index, call_delta in enumerate(delta_value):
                    self._take_call(call_delta, call_index)
            elif delta_key != "role" and delta_value is not None:
                self._message[delta_key] = joined(self._message.get(delta_key), delta_value)

    def _take_call(self, delta: Any, default_index: int) -> None:
        if not isinstance(delta, dict):
            raise MalformedStream("a tool call is not an object")
        call_index = delta.get("index", default_index)
        if type(call_index) is not int:
            raise MalformedStream("the index of a tool call is not a number")
        new_call = {"type": "function", "function": {"name": "", "arguments": ""}}
        call = self._calls.setdefault(call_index, new_call)
        function = delta.get("function")
        for field_name, field_value in function.items() if isinstance(function, dict) else ():
            call["function"][field_name] = joined(call["function"].get(field_name), field_value)
        call_fields = {key: v for key, v in delta.items() if key not in {"function", "index"}}
        call.update({key: value for key, value in call_fields.items() if value})


def response_of(
    head: Mapping[str, Any], finish_reason: str | None, message: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A completion as a response that can be stored."""
    return {
        **{field_name: value for field_name, value in head.items() if field_name != "created"},
        "created_at": head.get("created"),
        "upstream_id": head.get("id"),
        "finish_reasons": [finish_reason],
        "status": "incomplete" if finish_reason in (None, "length") else "completed",
        "output": [] if message is None else [message],
    }


def joined(before: Any, delta: Any) -> Any:
    """A field with what a delta adds: texts and lists go on, other values take its place."""
    if isinstance(before, str) and isinstance(delta, str):
        return before + delta
    if isinstance(before, list) and isinstance(delta, list):
        return before + delta
    return before if delta is None else delta


def completion_response(completion: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A whole completion as a response with its status, and its message.

    Raises:
        MalformedStream: it has no message.
    """
    raw_choices = completion.get("choices")
    choice = raw_choices[0] if isinstance(raw_choices, list) and raw_choices else None
    raw_message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(raw_message, dict):
        raise MalformedStream("the completion has no message")
    head = {key: value for key, value in completion.items() if key not in {"choices", "object"}}
    finish_reason = choice.get("finish_reason")
    return response_of(head, finish_reason or "stop", raw_message), raw_message
