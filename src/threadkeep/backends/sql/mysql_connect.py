"""Connections to MySQL: the six sslmodes in PyMySQL's words, and a socket that can be cut."""

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

from threadkeep.backends.sql.url import Target
from threadkeep.errors import ConfigError, did_you_mean

_TLS: Final = {"sslmode", "sslrootcert", "sslcert", "sslkey"}
_OTHERS: Final = {"charset": str, "unix_socket": str, "max_allowed_packet": int, "sql_mode": str}
_PORT: Final = 3306
_NO_TLS: Final = "SSL is required but the server doesn't support it"
_TLS_WANTED: Final = {3159, ER.ACCESS_DENIED_ERROR}  # 3159: require_secure_transport


if TYPE_CHECKING:
    _Connection = Connection[Any]
else:
    _Connection = Connection  # generic for the type checker only


class Line(_Connection):
    """A connection whose socket another thread may cut."""

    _secure: bool  # of PyMySQL: nobody listens in between, so passwords may go as they are
    _line: socket.socket | None = None

    def connect(self, sock: socket.socket | None = None) -> None:
        if sock is not None:
            self._line = sock.dup()  # TLS takes over the socket itself
        super().connect(sock)

    def cut(self) -> None:
        """Whoever waits for an answer gets an error."""
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
        with contextlib.suppress(pymysql.Error):  # closed already
            super().close()


def open_line(target: Target, timeout: float, limit: float) -> Line:
    """A connection in the target's sslmode."""
    password = target.secret()  # asked once, however often is tried
    target = target.but(password=password, parameters={**target.parameters, "limit": limit})
    mode = target.parameters.get("sslmode", "prefer")
    if mode == "disable":
        return _open(target, timeout, None)
    context = _context(target.parameters, mode)
    if mode == "allow":
        return _either(target, timeout, None, context)
    if mode == "prefer":
        return _either(target, timeout, context, None)
    return _open(target, timeout, context)


def _either(
    target: Target, timeout: float, first: ssl.SSLContext | None, then: ssl.SSLContext | None
) -> Line:
    try:
        return _open(target, timeout, first)
    except pymysql.OperationalError as error:
        code = error.args[0] if error.args else 0
        if not (code in _TLS_WANTED if first is None else _NO_TLS in str(error)):
            raise
    return _open(target, timeout, then)


def _open(target: Target, timeout: float, context: ssl.SSLContext | None) -> Line:
    said = {name: value for name, value in target.parameters.items() if name not in _TLS}
    limit = said.pop("limit")
    if "max_allowed_packet" in said:
        said["max_allowed_packet"] = int(said["max_allowed_packet"])
    line: Line = Line(
        **{"charset": "utf8mb4", **said},
        host=target.host or "localhost",
        port=int(target.port or _PORT),
        user=target.user,
        password=target.secret() or "",
        database=target.database,
        connect_timeout=max(1, int(timeout)),
        read_timeout=limit,
        write_timeout=limit,
        client_flag=CLIENT.MULTI_STATEMENTS,
        autocommit=True,
        defer_connect=True,
        **({"ssl": context} if context else {"ssl_disabled": True}),
    )
    try:
        line.connect(_socket(line, timeout))
    except BaseException:
        line.close()
        raise
    return line


def _socket(line: Line, timeout: float) -> socket.socket:
    path = line.unix_socket
    try:
        if path:
            line._secure = True
            return _unix(str(path), timeout)
        return _tcp(line.host, line.port, timeout)
    except OSError as error:
        raise pymysql.OperationalError(
            2003, f"Can't connect to MySQL server on {path or line.host!r} ({error})"
        ) from error


def _tcp(host: str, port: int, timeout: float) -> socket.socket:
    made = socket.create_connection((host, port), timeout)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return made


def _unix(path: str, timeout: float) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(timeout)
        made.connect(path)
    except OSError:
        made.close()  # which PyMySQL, left to itself, forgets
        raise
    return made


def _context(parameters: Mapping[str, Any], mode: str) -> ssl.SSLContext:
    verified = mode.startswith("verify")
    root = parameters.get("sslrootcert") if verified else None
    with _files("sslrootcert"):
        context = ssl.create_default_context(cafile=root)
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    if "sslcert" in parameters:
        with _files("sslcert, sslkey"):
            context.load_cert_chain(parameters["sslcert"], parameters.get("sslkey"), _no_password)
    return context


@contextlib.contextmanager
def _files(names: str) -> Iterator[None]:
    try:
        yield
    except (OSError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError(f"{names}: the file cannot be used ({reason})") from None


def _no_password() -> str:
    """Else OpenSSL asks for the key's on the terminal."""
    return ""


def checked(parameters: Mapping[str, Any]) -> None:
    """Refuse what PyMySQL would not understand.

    Raises:
        ConfigError: it is named.
    """
    known = {*_TLS, *_OTHERS}
    for name, value in parameters.items():
        if name not in known:
            raise ConfigError(f"MySQL has no parameter {name!r}{did_you_mean(name, known)}")
        if name == "max_allowed_packet" and not str(value).isdecimal():
            raise ConfigError("max_allowed_packet must be a whole number of bytes")
        if name == "charset" and charset_by_name(str(value)) is None:
            raise ConfigError(f"charset: PyMySQL has no {value!r}; it must be utf8mb4")
