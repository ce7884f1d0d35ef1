"""The OpenAI-compatible server behind the proxy: its key, its answers and its failures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from threadkeep.errors import ConfigError
from threadkeep.serve.errors import ApiError

MAX_ANSWER: Final = 64_000_000
"""Bytes of an answer that is not streamed."""

_MAX_ERROR: Final = 1_000_000
_CONNECT_SECONDS: Final = 10.0

UpstreamKey = str | Path | Callable[[], str] | None


class Upstream:
    """An OpenAI-compatible server.

    The key goes to it alone: what a client sends as its key is never forwarded, and redirects are
    not followed.

    Args:
        url: its base URL, up to `/v1`.
        key: its API key; a `Path` is read, and a callable called, for each request.
        read_seconds: how long it may be silent.
        on_failure: told the reason of each failure: `timeout`, `unreachable`, `status`, `broken`.

    Raises:
        ConfigError: the URL is not one of HTTP.
    """

    def __init__(
        self,
        url: str,
        key: UpstreamKey = None,
        read_seconds: float = 600.0,
        on_failure: Callable[[str], None] | None = None,
    ) -> None:
        url_parts = urlsplit(url)
        if url_parts.scheme not in {"http", "https"} or not url_parts.hostname:
            raise ConfigError("upstream must be a URL such as http://127.0.0.1:8000/v1")
        if url_parts.username or url_parts.password or url_parts.query or url_parts.fragment:
            raise ConfigError("upstream: pass its key by itself, not in the URL")
        self._url = url.rstrip("/")
        self._key = key
        self._on_failure = on_failure
        self._timeout = httpx.Timeout(read_seconds, connect=_CONNECT_SECONDS)
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """Send a request, and return the answer whose body is still to be read.

        Raises:
            ApiError: it cannot be reached, redirects, or answers with an error.
        """
        client = self._client_of_loop()
        request = client.build_request(method, self._url + path, json=body, headers=self._headers())
        try:
            answer = await client.send(request, stream=True, follow_redirects=False)
        except httpx.TimeoutException as error:
            self.failed("timeout")
            raise ApiError(504, "the upstream did not answer in time", code="upstream") from error
        except httpx.HTTPError as error:
            self.failed("unreachable")
            raise ApiError(502, "the upstream cannot be reached", code="upstream") from error
        if answer.status_code != httpx.codes.OK:
            self.failed("status")
            try:
                raise await _failure(answer)
            finally:
                await answer.aclose()
        return answer

    async def read_object(self, answer: httpx.Response) -> dict[str, Any]:
        """The JSON object of an answer that is not streamed.

        Raises:
            ApiError: 502: it broke off, is too large, or is no JSON object.
        """
        try:
            return await read_object(answer)
        except ApiError:
            self.failed("broken")
            raise

    def failed(self, reason: str) -> None:
        """Count a failure."""
        if self._on_failure is not None:
            self._on_failure(reason)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _headers(self) -> dict[str, str]:
        api_key = self._read_key()
        headers = {"accept-encoding": "identity"}  # the bytes of a stream are read as they come
        return headers if api_key is None else {**headers, "authorization": f"Bearer {api_key}"}

    def _read_key(self) -> str | None:
        try:
            source = self._key() if callable(self._key) else self._key
            api_key = source.read_text("utf-8").strip() if isinstance(source, Path) else source
        except (OSError, UnicodeDecodeError) as error:
            raise ApiError(
                502, "the key of the upstream cannot be read", code="upstream"
            ) from error
        return api_key or None

    def _client_of_loop(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
            self._client = httpx.AsyncClient(timeout=self._timeout, limits=limits)
            self._loop = loop
        return self._client


async def read_object(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer that is not streamed.

    Raises:
        ApiError: 502: it broke off, is too large, or is no JSON object.
    """
    try:
        answer_bytes = await _read(answer, MAX_ANSWER)
    except httpx.HTTPError as error:
        raise ApiError(502, "the upstream broke off its answer", code="upstream") from error
    raw_answer = _json(answer_bytes)
    if not isinstance(raw_answer, dict):
        raise ApiError(502, "the upstream answered with something else than JSON", code="upstream")
    return raw_answer


async def require_event_stream(answer: httpx.Response) -> None:
    """Refuse, and close, an answer that is no stream of events.

    Raises:
        ApiError: 502.
    """
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        await answer.aclose()
        raise ApiError(502, "the upstream does not stream", code="upstream")


BROKEN: Final = (httpx.HTTPError, httpx.StreamError)
"""What reading a stream raises when it breaks off."""


async def _failure(answer: httpx.Response) -> ApiError:
    """The error to answer with for an upstream's."""
    status = answer.status_code
    if status in {401, 403}:
        return ApiError(502, "the upstream refused the server's key", code="upstream")
    if status < 400:
        return ApiError(502, "the upstream redirects, which is not followed", code="upstream")
    try:
        raw_error = _json(await _read(answer, _MAX_ERROR))
    except (ApiError, *BROKEN):
        raw_error = None
    retry_after = answer.headers.get("retry-after")
    failure = ApiError(
        status,
        f"the upstream answered {status}",
        headers={"retry-after": retry_after} if retry_after else {},
    )
    if isinstance(raw_error, dict) and isinstance(raw_error.get("error"), dict):
        failure.body = raw_error
    return failure


async def _read(answer: httpx.Response, max_bytes: int) -> bytes:
    answer_bytes = bytearray()
    async for chunk in answer.aiter_bytes():
        answer_bytes += chunk
        if len(answer_bytes) > max_bytes:
            raise ApiError(502, "the upstream's answer is too large", code="upstream")
    return bytes(answer_bytes)


def _json(answer_bytes: bytes) -> Any:
    try:
        return json.loads(answer_bytes)
    except (ValueError, RecursionError):
        return None
