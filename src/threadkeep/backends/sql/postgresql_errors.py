"""Classifies errors of PostgreSQL and libpq; messages never repeat stored values."""

from __future__ import annotations

from typing import Final

import psycopg

from threadkeep.backends.sql.driver_errors import Fault, Kind

_BY_CODE: Final = {
    "40001": Kind.AGAIN,
    "40P01": Kind.AGAIN,
    "55P03": Kind.AGAIN,
    "23505": Kind.AGAIN,  # both created a stream
    "57014": Kind.TIMEOUT,
    "25P03": Kind.LOST,
    "25P04": Kind.LOST,
    "25006": Kind.LOST,  # the server became a replica: find the primary again
    "53300": Kind.UNREACHABLE,
    "57P01": Kind.LOST,
    "57P02": Kind.LOST,
    "57P03": Kind.UNREACHABLE,
    "57P05": Kind.LOST,
    "42P01": Kind.MISSING,
    "42703": Kind.MISSING,
    "3F000": Kind.MISSING,
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
    code = getattr(error, "sqlstate", None)
    if code is None:
        return _without_code(error)
    message = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    kind = _BY_CODE.get(code) or (Kind.LOST if code.startswith("08") else Kind.FATAL)
    return Fault(kind, f"{_one_line(message)} ({code})", _REMEDY.get(code, ""))


def _without_code(error: Exception) -> Fault:
    message = _one_line(str(error))
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Fault(Kind.FATAL, f"{type(error).__name__} in psycopg")
    for fragment, remedy in _FATAL_MESSAGES:
        if fragment in message:
            return Fault(Kind.FATAL, message, remedy)
    return Fault(Kind.LOST, message, "check host, port and whether the server runs")


def _one_line(message: object) -> str:
    return " ".join(str(message or "").split()) or "an error without a message"
