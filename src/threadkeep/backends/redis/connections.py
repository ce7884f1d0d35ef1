"""redis-py connections that respect the deadline of the call they serve."""

from __future__ import annotations

from typing import Any, Final

import redis
from redis.connection import Connection, SSLConnection

from threadkeep.backends.common import fork_gate
from threadkeep.backends.common.deadline import Deadline, format_wait
from threadkeep.backends.redis.deadline import current_deadline
from threadkeep.backends.redis.resp import Packer

MAX_STALL: Final = 5.0
"""Seconds a started transfer may stall; with TLS at most `connect_timeout`."""
_MIN_STALL: Final = 0.5
"""The same for a connection opened when its call had little time left."""

_PACKER: Final = Packer()


class Unreachable(redis.ConnectionError):
    """No connection could be opened, so nothing was sent."""


class _DeadlineConnection:
    """Limits connecting and waiting for a reply by the deadline of the call."""

    socket_connect_timeout: float | None
    socket_timeout: float | None

    _attempt: Deadline | None = None  # while it connects
    _handshakes = False  # the TLS handshake is a transfer with a time-out of its own

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, command_packer=_PACKER, **kwargs)  # type: ignore[call-arg]

    def connect(self, *args: Any, **kwargs: Any) -> None:
        deadline, configured_timeout = current_deadline(), self.socket_connect_timeout
        if deadline is not None:
            seconds_left = deadline.remaining()
            self._attempt = Deadline(max(0.001, min(configured_timeout or MAX_STALL, seconds_left)))
            self.socket_connect_timeout = self._attempt.timeout
            longest_stall = self._attempt.timeout if self._handshakes else seconds_left
            self.socket_timeout = max(_MIN_STALL, min(MAX_STALL, longest_stall))
        try:
            with fork_gate.no_fork():
                super().connect(*args, **kwargs)  # type: ignore[misc]
        except redis.AuthenticationError:
            raise
        except redis.exceptions.BusyLoadingError:
            raise
        except redis.TimeoutError as error:
            raise Unreachable(self._timeout_text(configured_timeout) or str(error)) from error
        except redis.ConnectionError as error:
            raise Unreachable(str(error)) from error
        except (TypeError, ValueError) as error:  # a host or a password that cannot be sent
            self.disconnect()  # type: ignore[attr-defined]
            raise redis.DataError(
                f"{type(error).__name__} while connecting: check host, username and password"
            ) from None
        finally:
            self.socket_connect_timeout, self._attempt = configured_timeout, None

    def _timeout_text(self, connect_timeout: float | None) -> str:
        """The error text of an attempt that timed out."""
        deadline, attempt_deadline = current_deadline(), self._attempt
        if deadline is None or attempt_deadline is None:
            return ""
        wait_text = format_wait(attempt_deadline.timeout, deadline.timeout, connect_timeout)
        return f"no connection within {wait_text}"

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        deadline = self._attempt or current_deadline()
        if deadline is not None and not self._can_read_within(deadline.remaining()):
            self.disconnect()  # type: ignore[attr-defined]
            raise redis.TimeoutError("no answer")
        return super().read_response(*args, **kwargs)  # type: ignore[misc]

    def _can_read_within(self, seconds: float) -> bool:
        return bool(self.can_read(timeout=max(0.001, seconds)))  # type: ignore[attr-defined]


class PlainConnection(_DeadlineConnection, Connection):
    """A plain TCP connection."""


class TlsConnection(_DeadlineConnection, SSLConnection):
    """A TLS connection."""

    _handshakes = True
