"""Connections that wait no longer than the call they serve."""

from __future__ import annotations

from typing import Any, Final

import redis
from redis.connection import Connection, SSLConnection

from threadkeep.backends.common.deadline import Deadline, span
from threadkeep.backends.redis.deadline import current
from threadkeep.backends.redis.resp import Packer

STALL: Final = 5.0
"""Seconds a transfer may stand still once it has begun; with TLS not above `connect_timeout`."""
_LEAST: Final = 0.5
"""The same for a connection that was made when its call had little time left."""

_PACKER: Final = Packer()


class Unreachable(redis.ConnectionError):
    """No connection could be made, so nothing was sent."""


class _InTime:
    """Bounds connecting and waiting for an answer by the deadline of the call."""

    socket_connect_timeout: float | None
    socket_timeout: float | None

    _attempt: Deadline | None = None  # while it connects
    _handshakes = False  # with a time-out of its transfers

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, command_packer=_PACKER, **kwargs)  # type: ignore[call-arg]

    def connect(self, *args: Any, **kwargs: Any) -> None:
        deadline, usual = current(), self.socket_connect_timeout
        if deadline is not None:
            left = deadline.left()
            self._attempt = Deadline(max(0.001, min(usual or STALL, left)))
            self.socket_connect_timeout = self._attempt.timeout
            still = self._attempt.timeout if self._handshakes else left
            self.socket_timeout = max(_LEAST, min(STALL, still))
        try:
            super().connect(*args, **kwargs)  # type: ignore[misc]
        except redis.AuthenticationError:
            raise
        except redis.exceptions.BusyLoadingError:
            raise
        except redis.TimeoutError as error:
            raise Unreachable(self._late(usual) or str(error)) from error
        except redis.ConnectionError as error:
            raise Unreachable(str(error)) from error
        except (TypeError, ValueError) as error:  # a host or a password that cannot be sent
            self.disconnect()  # type: ignore[attr-defined]
            raise redis.DataError(
                f"{type(error).__name__} while connecting: check host, username and password"
            ) from None
        finally:
            self.socket_connect_timeout, self._attempt = usual, None

    def _late(self, patience: float | None) -> str:
        """What is said of an attempt whose time is over."""
        deadline, attempt = current(), self._attempt
        if deadline is None or attempt is None:
            return ""
        return f"no connection within {span(attempt.timeout, deadline.timeout, patience)}"

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        deadline = self._attempt or current()
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

    _handshakes = True
