"""Classifies errors of Oracle and python-oracledb; messages never repeat stored values."""

from __future__ import annotations

import re
from typing import Final

import oracledb

from threadkeep.backends.common.faults import Fault, FaultKind

_BY_CODE: Final = {
    # 00001: both created a stream; 08177: serialization; 00060: deadlock; 00054: busy;
    # 00955: both created the tables
    **dict.fromkeys(
        ("ORA-00001", "ORA-00060", "ORA-08177", "ORA-00054", "ORA-00955"), FaultKind.RETRY
    ),
    **dict.fromkeys(("ORA-30006", "ORA-04021"), FaultKind.RETRY),
    **dict.fromkeys(("ORA-03113", "ORA-03114", "ORA-03135", "ORA-00028"), FaultKind.LOST),
    **dict.fromkeys(("ORA-02396", "ORA-01012", "ORA-25408", "ORA-16000"), FaultKind.LOST),
    **dict.fromkeys(("DPY-1001", "DPY-4011", "DPY-6006"), FaultKind.LOST),
    **dict.fromkeys(("DPY-6005", "DPY-6003", "ORA-12541", "ORA-12514"), FaultKind.UNREACHABLE),
    **dict.fromkeys(("ORA-12516", "ORA-12518", "ORA-12520", "ORA-01033"), FaultKind.UNREACHABLE),
    **dict.fromkeys(("ORA-01034", "ORA-01089", "ORA-00018", "ORA-00020"), FaultKind.UNREACHABLE),
    **dict.fromkeys(("DPY-4024", "ORA-01013", "ORA-03136"), FaultKind.TIMEOUT),
    **dict.fromkeys(("ORA-00942", "ORA-00904"), FaultKind.MISSING),
}
_REMEDY: Final = {
    "ORA-01017": "check user and password",
    "ORA-28000": "the account is locked: ask its administrator",
    "ORA-28001": "the password has expired: set a new one",
    "ORA-01031": "GRANT this user what it needs: CREATE SESSION, and CREATE TABLE once",
    "ORA-01950": "give this user a quota on its tablespace",
    "ORA-01653": "the tablespace is full",
    "ORA-00942": "the tables are gone: was the database restored, or table_name changed?",
    "ORA-00904": "the tables are not threadkeep's: pass another table_name",
    "DPY-4026": "put tnsnames.ora into the wallet's folder",
    "DPY-4027": "pass wallet_path with tns_alias, or a dsn",
    "DPY-4000": "name an alias that tnsnames.ora has",
    "DPY-6005": "check dsn, host, port, the wallet, and whether the listener runs",
    "ORA-12514": "check the name of the service",
}
_CODE: Final = re.compile(r"\b(ORA-\d{5}|DPY-\d{4})\b")
_QUOTING: Final = {"ORA-00001", "ORA-12899", "ORA-01461"}  # their messages repeat values


def classify(error: Exception) -> Fault:
    """Classify an error of the driver."""
    if not isinstance(error, oracledb.Error):
        return Fault(FaultKind.UNREACHABLE, _first_line(error), "check the name of the host")
    code_match = _CODE.search(str(error))
    error_code = code_match.group() if code_match else ""
    error_text = error_code if error_code in _QUOTING else _first_line(error)
    fault_kind = _BY_CODE.get(
        error_code, FaultKind.LOST if _is_session_dead(error) else FaultKind.FATAL
    )
    return Fault(fault_kind, error_text, _REMEDY.get(error_code, ""))


def _is_session_dead(error: oracledb.Error) -> bool:
    return bool(getattr(error.args[0], "is_session_dead", False)) if error.args else False


def _first_line(error: Exception) -> str:
    """The first line, without the link to a page about it."""
    return str(error).splitlines()[0].strip() if str(error).strip() else type(error).__name__
