"""The options of the backend, checked before anything is opened."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from threadkeep.backends.sql.url import (
    SSLMODES,
    Password,
    Target,
    dialect,
    from_url,
    split_host,
    unique,
)
from threadkeep.errors import ConfigError


def target(url: str | None, fields: Mapping[str, Any], password: Password) -> Target:
    """Where to connect, out of a URL or of fields, or of both if they do not contradict.

    Raises:
        ConfigError: they do, or one is not what it should be.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    found = from_url(url) if url is not None else Target(dialect(given.get("dialect")))
    if found.dialect == "postgresql" and "dbname" in given:  # libpq's word for it
        given = unique([("database", given.pop("dbname")), *given.items()])
    for name in ("dialect", "host", "port", "user", "database"):
        if name in given:
            found = _said(found, name, given.pop(name))
    if password is not None:
        if found.password is not None:
            raise ConfigError("password is given twice: in the URL and beside it")
        if not isinstance(password, str) and not callable(password):
            raise ConfigError("password must be a str or a callable that returns one")
        if isinstance(password, str) and "\0" in password:
            raise ConfigError("password must not contain NUL")
        found = found.but(password=password)
    for name, value in given.items():
        if found.parameters.get(name, value) != value:
            raise ConfigError(f"{name} is given twice, and differently")
    found = found.but(parameters={**found.parameters, **given})
    _check_sslmode(found.parameters.get("sslmode"))
    return found


def _said(found: Target, name: str, value: Any) -> Target:
    if name == "dialect":
        value = dialect(value)
    elif name == "port":
        value = _port(value, several=found.dialect == "postgresql")
    elif not isinstance(value, str) or not value or "\0" in value:
        raise ConfigError(f"{name} must be a str that is not empty")
    if name == "host":
        host, port = split_host(value, found.port)
        if isinstance(port, str) and found.dialect != "postgresql":
            raise ConfigError("host: several are for PostgreSQL only")
        found, value = found.but(port=port), host
    if getattr(found, name) not in (None, value):
        raise ConfigError(f"{name} is given twice, and differently")
    return found.but(**{name: value})


def _port(value: object, *, several: bool = False) -> int | str:
    if several and isinstance(value, str) and "," in value:
        return ",".join(str(_port(port)) if port else "" for port in value.split(","))
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if type(number) is not int or not 0 < number < 65536:
        raise ConfigError(f"port must be a whole number from 1 to 65535, got {value!r}")
    return number


def _check_sslmode(mode: object) -> None:
    if mode is not None and mode not in SSLMODES:
        raise ConfigError(f"sslmode must be one of {', '.join(SSLMODES)}, got {mode!r}")


def check_limits(pool_size: object, timeout: object, connect_timeout: object) -> None:
    """Refuse what no pool can do.

    Raises:
        ConfigError: an option is out of range; it is named.
    """
    if type(pool_size) is not int or pool_size < 1:
        raise ConfigError(f"pool_size must be a whole number of at least 1, got {pool_size!r}")
    for name, value in (("timeout", timeout), ("connect_timeout", connect_timeout)):
        if value is None and name == "connect_timeout":
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value <= 0:  # type: ignore[arg-type,operator]
            raise ConfigError(f"{name} must be a number of seconds above 0, got {value!r}")


def seconds(value: object) -> float | None:
    """`connect_timeout` as it stands in a URL.

    Raises:
        ConfigError: it is no number.
    """
    if value is None or isinstance(value, int | float):
        return value
    try:
        number = float(str(value))
        return None if number <= 0 else number  # as libpq: no limit of its own
    except ValueError:
        raise ConfigError(
            f"connect_timeout must be a number of seconds above 0, got {value!r}"
        ) from None
