"""`ScriptedModel`: an OpenAI-compatible server with scripted answers, for tests and demos."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from threadkeep.testing.model.bodies import Body, completion, completion_chunks, error_body
from threadkeep.testing.model.responses import response, response_events
from threadkeep.testing.model.script import (
    ModelError,
    RawBody,
    Reply,
    ReplyScript,
    Request,
    ScriptedReply,
    final_error,
)
from threadkeep.testing.model.server import HttpAnswer, ModelServer
from threadkeep.testing.validity import assert_valid

__all__ = ["ModelError", "ScriptedModel"]

_BodyFactory = Callable[[ScriptedReply, Request, str], Body]
_EventFactory = Callable[[ScriptedReply, Request, str], Iterator[str]]
_ENDPOINTS: dict[str, tuple[_BodyFactory, _EventFactory]] = {
    "/v1/chat/completions": (completion, completion_chunks),
    "/v1/responses": (response, response_events),
}


class ScriptedModel:
    """A scripted model over real HTTP: no API key, no network, repeatable answers.

    Serves `POST /v1/chat/completions` and `POST /v1/responses`, plain and with `stream=True`, on
    a free port of 127.0.0.1::

        with ScriptedModel(["Hello", {"tool_calls": [{"name": "weather", "args": {}}]}]) as model:
            client = OpenAI(base_url=model.base_url, api_key="none")

    Each request takes the next of `replies`:

    - a `str`: the text of the answer;
    - a dict with `content`, `tool_calls` (`{"name", "args"}`, or in OpenAI's own form), `usage`,
      `finish_reason`; a dict with `object`, `choices` or `output` is sent as the whole body;
    - an `int` of 400 to 599 or a `ModelError`: that HTTP status; 429 and 503 come with Retry-After;
      any other exception is a 500 (or its `status_code`) that clients do not retry;
    - a callable: gets the parsed request, returns or raises any of the above.

    One callable instead of the list answers every request. A script at its end answers 500 and
    says so. Ids are derived from the request, so that a run can be repeated.

    Args:
        replies: the script.
        validate: answer 400, as the service does, to a prompt that `assert_valid` rejects; its
            message is the error's, and no reply is used up. Prompts that continue a stored
            response (`previous_response_id`, `conversation`) are taken as they are.

    Attributes:
        requests: the parsed bodies of all requests so far, rejected ones included.
    """

    def __init__(
        self, replies: Sequence[Reply] | Callable[[Request], Any], *, validate: bool = True
    ) -> None:
        self.requests: list[Request] = []
        self._script = ReplyScript(replies)
        self._validate = validate
        self._lock = threading.Lock()
        self._running: tuple[ModelServer, threading.Thread] | None = None

    @property
    def base_url(self) -> str:
        """The URL for `OpenAI(base_url=)`.

        Raises:
            RuntimeError: the server is not running.
        """
        if self._running is None:
            raise RuntimeError("the scripted model is not running: use it in a with statement")
        return f"http://127.0.0.1:{self._running[0].server_port}/v1"

    def start(self) -> Self:
        """Serve in a daemon thread; may be started again after `stop`, on another port."""
        if self._running is None:
            server = ModelServer(self._handle_request)
            thread = threading.Thread(
                target=server.serve_forever, args=(0.02,), name="scripted-model", daemon=True
            )
            thread.start()
            self._running = server, thread
        return self

    def stop(self) -> None:
        """Stop serving and free the port; answers under way are not waited for."""
        if self._running is not None:
            (server, thread), self._running = self._running, None
            server.shutdown()
            server.server_close()
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _handle_request(self, method: str, path: str, body_bytes: bytes) -> HttpAnswer:
        try:
            if method != "POST" or path not in _ENDPOINTS:
                raise final_error(
                    404, f"no {method} {path} here, but POST {', POST '.join(_ENDPOINTS)}"
                )
            request, request_key = self._receive(body_bytes)
            if self._validate:
                _check_prompt(path, request)
            return _http_answer(
                path, request, self._script.answer(request, request_key), request_key
            )
        except ModelError as error:
            return HttpAnswer(error.status_code, error_body(error), error.headers)

    def _receive(self, body_bytes: bytes) -> tuple[Request, str]:
        """The parsed request, and a unique key for it."""
        try:
            request = json.loads(body_bytes)
        except ValueError as error:
            raise ModelError(400, f"the body of the request is not JSON: {error}") from error
        if not isinstance(request, dict):
            raise ModelError(400, "the body of the request must be a JSON object")
        with self._lock:
            self.requests.append(request)
            return request, f"{len(self.requests)}/{body_bytes.decode()}"


def _check_prompt(path: str, request: Request) -> None:
    request_input = request.get("input")
    try:
        if path == "/v1/chat/completions":
            assert_valid(request.get("messages"), "openai")
        elif request.get("previous_response_id") or request.get("conversation"):
            return
        elif not isinstance(request_input, str):
            assert_valid(request_input, "responses", system=request.get("instructions"))
    except AssertionError as error:
        raise ModelError(400, str(error)) from error


def _http_answer(
    path: str, request: Request, reply: ScriptedReply | RawBody, key: str
) -> HttpAnswer:
    make_body, make_events = _ENDPOINTS[path]
    if isinstance(reply, ScriptedReply) and request.get("stream"):
        return HttpAnswer(200, make_events(reply, request, key))
    if request.get("stream"):
        raise final_error(500, "the script holds a whole body, which cannot be streamed")
    return HttpAnswer(
        200, make_body(reply, request, key) if isinstance(reply, ScriptedReply) else reply.body
    )
