"""The cookies by which a browser is let in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadkeep.serve.errors import ApiError
from threadkeep.serve.principal import Authenticator, RunKey, cookie_name


def exchange_token(authenticator: Authenticator, token: str) -> str:
    """The value of the cookie for the one-time token of a run.

    Raises:
        ApiError: 401: the token is wrong, or there is none.
    """
    cookie = authenticator.exchange(token) if isinstance(authenticator, RunKey) else None
    if cookie is None:
        raise ApiError(401, "the token is wrong, or was used already", code="invalid_token")
    return cookie


def redirect_with_cookie(
    request: Request, url: str, kind: str, cookie: str, *, path: str = "/"
) -> Response:
    """Send a browser on with a cookie that only this server gets, and no script reads.

    Args:
        request: of the browser.
        url: where it goes.
        kind: the name of the cookie, apart from the port.
        cookie: its value.
        path: the pages that get it.
    """
    response = RedirectResponse(url, 303)
    response.set_cookie(
        cookie_name(request, kind),
        cookie,
        path=path,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response
