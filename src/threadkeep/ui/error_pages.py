"""Errors as pages: what the API would say, for people; nothing of what the store says of itself."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from threadkeep.errors import ThreadkeepError
from threadkeep.serve.errors import ApiError, api_error
from threadkeep.ui import sign_in
from threadkeep.ui.view import render

_log = logging.getLogger(__name__)


async def handle(request: Request, error: Exception) -> Response:
    """The exception handler of the application."""
    if isinstance(error, ThreadkeepError):
        error = api_error(error)
    if not isinstance(error, ApiError):
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        error = ApiError(500, "the page failed; the server's log says why")
    if error.status == 401:
        return sign_in.page(request, 401)
    return _page(request, error.status, str(error))


async def handle_http(request: Request, error: Exception) -> Response:
    """Unknown paths and methods."""
    assert isinstance(error, HTTPException)  # noqa: S101  # how it was registered
    text_by_status = {404: "there is no such page", 405: "the page takes no such request"}
    return _page(
        request, error.status_code, text_by_status.get(error.status_code, "the request was refused")
    )


def _page(request: Request, status: int, message: str) -> Response:
    return render(request, "error.html", status=status, message=message)
