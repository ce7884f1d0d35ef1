"""A streamed answer that ends when its client hangs up, and work that goes on nevertheless."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")


class EventStream(Response):
    """An answer of server-sent events.

    When the client is gone, or takes nothing for too long, the generator is cancelled, and its
    `finally` stores what arrived.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        body: AsyncGenerator[bytes, None],
        *,
        send_seconds: float,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(headers=headers)
        del self.headers["content-length"]
        self._body = body
        self._send_seconds = send_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events, as long as the client is there."""
        send_task = asyncio.create_task(self._send(send))
        disconnect_task = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({send_task, disconnect_task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            disconnect_task.cancel()
            send_task.cancel()
            await asyncio.gather(send_task, disconnect_task, return_exceptions=True)
            await self._body.aclose()
        if not send_task.cancelled() and (error := send_task.exception()):
            raise error

    async def _send(self, send: Send) -> None:
        start_message = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start_message)
        async for chunk in self._body:
            try:
                async with asyncio.timeout(self._send_seconds):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            except TimeoutError:
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Background:
    """Work that is finished even if whoever waits for it is cancelled."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the work; it goes on when the caller is cancelled."""
        work_task = asyncio.create_task(work)
        self._tasks.add(work_task)
        work_task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(work_task)

    async def drain(self) -> None:
        """Wait for all work that is under way."""
        if self._tasks:
            await asyncio.wait(self._tasks)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
