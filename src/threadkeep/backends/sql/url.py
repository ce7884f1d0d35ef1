"""Which server to connect to, and how: out of a URL or single options, checked before any I/O."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from threadkeep.backends.sql import drivers
from threadkeep.errors import ConfigError, did_you_mean

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
        host: as the driver takes it; `None` = the driver's default. PostgreSQL: also several, or
            the folder of a Unix socket.
        port: a number; of several hosts of PostgreSQL `5432,5433`.
        password: the password, or what gives it, asked at each new connection.
        parameters: everything else that was said, for the driver.
    """

    dialect: str
    host: str | None = None
    port: int | str | None = None
    user: str | None = None
    password: Password = field(default=None, repr=False)
    database: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def secret(self) -> str | None:
        """The password of this moment."""
        return self.password() if callable(self.password) else self.password

    def described(self) -> str:
        """Where it is, for people: no user, no password."""
        place = self.parameters.get("unix_socket") or self._address()
        return f"{self.database} at {place}" if self.database else f"at {place}"

    def _address(self) -> str:
        host = self.host or self.parameters.get("hostaddr") or "the default host"
        hosts, ports = host.split(","), str(self.port or "").split(",")
        if len(ports) == 1:
            ports *= len(hosts)
        pairs = itertools.zip_longest(hosts, ports, fillvalue="")
        return ",".join(f"{name}:{port}" if port else name for name, port in pairs)

    def but(self, **fields: Any) -> Target:
        return replace(self, **fields)


def from_url(url: str) -> Target:
    """`postgresql://user:password@host:port/database?parameter=value`, all but the scheme optional.

    Raises:
        ConfigError: it is not such a URL; what it holds is not repeated.
    """
    if dialect(url.partition(":")[0].lower()) == "postgresql":
        reader = drivers.load("postgresql", "postgresql_url")
        target: Target = reader.read(url)
        return target
    try:
        parts = urlsplit(url)
        host, port = _address(parts.netloc.rpartition("@")[2])
    except ValueError:
        raise unreadable() from None
    named = parts.netloc.rpartition("@")[0]
    user, colon, password = named.partition(":")
    return Target(
        dialect=dialect(parts.scheme),
        host=host,
        port=port,
        user=unquote(user) or None,
        password=unquote(password) if colon else None,
        database=unquote(parts.path.removeprefix("/")) or None,
        parameters=unique(parse_qsl(parts.query, keep_blank_values=True)),
    )


def unreadable() -> ConfigError:
    """The error about a URL; none of it is repeated, since anything may be part of a password."""
    return ConfigError(
        "the database URL cannot be read: postgresql://user:password@host:5432/database; "
        "percent-encode what is special in user and password"
    )


def unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Parameters by their names.

    Raises:
        ConfigError: one is given twice, and differently.
    """
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if parameters.setdefault(name, value) != value:
            raise ConfigError(f"{name} is given twice, and differently")
    return parameters


def dialect(scheme: object) -> str:
    """Which database a scheme or type means.

    Raises:
        ConfigError: none that is known here.
    """
    found = DIALECTS.get(scheme) if isinstance(scheme, str) else None
    if found is None:
        shown = scheme if isinstance(scheme, str) and scheme.replace("+", "").isalnum() else "?"
        raise ConfigError(f"no SQL database of type {shown!r}{did_you_mean(scheme, DIALECTS)}")
    return found


def split_host(host: str, port: int | str | None) -> tuple[str | None, int | str | None]:
    """`host` or `host:port`, several with commas; ports may be given beside, but no other ones.

    Raises:
        ConfigError: a port is not a number, or given twice and differently.
    """
    if host.startswith(("/", "@")):
        return host, port  # a Unix socket
    try:
        pairs = [_address(part) for part in host.split(",")]
    except ValueError:
        raise ConfigError(f"host must be host or host:port, got {host!r}") from None
    if all(number is None for _, number in pairs):
        return ",".join(name or "" for name, _ in pairs) or None, port
    names, numbers = (
        ",".join(str(part or "") for part in parts) for parts in zip(*pairs, strict=True)
    )
    merged = numbers if len(pairs) > 1 else pairs[0][1]
    if port not in (None, merged):
        raise ConfigError("port is given twice, and differently")
    return names or None, merged


def _address(text: str) -> tuple[str | None, int | None]:
    """Of `host:port`; bare IPv6 addresses are left to the driver."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") else None
    if text.count(":") != 1:
        return unquote(text) or None, None
    host, _, port = text.partition(":")
    return unquote(host) or None, int(port) if port else None
