"""The page of a window: what a model gets of a session, what it does not get, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from threadkeep.serve.errors import ApiError
from threadkeep.ui.entries import ItemView, as_json, entry_of
from threadkeep.ui.view import number_parameter, page_route, render, session_of
from threadkeep.window import Window
from threadkeep.window.left_out import LeftOutRange

DEFAULT_TOKENS: Final = 4_000
MAX_ROWS: Final = 200
"""Items that are shown one by one; the newest."""

_MAX_PAYLOAD: Final = 200_000
_LIMITS: Final = ("max_tokens", "max_turns", "max_messages")
_REASONS: Final = {
    "not visible": "notices, and records that cannot be read",
    "no call": "a tool's result whose call is gone",
    "shortened": "a text of which the window shows a part",
}


class Provider(NamedTuple):
    """A provider's request: its name, and what goes into it."""

    name: str
    body: Callable[[Window], Any]


PROVIDERS: Final[Mapping[str, Provider]] = {
    "openai": Provider("OpenAI Chat Completions", lambda w: {"messages": w.to_openai()}),
    "responses": Provider("OpenAI Responses", lambda w: {"input": w.to_responses()}),
    "anthropic": Provider("Anthropic Messages", lambda w: _anthropic(w)),
    "gemini": Provider("Gemini", lambda w: _gemini(w)),
}


def window(request: Request) -> Response:
    """`GET /session/window?id=`: the window of a budget, and the request of a provider with it."""
    chat, session_info = session_of(request)
    limits = _limits_of(request)
    provider = request.query_params.get("provider", "openai")
    if provider not in PROVIDERS:
        raise ApiError(400, "provider is not one of this page", param="provider")
    shown_window = chat.window(
        max_tokens=limits["max_tokens"] or None,
        max_turns=limits["max_turns"] or None,
        max_messages=limits["max_messages"] or None,
    )
    return render(
        request,
        "window.html",
        info=session_info,
        window=shown_window,
        limits=limits,
        rows=rows_of(shown_window),
        not_shown=max(0, len(shown_window) - MAX_ROWS),
        reasons=_REASONS,
        providers=PROVIDERS,
        chosen=provider,
        payload=as_json(PROVIDERS[provider].body(shown_window), _MAX_PAYLOAD),
    )


def rows_of(window: Window) -> list[ItemView | LeftOutRange]:
    """The newest items with the gaps between them, oldest first."""
    items = window[-MAX_ROWS:]
    first_seq = items[0].seq if len(items) < len(window) else 0
    gaps = [gap for gap in window.left_out.ranges if gap.last >= first_seq]
    numbered_rows: list[tuple[int, ItemView | LeftOutRange]] = [
        *((gap.first, gap) for gap in gaps if gap.reason != "shortened"),
        *((item.seq, entry_of(item, with_tokens=True)) for item in items),
    ]
    return [row for _, row in sorted(numbered_rows, key=lambda pair: pair[0])]


def _limits_of(request: Request) -> dict[str, int | None]:
    """The limits of the form; where it was not sent, those of an example."""
    if not any(limit_name in request.query_params for limit_name in _LIMITS):
        return {"max_tokens": DEFAULT_TOKENS, "max_turns": None, "max_messages": None}
    return {limit_name: number_parameter(request, limit_name) for limit_name in _LIMITS}


def _anthropic(window: Window) -> dict[str, Any]:
    messages = window.to_anthropic()
    system_field = {"system": messages.system} if messages.system else {}
    return {**system_field, "messages": list(messages)}


def _gemini(window: Window) -> dict[str, Any]:
    contents = window.to_gemini()
    instruction = {"parts": [{"text": contents.system_instruction}]}
    system_field = {"system_instruction": instruction} if contents.system_instruction else {}
    return {**system_field, "contents": list(contents)}


ROUTES: Final = [page_route("/session/window", window)]
