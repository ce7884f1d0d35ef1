"""Connections to MySQL: the six sslmodes for PyMySQL, and a socket that can be shut down."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pymysql
from pymysql.charset import charset_by_name
from pymysql.connections import Connection
from pymysql.constants import CLIENT, ER

from threadkeep.backends.sql.url import DatabaseTarget
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown

_TLS_PARAMETERS: Final = {"sslmode", "sslrootcert", "sslcert", "sslkey"}
_DRIVER_PARAMETERS: Final = {
    "charset": str,
    "unix_socket": str,
    "max_allowed_packet": int,
    "sql_mode": str,
}
_PORT: Final = 3306
_TLS_UNSUPPORTED: Final = "SSL is required but the server doesn't support it"
_TLS_REQUIRED_CODES: Final = {3159, ER.ACCESS_DENIED_ERROR}  # 3159: require_secure_transport


if TYPE_CHECKING:
    _Connection = Connection[Any]
else:
    _Connection = Connection  # generic for the type checker only


class InterruptibleConnection(_Connection):
    """A connection whose socket another thread may shut down."""

    _secure: bool  # PyMySQL's: the transport is private, so passwords may be sent in plain text
    _interrupt_socket: socket.socket | None = None

    def connect(self, sock: socket.socket | None = None) -> None:
        if sock is not None:
            self._interrupt_socket = sock.dup()  # TLS takes over the socket itself
        super().connect(sock)

    def interrupt(self) -> None:
        """Shut the socket down: a thread that waits for an answer gets an error."""
        if self._interrupt_socket is not None:
            with contextlib.suppress(OSError):
                self._interrupt_socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._interrupt_socket is not None:
            self._interrupt_socket.close()
        with contextlib.suppress(pymysql.Error):  # closed already
            super().close()


def open_connection(
    target: DatabaseTarget, timeout: float, limit: float
) -> InterruptibleConnection:
    """Open a connection in the target's sslmode."""
    password = target.resolve_password()  # once, even if a second attempt follows
    target = target.with_fields(password=password, parameters={**target.parameters, "limit": limit})
    sslmode = target.parameters.get("sslmode", "prefer")
    if sslmode == "disable":
        return _open(target, timeout, None)
    ssl_context = _ssl_context(target.parameters, sslmode)
    if sslmode == "allow":
        return _open_with_fallback(target, timeout, None, ssl_context)
    if sslmode == "prefer":
        return _open_with_fallback(target, timeout, ssl_context, None)
    return _open(target, timeout, ssl_context)


def _open_with_fallback(
    target: DatabaseTarget,
    timeout: float,
    preferred: ssl.SSLContext | None,
    fallback: ssl.SSLContext | None,
) -> InterruptibleConnection:
    try:
        return _open(target, timeout, preferred)
    except pymysql.OperationalError as error:
        error_code = error.args[0] if error.args else 0
        if not (
            error_code in _TLS_REQUIRED_CODES
            if preferred is None
            else _TLS_UNSUPPORTED in str(error)
        ):
            raise
    return _open(target, timeout, fallback)


def _open(
    target: DatabaseTarget, timeout: float, context: ssl.SSLContext | None
) -> InterruptibleConnection:
    parameters = {
        parameter_name: parameter_value
        for parameter_name, parameter_value in target.parameters.items()
        if parameter_name not in _TLS_PARAMETERS
    }
    call_limit = parameters.pop("limit")
    if "max_allowed_packet" in parameters:
        parameters["max_allowed_packet"] = int(parameters["max_allowed_packet"])
    connection: InterruptibleConnection = InterruptibleConnection(
        **{"charset": "utf8mb4", **parameters},
        host=target.host or "localhost",
        port=int(target.port or _PORT),
        user=target.user,
        password=target.resolve_password() or "",
        database=target.database,
        connect_timeout=max(1, int(timeout)),
        read_timeout=call_limit,
        write_timeout=call_limit,
        client_flag=CLIENT.MULTI_STATEMENTS,
        autocommit=True,
        defer_connect=True,
        **({"ssl": context} if context else {"ssl_disabled": True}),
    )
    try:
        connection.connect(_socket(connection, timeout))
    except BaseException:
        connection.close()
        raise
    return connection


def _socket(connection: InterruptibleConnection, timeout: float) -> socket.socket:
    socket_path = connection.unix_socket
    try:
        if socket_path:
            connection._secure = True
            return _unix_socket(str(socket_path), timeout)
        return _tcp_socket(connection.host, connection.port, timeout)
    except OSError as error:
        raise pymysql.OperationalError(
            2003,
            f"Can't connect to MySQL server on {shown(socket_path or connection.host)} ({error})",
        ) from error


def _tcp_socket(host: str, port: int, timeout: float) -> socket.socket:
    sock = socket.create_connection((host, port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


def _unix_socket(path: str, timeout: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(path)
    except OSError:
        sock.close()  # PyMySQL itself would leak it
        raise
    return sock


def _ssl_context(parameters: Mapping[str, Any], mode: str) -> ssl.SSLContext:
    is_verified = mode.startswith("verify")
    if is_verified:
        with _readable_files("sslrootcert"):
            ssl_context = ssl.create_default_context(cafile=parameters.get("sslrootcert"))
    else:
        ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reads no authorities: 0.1 s saved
    ssl_context.check_hostname = mode == "verify-full"
    ssl_context.verify_mode = ssl.CERT_REQUIRED if is_verified else ssl.CERT_NONE
    if "sslcert" in parameters:
        with _readable_files("sslcert, sslkey"):
            ssl_context.load_cert_chain(
                parameters["sslcert"], parameters.get("sslkey"), _no_password
            )
    return ssl_context


@contextlib.contextmanager
def _readable_files(names: str) -> Iterator[None]:
    try:
        yield
    except (OSError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError(f"{names}: the file cannot be used ({reason})") from None


def _no_password() -> str:
    """Keeps OpenSSL from asking for the key's password on the terminal."""
    return ""


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Check that PyMySQL understands the parameters.

    Raises:
        ConfigError: a parameter is unknown or wrong; it is named.
    """
    supported_names = {*_TLS_PARAMETERS, *_DRIVER_PARAMETERS}
    for name, parameter_value in parameters.items():
        if name not in supported_names:
            raise ConfigError(
                f"MySQL has no parameter {shown(name)}{did_you_mean(name, supported_names)}"
            )
        if name == "max_allowed_packet" and not str(parameter_value).isdecimal():
            raise ConfigError("max_allowed_packet must be a whole number of bytes")
        if name == "charset" and charset_by_name(str(parameter_value)) is None:
            raise ConfigError(
                f"charset: PyMySQL has no {shown(parameter_value)}; it must be utf8mb4"
            )
