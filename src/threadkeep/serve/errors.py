"""Errors of the HTTP API in the shape that the `openai` clients read."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from threadkeep.errors import (
    BackendError,
    BackendTimeout,
    ConfigError,
    Conflict,
    CorruptRecord,
    InputError,
    NotFound,
    NotOwner,
    ThreadkeepError,
)

_log = logging.getLogger(__name__)

NOT_FOUND = "there is no such resource, or it belongs to another user"
"""One text for both, so that nobody learns which ids others use."""


class ApiError(Exception):
    """An error that is answered to the client.

    Attributes:
        status: the HTTP status.
        body: the JSON body.
        headers: beside the usual ones.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = error_body(status, message, code=code, param=param)


def error_body(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """The body of an error: `{"error": {"message", "type", "param", "code"}}`."""
    error_type = "server_error" if status >= 500 else "invalid_request_error"
    error_type = "rate_limit_error" if status == 429 else error_type
    return {"error": {"message": message, "type": error_type, "param": param, "code": code}}


def api_error(error: ThreadkeepError) -> ApiError:
    """The answer to an error of the store; what the store says of itself stays in the log."""
    match error:
        case NotFound() | NotOwner():
            return ApiError(404, NOT_FOUND, code="not_found")
        case Conflict():
            return ApiError(409, "it exists already, or was changed meanwhile", code="conflict")
        case InputError() | ConfigError():
            return ApiError(400, str(error), code="invalid_value")
        case CorruptRecord():
            _log.error("a request met a damaged record: %s", error)
            return ApiError(500, "a stored record cannot be read", code="corrupt_record")
        case BackendTimeout() | BackendError():
            _log.error("the store failed: %s", error)
            return ApiError(
                503, "the store is not available", code="unavailable", headers={"retry-after": "1"}
            )
    return ApiError(500, "the request failed", code="internal_error")


def respond(error: ApiError) -> Response:
    """The HTTP response of an error."""
    return JSONResponse(error.body, error.status, error.headers)


async def handle(request: Request, error: Exception) -> Response:
    """The exception handler of the application."""
    if isinstance(error, ApiError):
        return respond(error)
    if isinstance(error, ThreadkeepError):
        return respond(api_error(error))
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return respond(ApiError(500, "the request failed; the server's log says why"))
