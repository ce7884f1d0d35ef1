"""Classifies errors of PostgreSQL and libpq; messages never repeat stored values."""

from __future__ import annotations

from typing import Final

import psycopg

from threadkeep.backends.common.faults import Fault, FaultKind

_BY_CODE: Final = {
    "40001": FaultKind.RETRY,
    "40P01": FaultKind.RETRY,
    "55P03": FaultKind.RETRY,
    "23505": FaultKind.RETRY,  # both created a stream
    "57014": FaultKind.TIMEOUT,
    "25P03": FaultKind.LOST,
    "25P04": FaultKind.LOST,
    "25006": FaultKind.LOST,  # the server became a replica: find the primary again
    "53300": FaultKind.UNREACHABLE,
    "57P01": FaultKind.LOST,
    "57P02": FaultKind.LOST,
    "57P03": FaultKind.UNREACHABLE,
    "57P05": FaultKind.LOST,
    "42P01": FaultKind.MISSING,
    "42703": FaultKind.MISSING,
    "3F000": FaultKind.MISSING,
}
_REMEDY: Final = {
    "42P01": "the tables are gone: was the database restored, or table_name changed?",
    "42703": "the tables are not threadkeep's: pass another table_name",
    "3F000": "create the schema that table_name names",
    "42501": "GRANT this user what it needs: SELECT, INSERT, UPDATE, DELETE, and CREATE once",
    "53100": "the server's disk is full",
    "53300": "too many connections: lower pool_size, or raise max_connections",
    "28P01": "check user and password",
    "28000": "check user, password, sslmode and the server's pg_hba.conf",
    "3D000": "create the database, or name another",
    "22021": "the database must be in UTF8",
    "22P05": "the database must be in UTF8",
}
# Failures to connect have no code; those with one of these texts are final.
_FATAL_MESSAGES: Final = (
    ("password authentication failed", "check user and password"),
    ("no password supplied", "pass a password"),
    ("authentication failed", "check user and password"),
    ("does not exist", "create it, or name another"),
    ("no pg_hba.conf entry", "check user, host and sslmode against the server's pg_hba.conf"),
    ("certificate", "check sslmode, sslrootcert and the server's name"),
    ("does not support SSL", "turn on TLS at the server, or choose another sslmode"),
    ("root.crt", "pass sslrootcert"),
    ("invalid", "check the URL"),
)


def classify(error: Exception) -> Fault:
    """Classify an error of the driver."""
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate is None:
        return _without_code(error)
    error_text = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    fault_kind = _BY_CODE.get(sqlstate) or (
        FaultKind.LOST if sqlstate.startswith("08") else FaultKind.FATAL
    )
    return Fault(fault_kind, f"{_one_line(error_text)} ({sqlstate})", _REMEDY.get(sqlstate, ""))


def _without_code(error: Exception) -> Fault:
    error_text = _one_line(str(error))
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Fault(FaultKind.FATAL, f"{type(error).__name__} in psycopg")
    for message_fragment, remedy in _FATAL_MESSAGES:
        if message_fragment in error_text:
            return Fault(FaultKind.FATAL, error_text, remedy)
    return Fault(FaultKind.LOST, error_text, "check host, port and whether the server runs")


def _one_line(message: object) -> str:
    return " ".join(str(message or "").split()) or "an error without a message"
