"""Wallets are looked at before connecting; who logs in, and where, is named in errors."""

from __future__ import annotations

import os
import queue
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

import threadkeep
from threadkeep.connect import connect_by_flags
from threadkeep.errors import BackendError, ConfigError

PASSWORD = "hunter2"

# The driver forgets to close the socket of a connection that breaks while it is made.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in [name for name in os.environ if name.startswith("ATP_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def listener(authority):
    """A TLS server that notes the client's certificate and hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with _Listener(context) as server:
        yield server


class _Listener:
    def __init__(self, context: ssl.SSLContext) -> None:
        self.subjects: queue.Queue[Any] = queue.Queue()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._context = context
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> _Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(connection, server_side=True) as line:
                    self.subjects.put(line.getpeercert())
            except OSError:
                connection.close()


@pytest.fixture
def wallet(tmp_path, authority, listener):
    """A wallet as OCI gives it: the key is encrypted."""
    (tmp_path / "tnsnames.ora").write_text(
        f"chat_high = (DESCRIPTION=(ADDRESS=(PROTOCOL=TCPS)(HOST=127.0.0.1)(PORT={listener.port}))"
        "(CONNECT_DATA=(SERVICE_NAME=chat)))\n"
    )
    (tmp_path / "cwallet.sso").write_bytes(b"")
    write_pem(tmp_path, authority, PASSWORD.encode())
    return tmp_path


def write_pem(folder: Path, authority: trustme.CA, password: bytes | None) -> None:
    certificate = authority.issue_cert("client@example.org")
    key: Any = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    encryption: Any = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
    (folder / "ewallet.pem").write_bytes(text + chain + authority.cert_pem.bytes())


def connected(wallet: Path, **options: Any) -> threadkeep.Memory:
    place = {"wallet_path": str(wallet), "tns_alias": "chat_high"}
    login = {"user": "ada", "password": "pw"}
    return threadkeep.connect({"type": "oracle", **place, **login, **options}, timeout=3)


@pytest.mark.proves("B50")
@pytest.mark.parametrize("encrypted", [True, False])
def test_the_clients_certificate_reaches_the_listener(wallet, listener, authority, encrypted):
    if not encrypted:
        write_pem(wallet, authority, None)
    memory = connected(wallet, **({"wallet_password": PASSWORD} if encrypted else {}))
    with memory, pytest.raises(BackendError, match=f"chat at 127.0.0.1:{listener.port}: "):
        memory.session("s").items()
    # the driver may give up, over the server's name, before the listener's thread goes on
    subject = listener.subjects.get(timeout=10)
    assert subject["subjectAltName"] == (("email", "client@example.org"),)


@pytest.mark.proves("B50")
def test_the_wallets_password_may_come_from_a_flag_or_a_variable(wallet, monkeypatch):
    flags = {"oracle_wallet_path": str(wallet), "oracle_tns_alias": "chat_high"}
    flags |= {"oracle_user": "ada", "oracle_password": "pw"}
    connect_by_flags({**flags, "oracle_wallet_password": PASSWORD}).close()
    monkeypatch.setenv("ATP_WALLET_PASSWORD", PASSWORD)
    connect_by_flags(flags).close()


@pytest.mark.parametrize(
    ("password", "says"),
    [
        (None, "ewallet.pem is encrypted: pass wallet_password .*ATP_WALLET_PASSWORD"),
        ("wrong", "ATP_WALLET_PASSWORD.* does not open .*ewallet.pem"),
    ],
)
def test_an_encrypted_wallet_without_its_password_is_refused(wallet, listener, password, says):
    with pytest.raises(ConfigError, match=says) as caught:
        connected(wallet, wallet_password=password)
    assert "wrong" not in str(caught.value).replace("does not open", "")
    assert listener.subjects.empty()


def test_a_wallet_that_only_client_libraries_can_read_is_refused(wallet):
    (wallet / "ewallet.pem").unlink()
    with pytest.raises(ConfigError, match=r"holds no ewallet\.pem, only cwallet\.sso: download"):
        connected(wallet)
    (wallet / "cwallet.sso").unlink()
    with pytest.raises(ConfigError, match=r"holds no ewallet\.pem: download .*thick=true"):
        connected(wallet)
    connected(wallet, thick=True).close()


def test_a_wallet_that_changes_later_asks_nobody_for_its_password(wallet, authority):
    write_pem(wallet, authority, None)
    memory = connected(wallet)
    write_pem(wallet, authority, PASSWORD.encode())
    with memory, pytest.raises(ConfigError, match=r"ewallet\.pem is encrypted"):
        memory.session("s").items()


@pytest.mark.parametrize("option", ["external_auth", "thick"])
def test_without_client_libraries_thick_mode_is_refused_with_the_reason(option):
    memory = threadkeep.connect(
        {"type": "oracle", "dsn": "db/chat", "user": "a", "password": "b", option: "true"}
    )
    with memory, pytest.raises(ConfigError, match=f"{option} needs Oracle's client libraries"):
        memory.session("s").items()


def test_who_logs_in_must_be_said():
    with pytest.raises(ConfigError, match=r"needs user and password .*ATP_USER"):
        threadkeep.connect({"type": "oracle", "dsn": "db/chat"})
    with pytest.raises(ConfigError, match="ATP_USER"):
        threadkeep.connect({"type": "oracle", "dsn": "db/chat", "user": "ada"})
    memory = threadkeep.connect("oracle://127.0.0.1:1/chat", timeout=2)
    with (
        memory,
        pytest.raises(ConfigError, match=r"at 127.0.0.1:1: user or password is missing.*ATP_USER"),
    ):
        memory.session("s").items()


@pytest.mark.parametrize(
    ("dsn", "place"),
    [
        ("db.example:1522/chat", "chat at db.example:1522"),
        ("tcps://db.example/chat", "chat at db.example:1521"),
        ("ada/hunter2@db.example/chat", "chat at db.example:1521"),
        ("no_such_alias", "no_such_alias"),
    ],
)
def test_errors_name_the_place_and_no_password(dsn, place):
    store = {"type": "oracle", "dsn": dsn, "user": "ada", "password": "hunter2"}
    shown = repr(threadkeep.connect(store).backend)
    assert f"Oracle database {place}," in shown
    assert "hunter2" not in shown
