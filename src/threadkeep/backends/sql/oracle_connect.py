"""Oracle sessions: by DSN, or wallet and alias; with a password or external authentication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import oracledb

from threadkeep.backends.sql import oracle_wallet
from threadkeep.backends.sql.url import DatabaseTarget
from threadkeep.core.option_types import FLAG
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown

_FLAGS: Final = ("external_auth", "thick")
_PARAMETERS: Final = {
    *("dsn", "wallet_path", "wallet_password", "tns_alias", "client_lib_dir", *_FLAGS)
}
_PORT: Final = 1521


class OracleConnectOptions(NamedTuple):
    """The DSN, and the options that go with it.

    Attributes:
        place: the database, for errors.
        thick: whether Oracle's client libraries are used.
    """

    dsn: str
    wallet_folder: str | None
    wallet_password: str | None
    external_auth: bool
    thick: bool
    client_lib_dir: str | None
    place: str


def parse_connect_options(target: DatabaseTarget) -> OracleConnectOptions:
    """Parse the parameters; a DSN takes precedence over wallet and alias.

    Raises:
        ConfigError: a parameter is unknown, the folder is no wallet or cannot be opened, or no
            database is named.
    """
    parameters = dict(target.parameters)
    for name in parameters:
        if name not in _PARAMETERS:
            raise ConfigError(
                f"Oracle has no parameter {shown(name)}{did_you_mean(name, _PARAMETERS)}"
            )
    is_external_auth, is_thick = (FLAG.read(name, parameters.get(name, False)) for name in _FLAGS)
    is_thick = is_thick or is_external_auth or "client_lib_dir" in parameters
    wallet_folder = parameters.get("wallet_path")
    wallet_password = parameters.get("wallet_password")
    dsn = parameters.get("dsn") or (None if target.host is None else _easy_connect(target))
    if dsn is None and not (wallet_folder and parameters.get("tns_alias")):
        raise ConfigError("Oracle needs a dsn, a host, or wallet_path with tns_alias")
    dsn = dsn or parameters["tns_alias"]
    if wallet_folder is not None:
        oracle_wallet.check_folder(wallet_folder)
    database_label, is_tls = _describe(dsn, wallet_folder)
    if wallet_folder is not None and not is_thick:
        oracle_wallet.check_key(wallet_folder, wallet_password, needed=is_tls)
    client_lib_dir = parameters.get("client_lib_dir")
    return OracleConnectOptions(
        dsn,
        wallet_folder,
        wallet_password,
        is_external_auth,
        is_thick,
        client_lib_dir,
        database_label,
    )


def _describe(dsn: str, folder: str | None) -> tuple[str, bool]:
    """The database that a DSN or alias means, without any login in it, and if TLS is used."""
    try:
        connect_params = oracledb.ConnectParams(config_dir=folder)
        connect_params.parse_connect_string(dsn.rpartition("@")[2])
    except (oracledb.Error, ValueError):
        wallet_clause = f" of the wallet {folder}" if folder else ""
        return f"{dsn.rpartition('@')[2]}{wallet_clause}", False
    hosts, ports, protocols = (
        parameter_value if isinstance(parameter_value, list) else [parameter_value]
        for parameter_value in (connect_params.host, connect_params.port, connect_params.protocol)
    )
    addresses = dict.fromkeys(f"{host}:{port}" for host, port in zip(hosts, ports, strict=False))
    service_name = connect_params.service_name or connect_params.sid
    database_name = (
        next((service_candidate for service_candidate in service_name if service_candidate), "")
        if isinstance(service_name, list)
        else service_name
    )
    return " ".join(
        label_part for label_part in (database_name, "at", ",".join(addresses)) if label_part
    ), "tcps" in protocols


def _easy_connect(target: DatabaseTarget) -> str:
    service_path = f"/{target.database}" if target.database else ""
    return f"{target.host}:{target.port or _PORT}{service_path}"


def open_session(
    options: OracleConnectOptions, target: DatabaseTarget, timeout: float, limit: float
) -> Any:
    """Open a session that compares and sorts byte by byte, and limits the time of each call."""
    credentials = _credentials(options, target)
    if options.thick:
        _load_client_libraries(options)
    connection = oracledb.connect(
        dsn=options.dsn, tcp_connect_timeout=timeout, **credentials, **_wallet(options)
    )
    connection.call_timeout = max(1, int(limit * 1000))
    with connection.cursor() as cursor:
        cursor.execute("ALTER SESSION SET NLS_SORT = BINARY NLS_COMP = BINARY")
    return connection


def _credentials(options: OracleConnectOptions, target: DatabaseTarget) -> dict[str, Any]:
    if options.external_auth:
        return {"externalauth": True}
    password = target.resolve_password()
    if not target.user or not password:
        raise ConfigError(
            f"Oracle database {options.place}: user or password is missing: pass both "
            "(ATP_USER and ATP_PASSWORD in the environment), or external_auth"
        )
    return {"user": target.user, "password": password}


def _wallet(options: OracleConnectOptions) -> Mapping[str, Any]:
    """The wallet for the driver; an empty password keeps OpenSSL from asking on the terminal."""
    wallet_folder, wallet_password = options.wallet_folder, options.wallet_password or ""
    if wallet_folder is None or options.thick:
        return {}
    if not oracle_wallet.check_key(wallet_folder, wallet_password, needed=False):
        return {"config_dir": wallet_folder}
    return {
        "config_dir": wallet_folder,
        "wallet_location": wallet_folder,
        "wallet_password": wallet_password,
    }


def _load_client_libraries(options: OracleConnectOptions) -> None:
    """Turn on thick mode; again is harmless.

    Raises:
        ConfigError: the libraries cannot be loaded, or the process uses thin mode already.
    """
    try:
        oracledb.init_oracle_client(options.client_lib_dir, options.wallet_folder)
    except oracledb.Error as error:
        reason = str(error).splitlines()[0].partition(". See ")[0].strip()
        option_name = "external_auth" if options.external_auth else "thick"
        raise ConfigError(
            f"{option_name} needs Oracle's client libraries, loaded before any other connection of "
            f"this process: install Instant Client or pass client_lib_dir ({reason})"
        ) from None
