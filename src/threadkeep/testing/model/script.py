"""The script of a scripted model, and the forms of its replies."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Request = dict[str, Any]
Reply = str | int | Mapping[str, Any] | BaseException | Callable[[Request], Any]

_TURN_KEYS = frozenset({"content", "tool_calls", "usage", "finish_reason"})
_RAW_KEYS = frozenset({"object", "choices", "output"})
_RETRY_SOON = {"retry-after": "1", "retry-after-ms": "10"}
_DEFAULT_MESSAGES = {
    400: "Bad request",
    401: "Incorrect API key provided",
    404: "The model does not exist",
    429: "Rate limit reached",
    500: "The server had an error while processing your request",
    503: "The engine is currently overloaded",
}


class ModelError(Exception):
    """In a script: answer with this HTTP status, message and headers instead of a reply."""

    def __init__(
        self, status: int, message: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"an error has an HTTP status of 400 to 599, not {status}")
        super().__init__(message or _DEFAULT_MESSAGES.get(status, f"HTTP status {status}"))
        self.status_code = status
        self.headers = dict(headers if headers is not None else _default_headers(status))


def final_error(status: int, message: str) -> ModelError:
    """An error that OpenAI clients do not retry: repeating the request would not help."""
    return ModelError(status, message, {"x-should-retry": "false"})


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A tool call: its id, the tool's name, and the arguments as JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """One reply of the model."""

    content: str | None = None
    calls: tuple[ScriptedCall, ...] = ()
    usage: Mapping[str, Any] = field(default_factory=dict)
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class RawBody:
    """A whole response body, sent as it stands."""

    body: Mapping[str, Any]


class ReplyScript:
    """The replies in order, one for each request, or one callable for all of them."""

    def __init__(self, replies: Sequence[Reply] | Callable[[Request], Any]) -> None:
        if isinstance(replies, str) or not (callable(replies) or isinstance(replies, Sequence)):
            raise TypeError("replies must be a list of replies, or one callable of the request")
        self._callable = replies if callable(replies) else None
        self._replies = [] if callable(replies) else list(replies)
        self._requests = 0
        self._lock = threading.Lock()

    def answer(self, request: Request, key: str) -> ScriptedReply | RawBody:
        """The next reply; ids it does not give are derived from `key`.

        Raises:
            ModelError: the script says so, is exhausted, or holds an invalid reply.
        """
        reply = step = self._next()
        if callable(step):
            try:
                reply = step(request)
            except Exception as error:
                reply = error
        return _parse_reply(reply, key)

    def _next(self) -> object:
        if self._callable is not None:
            return self._callable
        with self._lock:
            self._requests += 1
            if self._requests <= len(self._replies):
                return self._replies[self._requests - 1]
        reply_count = len(self._replies)
        raise final_error(
            500, f"the script is exhausted: it holds {reply_count} replies, this is one more"
        )


def _parse_reply(reply: object, key: str) -> ScriptedReply | RawBody:
    if isinstance(reply, str):
        return ScriptedReply(reply)
    if isinstance(reply, Mapping):
        return RawBody(reply) if _RAW_KEYS & reply.keys() else _parse_message(reply, key)
    if isinstance(reply, BaseException):
        raise _as_model_error(reply)
    if isinstance(reply, int) and 400 <= reply <= 599:
        raise ModelError(reply)
    raise final_error(
        500, f"the script holds a {type(reply).__name__}, which is not a reply: {reply!r}"
    )


def _as_model_error(error: BaseException) -> ModelError:
    if isinstance(error, ModelError):
        return error
    status_code = getattr(error, "status_code", 500)
    return final_error(status_code, f"{type(error).__name__}: {error}")


def _parse_message(raw_reply: Mapping[str, Any], key: str) -> ScriptedReply:
    if unknown_keys := sorted(raw_reply.keys() - _TURN_KEYS):
        allowed_keys = ", ".join(sorted(_TURN_KEYS))
        raise final_error(
            500, f"the script holds a reply with {unknown_keys}; a reply may have {allowed_keys}"
        )
    reply_content = raw_reply.get("content")
    if not isinstance(reply_content, str | None):
        raise final_error(
            500, f"the script holds a reply whose content is a {type(reply_content).__name__}"
        )
    calls = tuple(
        _parse_call(tool_call, f"{key}/{call_index}")
        for call_index, tool_call in enumerate(raw_reply.get("tool_calls") or ())
    )
    return ScriptedReply(
        reply_content, calls, raw_reply.get("usage") or {}, raw_reply.get("finish_reason")
    )


def _parse_call(call: Any, key: str) -> ScriptedCall:
    """From `{"name", "args"}` or from the form of Chat Completions."""
    function = call.get("function", call) if isinstance(call, Mapping) else {}
    if not isinstance(function.get("name"), str):
        raise final_error(500, "the script holds a tool call without a name")
    raw_arguments = function.get("args", function.get("arguments", {}))
    arguments_json = (
        raw_arguments
        if isinstance(raw_arguments, str)
        else json.dumps(raw_arguments, ensure_ascii=False)
    )
    return ScriptedCall(call.get("id") or identifier("call", key), function["name"], arguments_json)


def identifier(prefix: str, key: str) -> str:
    """An id in the service's form, derived from the key: demos and tests are repeatable."""
    return f"{prefix}_{hashlib.sha256(key.encode()).hexdigest()[:24]}"


def _default_headers(status: int) -> Mapping[str, str]:
    return _RETRY_SOON if status in {429, 503} else {}
