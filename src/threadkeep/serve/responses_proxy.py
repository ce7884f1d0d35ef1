"""`POST /v1/responses`: a stateless upstream, with conversations and chains behind it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from typing import Any, Final

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from threadkeep.errors import ThreadkeepError
from threadkeep.serve.calls import call
from threadkeep.serve.door import read_json
from threadkeep.serve.errors import ApiError, api_error
from threadkeep.serve.principal import scope_of
from threadkeep.serve.prompts import Owner, chain_window, conversation_window
from threadkeep.serve.proxy_state import ProxyState, proxy_of
from threadkeep.serve.record import Turn, check_input, record
from threadkeep.serve.response_events import ResponseAnswer, ResponseRewriter
from threadkeep.serve.sse import DONE, EventReader, MalformedStream, ServerEvent, event_bytes
from threadkeep.serve.streaming import EventStream
from threadkeep.serve.upstream import BROKEN, require_event_stream
from threadkeep.types.openai_limits import check_metadata
from threadkeep.window import Window

_log = logging.getLogger(__name__)

PATH: Final = "/responses"
_OURS: Final = frozenset({"conversation", "previous_response_id", "store", "input"})
_NO_ENDPOINT: Final = frozenset({404, 405, 501})


async def create(request: Request) -> Response:
    """Ask the upstream behind a conversation or a chain of responses, and store the turn."""
    scoped_memory = scope_of(request, "write")
    proxy = proxy_of(request)
    body = await read_json(request)
    turn = make_turn(body, scoped_memory)
    window = await call(request, partial(_window, turn, proxy))
    upstream_fields = {key: value for key, value in body.items() if key not in _OURS}
    upstream_fields |= {"store": False, "input": _prompt(turn, window)}
    answer = await _send(proxy, upstream_fields)
    if body.get("stream"):
        await require_event_stream(answer)
        return EventStream(_streamed(request, proxy, turn, answer), send_seconds=proxy.send_seconds)
    try:
        response = await proxy.upstream.read_object(answer)
    finally:
        await answer.aclose()
    return await _unstreamed(request, proxy, turn, response)


def make_turn(body: Mapping[str, Any], owner: Owner) -> Turn:
    """The turn of a request.

    Raises:
        ApiError: 400: a field contradicts another, or is not supported here.
        InputError: a field is not what it should be.
    """
    if body.get("background"):
        raise ApiError(400, "background mode is not supported here", param="background")
    store_field = body.get("store")
    if store_field not in (None, True, False):
        raise ApiError(400, "store must be true or false", param="store")
    conversation, previous_id = _conversation(body), body.get("previous_response_id")
    if previous_id is not None and not isinstance(previous_id, str):
        raise ApiError(400, "previous_response_id must be a text", param="previous_response_id")
    if conversation is not None and previous_id is not None:
        raise ApiError(
            400,
            "pass either conversation or previous_response_id",
            code="mutually_exclusive_parameters",
            param="previous_response_id",
        )
    check_metadata(body.get("metadata") or {})
    entries = check_input(body.get("input", []), "input")
    if not isinstance(entries, str) and any(e.get("type") == "item_reference" for e in entries):
        raise ApiError(400, "send the item itself, not an item_reference", param="input")
    return Turn(
        owner,
        "openai-responses",
        entries,
        conversation=conversation,
        previous=previous_id,
        store=store_field is not False,
    )


def _conversation(body: Mapping[str, Any]) -> str | None:
    conversation = body.get("conversation")
    conversation_id = conversation.get("id") if isinstance(conversation, dict) else conversation
    if conversation_id is not None and not isinstance(conversation_id, str):
        raise ApiError(400, "conversation must be an id", param="conversation")
    return conversation_id


def _window(turn: Turn, proxy: ProxyState) -> Window | None:
    """What is stored and what is new; `None` if nothing is stored before it."""
    if turn.conversation is not None:
        return conversation_window(
            turn.owner, turn.conversation, turn.items(), proxy.policies, must_exist=True
        )
    if turn.previous is not None:
        return chain_window(turn.owner, turn.previous, turn.items(), proxy.policies)
    turn.items()  # what cannot be stored is refused before the model is asked
    return None


def _prompt(turn: Turn, window: Window | None) -> str | list[Any]:
    return turn.input if window is None else window.to_responses(stateless=True)


async def _send(proxy: ProxyState, upstream_fields: Mapping[str, Any]) -> httpx.Response:
    """Ask the upstream; one that has no such endpoint answers 501."""
    try:
        return await proxy.upstream.send("POST", PATH, upstream_fields)
    except ApiError as error:
        error_detail = error.body["error"]
        names_cause = error_detail.get("code") or error_detail.get("param")
        if error.status in _NO_ENDPOINT and not (error.status == 404 and names_cause):
            raise ApiError(
                501,
                "the upstream has no /v1/responses: use /v1/chat/completions",
                code="no_responses_endpoint",
            ) from error
        raise


async def _unstreamed(
    request: Request, proxy: ProxyState, turn: Turn, response: Mapping[str, Any]
) -> Response:
    if not isinstance(response.get("output"), list):
        raise ApiError(502, "the upstream answered without an output", code="upstream")
    own_response = ResponseRewriter(turn).response(response)
    write_turn = partial(record, turn, own_response, own_response["output"])
    await proxy.background.finish(call(request, write_turn))
    return JSONResponse(own_response)


async def _streamed(
    request: Request, proxy: ProxyState, turn: Turn, answer: httpx.Response
) -> AsyncGenerator[bytes, None]:
    """The upstream's events with our ids; the turn is stored before the last one goes out."""
    event_stream = _Stream(request, proxy, turn)
    reader = EventReader()
    try:
        async for chunk in answer.aiter_bytes():
            for event in reader.feed(chunk):
                yield await event_stream.rewritten(event)
        if not event_stream.answer.is_done:
            proxy.upstream.failed("broken")
            yield await event_stream.broken("the upstream ended its answer too early")
    except (MalformedStream, *BROKEN) as error:
        _log.warning("a streamed response broke off: %s", type(error).__name__)
        proxy.upstream.failed("broken")
        yield await event_stream.broken("the upstream broke off its answer")
    finally:
        await answer.aclose()
        await event_stream.store()


