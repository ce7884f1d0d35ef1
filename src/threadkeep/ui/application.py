"""The ASGI application of `threadkeep ui`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from threadkeep.api.memory import Memory
from threadkeep.errors import ThreadkeepError
from threadkeep.serve.application import Keys, authenticator_of, check_memory, door_middleware
from threadkeep.serve.door import LOOPBACK_HOSTS, Limits
from threadkeep.serve.errors import ApiError
from threadkeep.ui import (
    changes,
    error_pages,
    item,
    knowledge,
    recall,
    sessions,
    sign_in,
    static_files,
    transcript,
    usage,
    window,
)
from threadkeep.ui.form_token import FormTokens
from threadkeep.ui.renderer import Renderer

_ROUTES: Final = (
    *sessions.ROUTES,
    *transcript.ROUTES,
    *window.ROUTES,
    *item.ROUTES,
    *knowledge.ROUTES,
    *recall.ROUTES,
    *usage.ROUTES,
    *sign_in.ROUTES,
    *static_files.ROUTES,
)
_EXCEPTION_HANDLERS: Final = {
    ApiError: error_pages.handle,
    ThreadkeepError: error_pages.handle,
    HTTPException: error_pages.handle_http,
    Exception: error_pages.handle,
}


def app(
    memory: Memory,
    *,
    keys: Keys,
    write: bool = False,
    hosts: Iterable[str] = LOOPBACK_HOSTS,
    origins: Iterable[str] = (),
    limits: Limits | None = None,
) -> Starlette:
    """An ASGI application with pages about what a Memory holds: plain HTML, without JavaScript.

    A key shows the data of its own user, and everybody's with the scope `admin`. The Memory stays
    the caller's to close.

    Args:
        memory: what is shown.
        keys: the path of a file of keys (`threadkeep serve keys add`), or an `Authenticator`.
        write: whether pages may also approve, delete and forget; the key needs the scope `write`.
        hosts: the names that browsers use for this server, without a port; `*` allows every name.
        origins: web pages of other origins that may send requests.
        limits: bounds of sizes, times and concurrency.

    Raises:
        ConfigError: the file of keys cannot be used; it says why.
    """
    check_memory(memory)
    request_limits = limits or Limits()
    application = Starlette(
        routes=[*_ROUTES, *(changes.ROUTES if write else ())],
        middleware=[door_middleware(hosts, origins, request_limits, forms="/")],
        exception_handlers=_EXCEPTION_HANDLERS,
    )
    state = application.state
    state.memory, state.limits, state.write = memory, request_limits, write
    state.authenticator = sign_in.Browsers(authenticator_of(keys))
    state.form_tokens = FormTokens()
    state.renderer = Renderer()
    state.receipts = changes.Receipts()
    return application
