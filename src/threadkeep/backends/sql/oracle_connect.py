"""Sessions of Oracle: by DSN, by wallet and alias, by a user or by the operating system."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import oracledb

from threadkeep.backends.sql.url import Target
from threadkeep.errors import ConfigError, did_you_mean

_KNOWN: Final = {"dsn", "wallet_path", "wallet_password", "tns_alias", "external_auth"}
_PORT: Final = 1521


class How(NamedTuple):
    """The DSN, and what goes with it."""

    dsn: str
    folder: str | None
    wallet_password: str | None
    external: bool


def checked(target: Target) -> How:
    """Where to connect; a DSN wins over wallet and alias.

    Raises:
        ConfigError: a parameter is unknown, the folder is no wallet, or there is no place.
    """
    said = dict(target.parameters)
    for name in said:
        if name not in _KNOWN:
            raise ConfigError(f"Oracle has no parameter {name!r}{did_you_mean(name, _KNOWN)}")
    folder = said.get("wallet_path")
    dsn = said.get("dsn") or (None if target.host is None else _easy(target))
    if dsn is None and not (folder and said.get("tns_alias")):
        raise ConfigError("Oracle needs a dsn, a host, or wallet_path with tns_alias")
    if folder is not None:
        _check_wallet(folder)
    external = said.get("external_auth") in (True, "true", "1", "yes")
    return How(dsn or said["tns_alias"], folder, said.get("wallet_password"), external)


def _easy(target: Target) -> str:
    service = f"/{target.database}" if target.database else ""
    return f"{target.host}:{target.port or _PORT}{service}"


def _check_wallet(folder: str) -> None:
    place = Path(folder)
    if not any((place / name).is_file() for name in ("tnsnames.ora", "sqlnet.ora")):
        raise ConfigError(f"wallet_path: {place} holds neither tnsnames.ora nor sqlnet.ora")


def open_session(how: How, target: Target, timeout: float, limit: float) -> Any:
    """A session that compares and sorts byte by byte, and whose calls end in time."""
    who: dict[str, Any] = {"externalauth": True} if how.external else {"user": target.user}
    if not how.external:
        who["password"] = target.secret()
    if how.folder is not None:
        who |= {"config_dir": how.folder, "wallet_location": how.folder}
        who |= {"wallet_password": how.wallet_password}
    made = oracledb.connect(dsn=how.dsn, tcp_connect_timeout=timeout, **who)
    made.call_timeout = max(1, int(limit * 1000))
    with made.cursor() as cursor:
        cursor.execute("ALTER SESSION SET NLS_SORT = BINARY NLS_COMP = BINARY")
    return made
