"""Oracle sessions: by DSN, or wallet and alias; with a password or external authentication."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import oracledb

from threadkeep.backends.sql.url import DatabaseTarget
from threadkeep.errors import ConfigError, did_you_mean

_PARAMETERS: Final = {"dsn", "wallet_path", "wallet_password", "tns_alias", "external_auth"}
_PORT: Final = 1521


class OracleConnectOptions(NamedTuple):
    """The DSN, and the options that go with it."""

    dsn: str
    wallet_folder: str | None
    wallet_password: str | None
    external_auth: bool


def parse_connect_options(target: DatabaseTarget) -> OracleConnectOptions:
    """Parse the parameters; a DSN takes precedence over wallet and alias.

    Raises:
        ConfigError: a parameter is unknown, the folder is no wallet, or no database is named.
    """
    parameters = dict(target.parameters)
    for name in parameters:
        if name not in _PARAMETERS:
            raise ConfigError(f"Oracle has no parameter {name!r}{did_you_mean(name, _PARAMETERS)}")
    folder = parameters.get("wallet_path")
    dsn = parameters.get("dsn") or (None if target.host is None else _easy_connect(target))
    if dsn is None and not (folder and parameters.get("tns_alias")):
        raise ConfigError("Oracle needs a dsn, a host, or wallet_path with tns_alias")
    if folder is not None:
        _check_wallet(folder)
    external = parameters.get("external_auth") in (True, "true", "1", "yes")
    return OracleConnectOptions(
        dsn or parameters["tns_alias"], folder, parameters.get("wallet_password"), external
    )


def _easy_connect(target: DatabaseTarget) -> str:
    service = f"/{target.database}" if target.database else ""
    return f"{target.host}:{target.port or _PORT}{service}"


def _check_wallet(folder: str) -> None:
    path = Path(folder)
    if not any((path / name).is_file() for name in ("tnsnames.ora", "sqlnet.ora")):
        raise ConfigError(f"wallet_path: {path} holds neither tnsnames.ora nor sqlnet.ora")


def open_session(
    options: OracleConnectOptions, target: DatabaseTarget, timeout: float, limit: float
) -> Any:
    """Open a session that compares and sorts byte by byte, and limits the time of each call."""
    credentials: dict[str, Any] = (
        {"externalauth": True} if options.external_auth else {"user": target.user}
    )
    if not options.external_auth:
        credentials["password"] = target.resolve_password()
    if options.wallet_folder is not None:
        credentials |= {
            "config_dir": options.wallet_folder,
            "wallet_location": options.wallet_folder,
        }
        credentials |= {"wallet_password": options.wallet_password}
    connection = oracledb.connect(dsn=options.dsn, tcp_connect_timeout=timeout, **credentials)
    connection.call_timeout = max(1, int(limit * 1000))
    with connection.cursor() as cursor:
        cursor.execute("ALTER SESSION SET NLS_SORT = BINARY NLS_COMP = BINARY")
    return connection
