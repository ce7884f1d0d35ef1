"""The database to connect to: parsed from a URL or options, and checked before any I/O."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from threadkeep.backends.sql import drivers
from threadkeep.core.url_check import check_at_signs, check_values
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown

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
class DatabaseTarget:
    """A database to connect to; its secrets are in no repr.

    Attributes:
        dialect: `postgresql`, `mysql` or `oracle`.
        host: as the driver takes it; `None` = the driver's default. PostgreSQL: also several, or
            the folder of a Unix socket.
        port: a number; of several hosts of PostgreSQL `5432,5433`.
        password: the password, or a callable that returns it, called for each new connection.
        parameters: all other options, for the driver.
    """

    dialect: str
    host: str | None = None
    port: int | str | None = None
    user: str | None = None
    password: Password = field(default=None, repr=False)
    database: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def resolve_password(self) -> str | None:
        """The current password."""
        return self.password() if callable(self.password) else self.password

    def label(self) -> str:
        """The database and its address, for errors: without user and password."""
        address = self.parameters.get("unix_socket") or self._address()
        return f"{self.database} at {address}" if self.database else f"at {address}"

    def _address(self) -> str:
        host = self.host or self.parameters.get("hostaddr") or "the default host"
        hosts, ports = host.split(","), str(self.port or "").split(",")
        if len(ports) == 1:
            ports *= len(hosts)
        host_port_pairs = itertools.zip_longest(hosts, ports, fillvalue="")
        return ",".join(
            f"{host_name}:{port}" if port else host_name for host_name, port in host_port_pairs
        )

    def with_fields(self, **fields: Any) -> DatabaseTarget:
        """A copy with other values."""
        return replace(self, **fields)


def from_url(url: str) -> DatabaseTarget:
    """Parse `postgresql://user:password@host:port/database?parameter=value`; most is optional.

    Raises:
        ConfigError: it is not such a URL; the error does not repeat it.
    """
    is_postgresql = parse_dialect(url.partition(":")[0].lower()) == "postgresql"
    check_at_signs(url, "the database URL")
    check_values(url.partition("?")[2], "the database URL")
    if is_postgresql:
        url_parser = drivers.load("postgresql", "postgresql_url")
        target: DatabaseTarget = url_parser.parse_url(url)
        return target
    try:
        url_parts = urlsplit(url)
        host, port = _parse_address(url_parts.netloc.rpartition("@")[2])
    except ValueError:
        raise unreadable_url() from None
    userinfo = url_parts.netloc.rpartition("@")[0]
    user_name, password_separator, password = userinfo.partition(":")
    return DatabaseTarget(
        dialect=parse_dialect(url_parts.scheme),
        host=host,
        port=port,
        user=unquote(user_name) or None,
        password=unquote(password) if password_separator else None,
        database=unquote(url_parts.path.removeprefix("/")) or None,
        parameters=merge_parameters(parse_qsl(url_parts.query, keep_blank_values=True)),
    )


def unreadable_url() -> ConfigError:
    """The error for a URL; it repeats no part, since any may belong to a password."""
    return ConfigError(
        "the database URL cannot be read: postgresql://user:password@host:5432/database; "
        "percent-encode what is special in user and password"
    )


def merge_parameters(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Merge pairs into parameters by name.

    Raises:
        ConfigError: a name has two different values.
    """
    parameters: dict[str, str] = {}
    for parameter_name, parameter_value in pairs:
        if parameters.setdefault(parameter_name, parameter_value) != parameter_value:
            raise ConfigError(f"{parameter_name} is given twice, and differently")
    return parameters


def parse_dialect(scheme: object) -> str:
    """The dialect of a scheme or type.

    Raises:
        ConfigError: there is no such dialect.
    """
    dialect = DIALECTS.get(scheme) if isinstance(scheme, str) else None
    if dialect is None:
        scheme_label = (
            scheme if isinstance(scheme, str) and scheme.replace("+", "").isalnum() else "?"
        )
        raise ConfigError(
            f"no SQL database of type {shown(scheme_label)}{did_you_mean(scheme, DIALECTS)}"
        )
    return dialect


def split_host(host: str, port: int | str | None) -> tuple[str | None, int | str | None]:
    """Split `host` or `host:port`, several with commas; `port` must agree with the ports in it.

    Raises:
        ConfigError: a port is not a number, or contradicts another.
    """
    if host.startswith(("/", "@")):
        return host, port  # a Unix socket
    try:
        host_port_pairs = [_parse_address(host_and_port) for host_and_port in host.split(",")]
    except ValueError:
        raise ConfigError(f"host must be host or host:port, got {shown(host)}") from None
    if all(port_number is None for _, port_number in host_port_pairs):
        return ",".join(host_name or "" for host_name, _ in host_port_pairs) or None, port
    joined_hosts, joined_ports = (
        ",".join(str(address_part or "") for address_part in address_parts)
        for address_parts in zip(*host_port_pairs, strict=True)
    )
    merged_port = joined_ports if len(host_port_pairs) > 1 else host_port_pairs[0][1]
    if port not in (None, merged_port):
        raise ConfigError("port is given twice, and differently")
    return joined_hosts or None, merged_port


def _parse_address(text: str) -> tuple[str | None, int | None]:
    """Split `host:port`; bare IPv6 addresses are left to the driver."""
    if text.startswith("["):
        host, _, suffix = text[1:].partition("]")
        return host, int(suffix[1:]) if suffix.startswith(":") else None
    if text.count(":") != 1:
        return unquote(text) or None, None
    host, _, port = text.partition(":")
    return unquote(host) or None, int(port) if port else None
