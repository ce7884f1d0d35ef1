"""How a page is made: who asks is checked first, then a function runs off the event loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.api.user import User
from threadkeep.errors import NotFound
from threadkeep.serve.calls import call
from threadkeep.serve.errors import NOT_FOUND, ApiError
from threadkeep.serve.principal import Principal, principal_of
from threadkeep.types import SessionInfo
from threadkeep.ui.form_token import FormTokens
from threadkeep.ui.renderer import Renderer

PAGE_SECONDS: Final = 20.0
"""How long a store on a server may take for a page; then it counts as not available."""

View = Callable[[Request], Response]


def page_route(path: str, view: View) -> Route:
    """The route of a page that anybody sees who may read."""

    async def endpoint(request: Request) -> Response:
        request.state.principal = principal_of(request, "read")
        return await call(request, partial(_within_limit, view, request))

    return Route(path, endpoint, methods=["GET"])


def change_route(path: str, change: Callable[[Request], Response]) -> Route:
    """The route of a form that changes something: its token is checked, and the scope `write`."""

    async def endpoint(request: Request) -> Response:
        request.state.principal = principal_of(request, "write")
        tokens: FormTokens = request.app.state.form_tokens
        await tokens.read_form(request)
        return await call(request, partial(change, request))

    return Route(path, endpoint, methods=["POST"])


def memory_of(request: Request) -> Memory:
    """What is shown."""
    memory: Memory = request.app.state.memory
    return memory


def owner_of(request: Request) -> str | None:
    """The user whose data alone a request may reach; `None` = everybody's."""
    principal: Principal = request.state.principal
    return None if principal.may("admin") else principal.user


def render(request: Request, template: str, **values: Any) -> Response:
    """A page."""
    renderer: Renderer = request.app.state.renderer
    return renderer.page(request, template, **values)


def text_parameter(request: Request, name: str, limit: int = 4_000) -> str:
    """A parameter, without spaces around it; empty if it is not given.

    Raises:
        ApiError: 400: it is too long.
    """
    parameter_text = request.query_params.get(name, "").strip()
    if len(parameter_text) > limit:
        raise ApiError(400, f"{name} must have at most {limit:,} characters", param=name)
    return parameter_text


def number_parameter(request: Request, name: str, maximum: int = 10**9) -> int | None:
    """A parameter that is a whole number of at least 0; `None` if it is not given.

    Raises:
        ApiError: 400: it is none.
    """
    number_text = text_parameter(request, name, 20)
    if not number_text:
        return None
    if not (number_text.isascii() and number_text.isdigit() and int(number_text) <= maximum):
        raise ApiError(400, f"{name} must be a number from 0 to {maximum:,}", param=name)
    return int(number_text)


def id_parameter(request: Request, name: str = "id") -> str:
    """An id among the parameters, as it is.

    Raises:
        ApiError: 400: it is not given.
    """
    id_text = request.query_params.get(name, "")
    if not id_text:
        raise ApiError(400, f"{name} is missing", param=name)
    return id_text


def session_of(request: Request, name: str = "id") -> tuple[Session, SessionInfo]:
    """The session that a parameter names, and what is known of it.

    Raises:
        NotFound: there is none.
        NotOwner: it belongs to another user.
    """
    chat = memory_of(request).session(id_parameter(request, name), user=owner_of(request))
    session_info = chat.info()
    if session_info is None:
        raise NotFound(NOT_FOUND)
    return chat, session_info


def user_of(request: Request, name: str = "id") -> User:
    """The user that a parameter names.

    Raises:
        ApiError: 404: another user's data.
    """
    user_id, owner_id = id_parameter(request, name), owner_of(request)
    if owner_id is not None and user_id != owner_id:
        raise ApiError(404, NOT_FOUND, code="not_found")
    return memory_of(request).user(user_id)


def _within_limit(view: View, request: Request) -> Response:
    with memory_of(request).timeout(PAGE_SECONDS):
        return view(request)
