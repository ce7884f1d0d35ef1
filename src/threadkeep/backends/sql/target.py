"""Which server to connect to, and how: out of a URL or single options, checked before any I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from threadkeep.errors import ConfigError
from threadkeep.suggest import nearest

Password = str | Callable[[], str] | None

DIALECTS: Final = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "postgresql+psycopg": "postgresql",
    "mysql": "mysql",
    "mysql+pymysql": "mysql",
    "mariadb": "mysql",
    "mariadb+pymysql": "mysql",
    "oracle": "oracle",
    "oracle+oracledb": "oracle",
}
SSLMODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True)
class Target:
    """A database. What is secret in it is in no repr.

    Attributes:
        dialect: `postgresql`, `mysql` or `oracle`.
        host: as the driver takes it; `None` = the driver's default.
        password: the password, or what gives it, asked at each new connection.
        parameters: everything else that was said, for the driver.
    """

    dialect: str
    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: Password = field(default=None, repr=False)
    database: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def secret(self) -> str | None:
        """The password of this moment."""
        return self.password() if callable(self.password) else self.password

    def described(self) -> str:
        """Where it is, for people: no user, no password."""
        host = self.host or "the default host"
        place = f"{host}:{self.port}" if self.port else host
        place = self.parameters.get("unix_socket") or place
        return f"{self.database} at {place}" if self.database else f"at {place}"

    def but(self, **fields: Any) -> Target:
        return replace(self, **fields)


def from_url(url: str) -> Target:
    """`postgresql://user:password@host:port/database?parameter=value`, all but the scheme optional.

    Raises:
        ConfigError: it is not such a URL; what it holds is not repeated.
    """
    try:
        parts = urlsplit(url)
        host, port = _address(parts.netloc.rpartition("@")[2])
    except ValueError:
        raise ConfigError(
            "the database URL cannot be read: postgresql://user:password@host:5432/database; "
            "percent-encode what is special in user and password"
        ) from None
    named = parts.netloc.rpartition("@")[0]
    user, colon, password = named.partition(":")
    return Target(
        dialect=dialect(parts.scheme),
        host=host,
        port=port,
        user=unquote(user) or None,
        password=unquote(password) if colon else None,
        database=unquote(parts.path.removeprefix("/")) or None,
        parameters=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


def dialect(scheme: object) -> str:
    """Which database a scheme or type means.

    Raises:
        ConfigError: none that is known here.
    """
    found = DIALECTS.get(scheme) if isinstance(scheme, str) else None
    if found is None:
        shown = scheme if isinstance(scheme, str) and scheme.replace("+", "").isalnum() else "?"
        raise ConfigError(f"no SQL database of type {shown!r}{nearest(scheme, DIALECTS)}")
    return found


def split_host(host: str, port: int | None) -> tuple[str | None, int | None]:
    """`host` or `host:port`; a port may be given beside it, but not another one.

    Raises:
        ConfigError: the port is not a number, or given twice and differently.
    """
    try:
        name, found = _address(host)
    except ValueError:
        raise ConfigError(f"host must be host or host:port, got {host!r}") from None
    if found is not None and port is not None and found != port:
        raise ConfigError("port is given twice, and differently")
    return name, port if found is None else found


def _address(text: str) -> tuple[str | None, int | None]:
    """Of `host:port`; several hosts, sockets and bare IPv6 addresses are left to the driver."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") else None
    if text.count(":") != 1 or "," in text:
        return unquote(text) or None, None
    host, _, port = text.partition(":")
    return unquote(host) or None, int(port) if port else None