class _Stream:
    """Rewrites the events of a response, and stores its turn once."""

    def __init__(self, request: Request, proxy: ProxyState, turn: Turn) -> None:
        self.answer = ResponseAnswer()
        self._request, self._proxy = request, proxy
        self._turn: Turn | None = turn
        self._rewriter = ResponseRewriter(turn)

    async def rewritten(self, event: ServerEvent) -> bytes:
        """An event for the client; before the last one the turn is stored."""
        if event.data.strip() == DONE:
            return b"data: [DONE]\n\n"
        own_event = self._rewriter.event(event.json())
        self.answer.take(own_event)
        if self.answer.is_done and (failure := await self.store()):
            return self._error(failure)
        return event_bytes(own_event, event.name or str(own_event.get("type", "")))

    async def broken(self, message: str) -> bytes:
        """The last event of a stream that broke off."""
        failure = await self.store()
        return self._error(failure or {"message": message, "code": "upstream_disconnected"})

    async def store(self) -> dict[str, Any] | None:
        """Store the turn, if that was not done yet and anything arrived; an error, or `None`."""
        turn, self._turn = self._turn, None
        if turn is None or not self.answer.has_arrived:
            return None
        response = self.answer.response()
        write_turn = partial(record, turn, response, response["output"])
        try:
            await self._proxy.background.finish(call(self._request, write_turn))
        except ThreadkeepError as error:
            error_detail: dict[str, Any] = api_error(error).body["error"]
            return error_detail
        return None

    def _error(self, error_detail: Mapping[str, Any]) -> bytes:
        """The event that the API has for errors in a stream."""
        event_fields = {
            "type": "error",
            "code": error_detail.get("code"),
            "message": error_detail.get("message"),
            "param": None,
            "sequence_number": self.answer.sequence,
        }
        return event_bytes(event_fields, "error")
