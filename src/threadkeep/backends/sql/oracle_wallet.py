"""Looks into a wallet's folder before connecting, so that its errors are clear ones."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from threadkeep.errors import ConfigError

_NET_FILES: Final = ("tnsnames.ora", "sqlnet.ora")
_THICK_FILES: Final = ("cwallet.sso", "ewallet.p12")
_PASSWORD: Final = "wallet_password (--oracle-wallet-password, ATP_WALLET_PASSWORD)"  # noqa: S105


def check_folder(folder: str) -> None:
    """Check that the folder names databases.

    Raises:
        ConfigError: it does not.
    """
    if not any((Path(folder) / file_name).is_file() for file_name in _NET_FILES):
        raise ConfigError(f"wallet_path: {folder} holds neither {' nor '.join(_NET_FILES)}")


def check_key(folder: str, password: str | None, *, needed: bool) -> bool:
    """Check that thin mode can read the key of the wallet.

    Args:
        needed: whether the connection is by TLS, so that it cannot do without the key.

    Returns whether there is a key.

    Raises:
        ConfigError: the key is missing or the password does not open it.
    """
    pem_path = Path(folder) / "ewallet.pem"
    if not pem_path.is_file():
        thick_files = [name for name in _THICK_FILES if (Path(folder) / name).is_file()]
        if needed or thick_files:
            files_clause = f", only {' and '.join(thick_files)}" if thick_files else ""
            raise ConfigError(
                f"wallet_path: {folder} holds no ewallet.pem{files_clause}: download the wallet "
                "again with a password, make one by orapki, or pass thick=true to use Oracle's "
                "client libraries"
            )
        return False
    _check_password(pem_path, password)
    return True


def _check_password(pem: Path, password: str | None) -> None:
    if "ENCRYPTED" not in pem.read_text("latin-1"):
        return
    if not password:
        raise ConfigError(f"wallet_path: {pem} is encrypted: pass {_PASSWORD}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(pem, password=password)
    except (ssl.SSLError, ValueError):
        raise ConfigError(f"{_PASSWORD} does not open {pem}") from None
