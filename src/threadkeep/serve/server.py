"""Run the application with uvicorn, and bound how long a client may take to send its headers."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from threadkeep.errors import ConfigError
from threadkeep.serve.door import Limits


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        ConfigError: the address cannot be used; it says why.
    """
    address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with the protocol named, asyncio sets TCP_NODELAY; without, each answer waits 40 ms for an ACK
    listener = socket.socket(address_family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1_024)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot listen on {host} port {port}: {reason}") from error
    listener.setblocking(False)
    return listener


def server(application: ASGIApp, limits: Limits) -> uvicorn.Server:
    """A server for one process; `run(sockets=[...])` serves until it is told to stop."""
    config = uvicorn.Config(
        application,
        http=type("Protocol", (BoundedProtocol,), {"header_seconds": limits.receive_seconds}),
        ws="none",
        loop="asyncio",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # whoever connects could claim to come from this machine
        limit_concurrency=2 * limits.concurrency,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=limits.headers,
    )
    return uvicorn.Server(config)


class BoundedProtocol(H11Protocol):
    """Closes a connection whose request line and headers do not arrive in time."""

    header_seconds = 30.0
    _header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Have one timer while the headers of a request are awaited, and none else."""
        if self.conn.their_state is not h11.IDLE:
            self._unwatch()
        elif self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_seconds, self._expire)

    def _unwatch(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _expire(self) -> None:
        self._header_timer = None
        if self.conn.their_state is h11.IDLE:
            self.transport.close()
