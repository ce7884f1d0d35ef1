"""The options of the backend, checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.backends.sql.url import (
    SSLMODES,
    DatabaseTarget,
    Password,
    from_url,
    merge_parameters,
    parse_dialect,
    split_host,
)
from threadkeep.core.option_types import POOL_SIZE, SECONDS
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

_VERIFYING: Final = ("verify-ca", "verify-full")


def build_target(url: str | None, fields: Mapping[str, Any], password: Password) -> DatabaseTarget:
    """Build the target from a URL, from fields, or from both if they agree.

    Raises:
        ConfigError: they contradict each other, or one is wrong.
    """
    given_options = {name: value for name, value in fields.items() if value is not None}
    target = (
        from_url(url)
        if url is not None
        else DatabaseTarget(parse_dialect(given_options.get("dialect")))
    )
    if target.dialect == "postgresql" and "dbname" in given_options:  # libpq's word for it
        given_options = merge_parameters(
            [("database", given_options.pop("dbname")), *given_options.items()]
        )
    for option_name in ("dialect", "host", "port", "user", "database"):
        if option_name in given_options:
            target = _with_option(target, option_name, given_options.pop(option_name))
    if password is not None:
        if target.password is not None:
            raise ConfigError("password is given twice: in the URL and beside it")
        if not isinstance(password, str) and not callable(password):
            raise ConfigError("password must be a str or a callable that returns one")
        if isinstance(password, str) and "\0" in password:
            raise ConfigError("password must not contain NUL")
        target = target.with_fields(password=password)
    for option_name, option_value in given_options.items():
        if target.parameters.get(option_name, option_value) != option_value:
            raise ConfigError(f"{option_name} is given twice, and differently")
    target = target.with_fields(parameters={**target.parameters, **given_options})
    _check_tls(target)
    return target


def _with_option(target: DatabaseTarget, name: str, value: Any) -> DatabaseTarget:
    if name == "dialect":
        value = parse_dialect(value)
    elif name == "port":
        value = _parse_port(value, several=target.dialect == "postgresql")
    elif not isinstance(value, str) or not value or "\0" in value:
        raise ConfigError(f"{name} must be a str that is not empty")
    if name == "host":
        host, port = split_host(value, target.port)
        if isinstance(port, str) and target.dialect != "postgresql":
            raise ConfigError("host: several are for PostgreSQL only")
        target, value = target.with_fields(port=port), host
    if getattr(target, name) not in (None, value):
        raise ConfigError(f"{name} is given twice, and differently")
    return target.with_fields(**{name: value})


def _parse_port(value: object, *, several: bool = False) -> int | str:
    if several and isinstance(value, str) and "," in value:
        return ",".join(str(_parse_port(port)) if port else "" for port in value.split(","))
    port_number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if type(port_number) is not int or not 0 < port_number < 65536:
        raise ConfigError(f"port must be a whole number from 1 to 65535, got {shown(value)}")
    return port_number


def _check_tls(target: DatabaseTarget) -> None:
    """Check that a CA is used: below `verify-ca`, TLS may be left out or checked halfway."""
    sslmode = target.parameters.get("sslmode")
    if sslmode is not None and sslmode not in SSLMODES:
        raise ConfigError(f"sslmode must be one of {', '.join(SSLMODES)}, got {shown(sslmode)}")
    if target.dialect == "postgresql":
        sslmode = sslmode or os.environ.get("PGSSLMODE")  # which libpq reads
    if "sslrootcert" in target.parameters and sslmode not in _VERIFYING:
        raise ConfigError(
            f"sslrootcert with sslmode={sslmode or 'prefer'} would not be relied on: "
            "write sslmode=verify-full, or verify-ca if the server's name is not in its certificate"
        )


def check_limits(pool_size: object, timeout: object, connect_timeout: object) -> None:
    """Check the limits of the pool.

    Raises:
        ConfigError: an option is out of range; it is named.
    """
    POOL_SIZE.check("pool_size", pool_size)
    SECONDS.check("timeout", timeout)
    if connect_timeout is not None:
        SECONDS.check("connect_timeout", connect_timeout)


def parse_seconds(value: object) -> float | None:
    """Parse `connect_timeout` of a URL.

    Raises:
        ConfigError: it is not a number.
    """
    if value is None or isinstance(value, int | float):
        return value
    try:
        seconds = float(str(value))
        return None if seconds <= 0 else seconds  # as libpq: no limit of its own
    except ValueError:
        raise ConfigError(
            f"connect_timeout must be a number of seconds above 0, got {shown(value)}"
        ) from None
