"""Classifies errors of MySQL, MariaDB and PyMySQL; messages never repeat stored values."""

from __future__ import annotations

import ssl
from typing import Final

import pymysql

from threadkeep.backends.common.faults import Fault, FaultKind

_BY_CODE: Final = {
    **dict.fromkeys((1213, 1205, 1020, 1062, 3572), FaultKind.RETRY),  # 1062: both created a stream
    **dict.fromkeys((0, 2006, 2013, 2014, 2055, 1053, 1077, 1927, 4031), FaultKind.LOST),
    **dict.fromkeys((1290, 1792, 1836), FaultKind.LOST),  # read-only: find the primary again
    **dict.fromkeys((2002, 2003, 2005, 1040, 1203), FaultKind.UNREACHABLE),
    **dict.fromkeys((1317, 1969, 3024), FaultKind.TIMEOUT),
    **dict.fromkeys((1146, 1054), FaultKind.MISSING),
}
_REMEDY: Final = {
    1040: "too many connections: lower pool_size, or raise max_connections",
    1044: "GRANT this user what it needs on the database",
    1045: "check user and password, and whether the server wants TLS (sslmode)",
    1049: "create the database, or name another",
    1054: "the tables are not threadkeep's: pass another table_name",
    1142: "GRANT this user SELECT, INSERT, UPDATE, DELETE, and CREATE and INDEX once",
    1146: "the tables are gone: was the database restored, or table_name changed?",
    1153: "raise the server's max_allowed_packet to 16 MB or more",
    1698: "check user and password",
    2002: "check host, port and whether the server runs",
    2003: "check host, port and whether the server runs",
    2026: "choose another sslmode, or turn on TLS at the server",
    3159: "the server wants TLS: sslmode=require or stricter",
}
_QUOTING: Final = {1062, 1265, 1300, 1366, 1406, 1064}  # their messages repeat values
_CERTIFICATE: Final = "check sslmode, sslrootcert and the server's name"


def classify(error: Exception) -> Fault:
    """Classify an error of the driver."""
    error_code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    error_text = " ".join(str(error.args[1]).split()) if len(error.args) > 1 else str(error)
    if isinstance(getattr(error, "original_exception", None), ssl.SSLCertVerificationError):
        return Fault(FaultKind.FATAL, error_text, _CERTIFICATE)
    if not isinstance(error, pymysql.OperationalError | pymysql.InterfaceError) and not error_code:
        return Fault(FaultKind.FATAL, f"{type(error).__name__} in PyMySQL")
    fault_text = (
        f"error {error_code}"
        if error_code in _QUOTING
        else f"{error_text or 'connection closed'} ({error_code})"
    )
    return Fault(_BY_CODE.get(error_code, FaultKind.FATAL), fault_text, _REMEDY.get(error_code, ""))
