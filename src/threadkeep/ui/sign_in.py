"""How a browser signs in: by the one-time token of a printed URL, or by a key in a form."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from typing import Final, NamedTuple

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from threadkeep.serve.cookies import exchange_token, redirect_with_cookie
from threadkeep.serve.principal import COOKIE, Authenticator, Principal, RunKey, cookie_name
from threadkeep.ui.form_token import KEY_COOKIE, FormTokens
from threadkeep.ui.renderer import Renderer, url

SECONDS: Final = 12 * 3_600
"""How long a browser stays signed in by a key."""

_MAX_BROWSERS: Final = 1_000


class _SignedIn(NamedTuple):
    key: str
    until: float


class Browsers:
    """An authenticator for browsers: a cookie stands for a key, which is checked every time.

    Args:
        keys: the authenticator that knows the keys.
    """

    def __init__(self, keys: Authenticator) -> None:
        self.keys = keys
        self._lock = threading.Lock()
        self._signed_in: OrderedDict[str, _SignedIn] = OrderedDict()

    def authenticate(self, connection: HTTPConnection) -> Principal | None:
        """The principal of a request, by its own key or by that of its cookie."""
        principal = self.keys.authenticate(connection)
        if principal is not None:
            return principal
        with self._lock:
            signed_in_key = self._signed_in.get(
                connection.cookies.get(cookie_name(connection, KEY_COOKIE), "")
            )
        if signed_in_key is None or signed_in_key.until < time.monotonic():
            return None
        return self.principal_of_key(connection, signed_in_key.key)

    def principal_of_key(self, connection: HTTPConnection, key: str) -> Principal | None:
        """The principal of a key, as if the request had brought it."""
        kept_headers = [pair for pair in connection.scope["headers"] if pair[0] != b"authorization"]
        key_header = (b"authorization", f"Bearer {key}".encode("utf-8", "surrogatepass"))
        scope = {**connection.scope, "headers": [*kept_headers, key_header]}
        return self.keys.authenticate(HTTPConnection(scope))

    def sign_in(self, key: str) -> str:
        """The value of a new cookie for a key; the oldest of very many is signed out."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            self._signed_in[cookie] = _SignedIn(key, time.monotonic() + SECONDS)
            if len(self._signed_in) > _MAX_BROWSERS:
                self._signed_in.popitem(last=False)
        return cookie

    def sign_out(self, cookie: str) -> None:
        """Make a cookie invalid."""
        with self._lock:
            self._signed_in.pop(cookie, None)


def page(request: Request, status: int = 200, message: str = "") -> Response:
    """The page that asks for a key, or says where the URL with the token is."""
    browsers: Browsers = request.app.state.authenticator
    renderer: Renderer = request.app.state.renderer
    by_token = isinstance(browsers.keys, RunKey)
    return renderer.page(request, "sign_in.html", status=status, by_token=by_token, message=message)


async def exchange(request: Request) -> Response:
    """`GET /start?token=`: swap the one-time token for a cookie."""
    browsers: Browsers = request.app.state.authenticator
    cookie = exchange_token(browsers.keys, request.query_params.get("token", ""))
    return _redirect(request, COOKIE, cookie)


async def ask(request: Request) -> Response:
    """`GET /sign-in`: the form."""
    return page(request)


async def enter(request: Request) -> Response:
    """`POST /sign-in`: swap a key for a cookie."""
    browsers: Browsers = request.app.state.authenticator
    tokens: FormTokens = request.app.state.form_tokens
    api_key = (await tokens.read_form(request)).get("key", "").strip()
    if not api_key or browsers.principal_of_key(request, api_key) is None:
        return page(request, 401, "The key is not valid.")
    return _redirect(request, KEY_COOKIE, browsers.sign_in(api_key))


async def leave(request: Request) -> Response:
    """`POST /sign-out`: make the cookie of a key invalid."""
    browsers: Browsers = request.app.state.authenticator
    tokens: FormTokens = request.app.state.form_tokens
    await tokens.read_form(request)
    browsers.sign_out(request.cookies.get(cookie_name(request, KEY_COOKIE), ""))
    response = RedirectResponse(url(request, "/sign-in"), 303)
    response.delete_cookie(cookie_name(request, KEY_COOKIE), path=url(request, "/"))
    return response


def _redirect(request: Request, kind: str, cookie: str) -> Response:
    home = url(request, "/")
    return redirect_with_cookie(request, home, kind, cookie, path=home)


ROUTES: Final = [
    Route("/start", exchange, methods=["GET"]),
    Route("/sign-in", ask, methods=["GET"]),
    Route("/sign-in", enter, methods=["POST"]),
    Route("/sign-out", leave, methods=["POST"]),
]
