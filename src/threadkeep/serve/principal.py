"""Who makes a request, and what they may do."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from starlette.requests import HTTPConnection

from threadkeep.api.memory import Memory
from threadkeep.api.user import User
from threadkeep.errors import ConfigError
from threadkeep.printable import shown
from threadkeep.serve.errors import ApiError

_log = logging.getLogger(__name__)

SCOPES: Final = ("read", "write", "admin", "metrics")
COOKIE: Final = "threadkeep_session"
KEY_PREFIX: Final = "tk_"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request.

    Attributes:
        user: the owner of what they read and write; `None`: everybody's, for the operator.
        scopes: out of `read`, `write`, `metrics`, and `admin`, which includes all.
    """

    user: str | None
    scopes: frozenset[str] = frozenset(SCOPES)

    def may(self, scope: str) -> bool:
        """Return True if the scope is granted."""
        return scope in self.scopes or "admin" in self.scopes


@runtime_checkable
class Authenticator(Protocol):
    """Finds out who makes a request."""

    def authenticate(self, connection: HTTPConnection) -> Principal | None:
        """The principal of a request, or `None`: 401. Must not block on I/O for long."""
        ...


class Loopback:
    """Everybody on this machine is the operator, or `user`; others are refused.

    Any program and any person on the machine can then read all: `--no-token`.
    """

    def __init__(self, user: str | None = None) -> None:
        self._principal = local_principal(user)

    def authenticate(self, connection: HTTPConnection) -> Principal | None:
        """The operator, if the connection comes from this machine."""
        return self._principal if is_loopback(connection) else None


class RunKey:
    """A key for one run of the server, and a one-time token that a browser swaps for a cookie.

    Attributes:
        key: for the clients' `api_key`.
        token: for the first visit of a browser; used up by it.
    """

    def __init__(self, user: str | None = None) -> None:
        self.key = new_key()
        self.token: str | None = secrets.token_urlsafe(32)
        self._cookie = secrets.token_urlsafe(32)
        self._principal = local_principal(user)

    def authenticate(self, connection: HTTPConnection) -> Principal | None:
        """The operator, with the key or the cookie."""
        if _same(bearer(connection.headers), self.key):
            return self._principal
        if _same(connection.cookies.get(cookie_name(connection)), self._cookie):
            return self._principal
        return None

    def exchange(self, token: str) -> str | None:
        """The value of the cookie for the one-time token, or `None`."""
        if not _same(token, self.token):
            return None
        self.token = None
        return self._cookie


def local_principal(user: str | None) -> Principal:
    """The operator of this machine; or a user alone, who reaches nobody else's data."""
    return Principal(None) if user is None else Principal(user, frozenset({"read", "write"}))


def new_key() -> str:
    """A new random key of 256 bits."""
    return f"{KEY_PREFIX}{secrets.token_urlsafe(32)}"


def bearer(headers: Mapping[str, str]) -> str | None:
    """The key of an `Authorization: Bearer` header."""
    scheme, _, api_key = headers.get("authorization", "").partition(" ")
    return api_key.strip() or None if scheme.lower() == "bearer" else None


def cookie_name(connection: HTTPConnection, kind: str = COOKIE) -> str:
    """The name of a cookie of this server: browsers send those of a host to all of its ports."""
    port = connection.url.port
    return kind if port is None else f"{kind}_{port}"


def is_loopback(connection: HTTPConnection) -> bool:
    """Return True if the peer is this machine."""
    if connection.client is None:
        return False
    try:
        return ipaddress.ip_address(connection.client.host).is_loopback
    except ValueError:
        return False


def principal_of(connection: HTTPConnection, scope: str | None) -> Principal:
    """The principal of a request, who must have the scope, if one is named.

    Raises:
        ApiError: 401 without a valid key, 403 without the scope.
    """
    authenticator: Authenticator = connection.app.state.authenticator
    try:
        principal = authenticator.authenticate(connection)
    except ConfigError as error:
        _log.error("no key is valid: %s", error)
        raise ApiError(503, "keys cannot be checked now", code="unavailable") from error
    if principal is None:
        raise ApiError(
            401,
            "no valid API key was given: send Authorization: Bearer KEY",
            code="invalid_api_key",
            headers={"www-authenticate": "Bearer"},
        )
    if scope is not None and not principal.may(scope):
        raise ApiError(403, f"the key lacks the scope {shown(scope)}", code="insufficient_scope")
    return principal


def scope_of(connection: HTTPConnection, scope: str) -> Memory | User:
    """The part of the memory that a request reads or writes.

    That of the key's own user, or of `?user=`, which for another user needs `admin`.

    Raises:
        ApiError: 401, 403.
    """
    principal = principal_of(connection, scope)
    memory: Memory = connection.app.state.memory
    asked_user_id = connection.query_params.get("user")
    if asked_user_id is None or asked_user_id == principal.user:
        return memory if principal.user is None else memory.user(principal.user)
    if not principal.may("admin"):
        raise ApiError(403, "another user's data needs the scope 'admin'", code="forbidden")
    return memory.user(asked_user_id)


def _same(received: str | None, expected: str | None) -> bool:
    if received is None or expected is None:
        return False
    return hmac.compare_digest(received.encode("utf-8", "surrogatepass"), expected.encode())
