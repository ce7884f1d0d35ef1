"""What every request passes first: bounds on size, time and number, and the browser's checks.

A web page can reach a server on this machine by a name that it rebinds, or by a plain POST; the
`Host`, `Origin` and content type tell such requests from those of a client.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from threadkeep.errors import ConfigError
from threadkeep.serve.errors import ApiError, respond

LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
ANY_HOST: Final = "*"
FORM_TYPE: Final = "application/x-www-form-urlencoded"
SLASH: Final = "\0"
"""Stands for an encoded slash in a path, since no id has a NUL."""

_HOST: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\[\]:@/\s]+)(?::[0-9]{1,5})?")
_SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the HTTP server.

    Attributes:
        body: bytes of a request's body, at most.
        headers: bytes of a request's line and headers, at most.
        receive_seconds: how long a client may take to send its headers, and then its body.
        concurrency: requests that are worked on at once; more get 503.
        upstream_seconds: how long an upstream may be silent; then 504, or the end of its stream.
    """

    body: int = 16_000_000
    headers: int = 32_768
    receive_seconds: float = 30.0
    concurrency: int = 512
    upstream_seconds: float = 600.0

    def __post_init__(self) -> None:
        for limit_field in fields(self):
            if not getattr(self, limit_field.name) > 0:
                raise ConfigError(f"limits.{limit_field.name} must be more than 0")


class Door:
    """ASGI middleware that refuses what must not come in, before anything is read.

    Args:
        app: what answers the other requests.
        hosts: names that `Host` may have, without a port; `*` allows every one.
        origins: origins of web pages that may send requests, beside the server's own.
        limits: the bounds.
        forms: the path below which HTML forms may be sent, such as `/ui`; each of them must have a
            token of its own, since any web page can send one.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str],
        origins: Iterable[str],
        limits: Limits,
        forms: str | None = None,
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self._limits = limits
        self._forms = None if forms is None else f"{forms.rstrip('/')}/"
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request, and hand it on."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except ApiError as error:
            await respond(error)(scope, receive, with_security_headers(send))
            return
        self._active += 1
        try:
            await self._app(with_encoded_slashes(scope), receive, with_security_headers(send))
        finally:
            self._active -= 1

    def _check(self, scope: Scope) -> None:
        request_headers = Headers(scope=scope)
        if self._active >= self._limits.concurrency:
            raise ApiError(503, "too many requests at once", headers={"retry-after": "1"})
        if sum(len(name) + len(value) for name, value in scope["headers"]) > self._limits.headers:
            raise ApiError(431, "the headers are too large")
        if "\0" in scope["path"]:
            raise ApiError(400, "the path has a NUL")
        self._check_host(request_headers)
        self._check_origin(request_headers, scope["scheme"])
        check_content_type(scope["method"], request_headers, self._may_be_form(scope))
        check_declared_length(request_headers, self._limits.body)

    def _may_be_form(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return self._forms is not None and path.startswith(self._forms)

    def _check_host(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not (ANY_HOST in self._hosts or host_name(hosts[0]) in self._hosts):
            raise ApiError(
                421,
                "the Host is not one of this server: name it by --allow-host, or app(hosts=)",
                code="unknown_host",
            )

    def _check_origin(self, headers: Headers, scheme: str) -> None:
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in self._origins:
            if origin.lower() != f"{scheme}://{headers['host'].lower()}":
                raise ApiError(403, "requests of this web page are refused", code="origin")
        elif origin is None and headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
            raise ApiError(403, "requests of other web pages are refused", code="origin")


def with_encoded_slashes(scope: Scope) -> Scope:
    """The scope, with `%2F` in its path as `SLASH`, so that ids may have slashes."""
    raw_path = scope.get("raw_path") or b""
    if b"%2f" not in raw_path.lower():
        return scope
    path = raw_path.replace(b"%2f", b"%00").replace(b"%2F", b"%00").decode("ascii", "replace")
    return {**scope, "path": unquote(path)}


def path_id(request: Request, name: str = "id") -> str:
    """An id in the path of a request."""
    return str(request.path_params[name]).replace(SLASH, "/")


def host_name(host: str) -> str:
    """The name in a `Host` header, without its port; empty if it is none."""
    host_match = _HOST.fullmatch(host.lower())
    return host_match["name"] if host_match else ""


def check_content_type(method: str, headers: Headers, may_be_form: bool = False) -> None:
    """Refuse a write whose body is not JSON: a form of a web page needs no permission to send it.

    Args:
        method: of the request.
        headers: of the request.
        may_be_form: take the content type of HTML forms instead.

    Raises:
        ApiError: 415.
    """
    if method not in {"POST", "PUT", "PATCH"}:
        return
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_empty = "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"
    required_type = FORM_TYPE if may_be_form else "application/json"
    if content_type != required_type and not (is_empty and not content_type):
        raise ApiError(415, f"the content type must be {required_type}", code="content_type")


def check_declared_length(headers: Headers, limit: int) -> None:
    """Refuse a body that says itself that it is too large.

    Raises:
        ApiError: 413, or 400 where the length is no number.
    """
    length_text = headers.get("content-length")
    if length_text is None:
        return
    if not (length_text.isascii() and length_text.isdigit()):
        raise ApiError(400, "content-length is not a number")
    if len(length_text) > 18 or int(length_text) > limit:
        raise ApiError(413, f"the body is larger than {limit:,} bytes", code="too_large")


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object of a request's body; an empty body is an empty object.

    Raises:
        ApiError: 400, 408 or 413: it is no object, comes too slowly, or is too large.
    """
    return parse_object(await read_body(request, request.app.state.limits))


async def read_body(request: Request, limits: Limits) -> bytes:
    """A request's body, within the bounds of time and size.

    Raises:
        ApiError: 408 or 413: it comes too slowly, or is too large.
    """
    try:
        async with asyncio.timeout(limits.receive_seconds):
            return await _read_body(request, limits.body)
    except TimeoutError as error:
        raise ApiError(
            408, "the body did not arrive in time", headers={"connection": "close"}
        ) from error


async def _read_body(request: Request, max_bytes: int) -> bytes:
    body_bytes = bytearray()
    async for chunk in request.stream():
        body_bytes += chunk
        if len(body_bytes) > max_bytes:
            raise ApiError(
                413,
                f"the body is larger than {max_bytes:,} bytes",
                code="too_large",
                headers={"connection": "close"},
            )
    return bytes(body_bytes)


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body.

    Raises:
        ApiError: 400.
    """
    if not body.strip():
        return {}
    try:
        raw_fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "the body is not JSON", code="invalid_json") from error
    if not isinstance(raw_fields, dict):
        raise ApiError(400, "the body must be a JSON object", code="invalid_json")
    return raw_fields


def with_security_headers(send: Send) -> Send:
    """Add the headers that every answer has."""

    async def send_with_headers(message: Any) -> None:
        if message["type"] == "http.response.start":
            header_names = {name.lower() for name, _ in message.get("headers", [])}
            added_headers = [pair for pair in _SECURITY_HEADERS if pair[0] not in header_names]
            message = {**message, "headers": [*message.get("headers", []), *added_headers]}
        await send(message)

    return send_with_headers
