"""Connections that wait no longer than the call they serve."""

from __future__ import annotations

from typing import Any, Final

import redis
from redis.connection import Connection, SSLConnection

from threadkeep.backends.redis.deadline import current
from threadkeep.backends.redis.packing import Packer

STALL: Final = 5.0
"""Seconds a transfer may stand still once it has begun, and a TLS handshake may take."""
_LEAST: Final = 0.5
"""The same for a connection that was made when its call had little time left."""

_PACKER: Final = Packer()


class Unreachable(redis.ConnectionError):
    """No connection could be made, so nothing was sent."""


class _InTime:
    """Bounds connecting and waiting for an answer by the deadline of the call."""

    socket_connect_timeout: float | None
    socket_timeout: float | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, command_packer=_PACKER, **kwargs)  # type: ignore[call-arg]

    def connect(self, *args: Any, **kwargs: Any) -> None:
        deadline, usual = current(), self.socket_connect_timeout
        if deadline is not None:
            left = deadline.left()
            self.socket_connect_timeout = max(0.001, min(usual or STALL, left))
            self.socket_timeout = max(_LEAST, min(STALL, left))  # of the TLS handshake too
        try:
            super().connect(*args, **kwargs)  # type: ignore[misc]
        except redis.AuthenticationError:
            raise
        except redis.exceptions.BusyLoadingError:
            raise
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise Unreachable(str(error)) from error
        finally:
            self.socket_connect_timeout = usual

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        deadline = current()
        if deadline is not None and not self._answers(deadline.left()):
            self.disconnect()  # type: ignore[attr-defined]
            raise redis.TimeoutError("no answer")
        return super().read_response(*args, **kwargs)  # type: ignore[misc]

    def _answers(self, seconds: float) -> bool:
        return bool(self.can_read(timeout=max(0.001, seconds)))  # type: ignore[attr-defined]


class PlainConnection(_InTime, Connection):
    """By TCP."""


class TlsConnection(_InTime, SSLConnection):
    """By TLS."""
