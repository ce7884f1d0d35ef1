"""`POST /v1/chat/completions`: a stateless upstream, with the session of a header behind it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any, Final

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from threadkeep.errors import ThreadkeepError
from threadkeep.serve.calls import call
from threadkeep.serve.chat_answers import ChatAnswer, completion_response
from threadkeep.serve.door import read_json
from threadkeep.serve.errors import ApiError, api_error, error_body
from threadkeep.serve.principal import scope_of
from threadkeep.serve.prompts import conversation_window
from threadkeep.serve.proxy_state import ProxyState, proxy_of
from threadkeep.serve.record import Turn, check_input, record
from threadkeep.serve.sse import EventReader, MalformedStream, event_bytes
from threadkeep.serve.streaming import EventStream
from threadkeep.serve.upstream import BROKEN, require_event_stream

_log = logging.getLogger(__name__)

SESSION_HEADER: Final = "x-threadkeep-session"
RESPONSE_HEADER: Final = "x-threadkeep-response"
PATH: Final = "/chat/completions"
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_STREAM_BROKE: Final = "the upstream broke off its answer"


async def complete(request: Request) -> Response:
    """Ask the upstream; with `X-Threadkeep-Session`, behind the session's window."""
    turn: Turn | None = None
    scoped_memory = scope_of(request, "write")
    proxy = proxy_of(request)
    body = await read_json(request)
    session_id = request.headers.get(SESSION_HEADER)
    if session_id is not None:
        system_messages, turn = _turn(body, scoped_memory, session_id)
        window = await call(
            request,
            partial(
                conversation_window,
                scoped_memory,
                session_id,
                turn.items(),
                proxy.policies,
                must_exist=False,
            ),
        )
        body = {**body, "messages": [*system_messages, *window.to_openai()]}
    upstream_answer = await proxy.upstream.send("POST", PATH, body)
    response_headers = {} if turn is None or not turn.store else {RESPONSE_HEADER: turn.response_id}
    if body.get("stream"):
        await require_event_stream(upstream_answer)
        events = _streamed(request, proxy, turn, upstream_answer)
        return EventStream(events, send_seconds=proxy.send_seconds, headers=response_headers)
    try:
        completion = await proxy.upstream.read_object(upstream_answer)
    finally:
        await upstream_answer.aclose()
    if turn is not None:
        await _record_completion(request, proxy, turn, completion)
    return JSONResponse(completion, headers=response_headers)


def _turn(body: dict[str, Any], owner: Any, session: str) -> tuple[list[dict[str, Any]], Turn]:
    """The system messages in front, which are not stored, and the turn of the other messages."""
    messages = check_input(body.get("messages"), "messages")
    if isinstance(messages, str):
        raise ApiError(400, "messages must be a list of objects", param="messages")
    if body.get("n") not in (None, 1):
        raise ApiError(400, "with a session, only one choice can be asked for", param="n")
    store_field = body.get("store")
    if store_field not in (None, True, False):
        raise ApiError(400, "store must be true or false", param="store")
    system_count = next(
        (n for n, message in enumerate(messages) if message.get("role") not in _SYSTEM_ROLES),
        len(messages),
    )
    turn = Turn(
        owner,
        "openai-chat",
        messages[system_count:],
        conversation=session,
        store=store_field is not False,
    )
    return messages[:system_count], turn


async def _record_completion(
    request: Request, proxy: ProxyState, turn: Turn, completion: dict[str, Any]
) -> None:
    try:
        response, message = completion_response(completion)
    except MalformedStream as error:
        raise ApiError(502, "the upstream answered without a message", code="upstream") from error
    await proxy.background.finish(call(request, partial(record, turn, response, [message])))


async def _streamed(
    request: Request, proxy: ProxyState, turn: Turn | None, answer: httpx.Response
) -> AsyncGenerator[bytes, None]:
    """The upstream's bytes, unchanged; the turn is stored before its last ones go out."""
    recorder = _Recorder(request, proxy, turn)
    try:
        async for chunk in answer.aiter_bytes():
            recorder.take(chunk)
            yield (await recorder.stored() + chunk) if recorder.answer.is_done else chunk
        if turn is not None and not recorder.answer.is_done:
            if not recorder.answer.is_finished:
                proxy.upstream.failed("broken")
            yield await recorder.stored(broken=not recorder.answer.is_finished)
    except BROKEN:
        proxy.upstream.failed("broken")
        yield await recorder.stored(broken=True)
    finally:
        await answer.aclose()
        await recorder.stored()


class _Recorder:
    """Stores the turn of a streamed answer, once."""

    def __init__(self, request: Request, proxy: ProxyState, turn: Turn | None) -> None:
        self.answer = ChatAnswer()
        self._request, self._proxy, self._turn = request, proxy, turn
        self._reader: EventReader | None = None if turn is None else EventReader()

    def take(self, chunk: bytes) -> None:
        """Read a chunk; what comes behind one that is malformed is not recorded."""
        if self._reader is None:
            return
        try:
            for event in self._reader.feed(chunk):
                self.answer.take(event)
        except MalformedStream as error:
            _log.warning("a streamed answer is recorded up to what is malformed: %s", error)
            self._reader = None

    async def stored(self, *, broken: bool = False) -> bytes:
        """Store the turn, if that was not done yet; an event for what the client must know."""
        failure = await self._store()
        if failure is None and broken:
            failure = error_body(502, _STREAM_BROKE, code="upstream_disconnected")
        return b"" if failure is None else b"\n\n" + event_bytes(failure)

    async def _store(self) -> dict[str, Any] | None:
        """The body of an error, or `None`."""
        turn, self._turn = self._turn, None
        message = self.answer.message()
        if turn is None or message is None:  # nothing arrived, so that a retry finds nothing
            return None
        write_turn = partial(record, turn, self.answer.response(), [message])
        try:
            await self._proxy.background.finish(call(self._request, write_turn))
        except ThreadkeepError as error:
            return api_error(error).body
        return None
