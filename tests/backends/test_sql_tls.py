"""TLS to SQL servers: six sslmodes against the right CA, a wrong one, and a wrong name."""

import pytest
import trustme

from tests.servers import mysql, postgres
from tests.servers.instances import fresh_table
from threadkeep.backends.sql import SqlBackend
from threadkeep.errors import BackendError
from threadkeep.types import Query

# "127.0.0.1" is in the server's certificate, "localhost" leads there and is not.
CERTIFIED, OTHER = "127.0.0.1", "localhost"
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Files of a throw-away CA, and of another."""
    folder = tmp_path_factory.mktemp("ca")
    right, wrong = trustme.CA(), trustme.CA()
    right.cert_pem.write_to_path(folder / "right.pem")
    wrong.cert_pem.write_to_path(folder / "wrong.pem")
    return folder, right.issue_cert(CERTIFIED)


@pytest.fixture(scope="module", params=["postgres", "mysql"])
def server(request, authority):
    """One that takes connections with and without TLS."""
    _, certificate = authority
    made = _postgres(certificate) if request.param == "postgres" else _mysql(certificate)
    yield made
    made.instance.remove()


def _postgres(certificate):
    made = postgres.Postgres("fsync=off")
    files = _files(made.instance, certificate)
    made.kill()
    made.settings("ssl=on", f"ssl_cert_file={files[0]}", f"ssl_key_file={files[1]}")
    made.start()
    made.encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    return made


def _mysql(certificate):
    made = mysql.MariaDB()
    files = _files(made.instance, certificate)
    made.kill()
    made.settings(f"--ssl-cert={files[0]}", f"--ssl-key={files[1]}")
    made.start()
    made.encrypted = (
        "SELECT variable_value <> '' FROM information_schema.session_status "
        "WHERE variable_name = 'Ssl_cipher'"
    )
    return made


def _files(instance, certificate):
    names = instance.folder / "server.pem", instance.folder / "server.key"
    certificate.cert_chain_pems[0].write_to_path(names[0])
    certificate.private_key_pem.write_to_path(names[1])
    for name in names:
        instance.own(name)
        name.chmod(0o600)
    return names


def is_encrypted(server, host, **how):
    """Connect, use it, and ask the server itself whether this was TLS."""
    backend = SqlBackend(server.url(host=host), table_name=fresh_table(), **how)
    try:
        backend.read(Query("s", "item"), now=1.0)
        rows = backend._run(lambda line: backend._dialect.run(line, [(server.encrypted, {})]))
        return bool(int(rows[0][0]))
    finally:
        backend.close()


@pytest.mark.proves("B45")
@pytest.mark.parametrize("mode", [None, *MODES])
def test_with_the_right_ca_every_mode_connects(server, authority, mode):
    folder, _ = authority
    how = {"sslmode": mode} if mode else {}
    if mode and mode.startswith("verify"):
        how["sslrootcert"] = str(folder / "right.pem")
    assert is_encrypted(server, CERTIFIED, **how) is (mode not in ("disable", "allow"))


@pytest.mark.proves("B45")
@pytest.mark.parametrize("mode", MODES)
def test_with_a_wrong_ca_the_verifying_modes_refuse(server, authority, mode):
    how = {"sslmode": mode}
    if not mode.startswith("verify"):
        # libpq verifies with any mode if a root certificate is given, so it gets none here
        assert is_encrypted(server, CERTIFIED, **how) is (mode not in ("disable", "allow"))
        return
    how["sslrootcert"] = str(authority[0] / "wrong.pem")
    with pytest.raises(BackendError, match="check sslmode, sslrootcert and the server's name"):
        is_encrypted(server, CERTIFIED, **how)


@pytest.mark.proves("B45")
@pytest.mark.parametrize("mode", MODES)
def test_with_a_wrong_host_name_only_verify_full_refuses(server, authority, mode):
    how = {"sslmode": mode}
    if mode.startswith("verify"):
        how["sslrootcert"] = str(authority[0] / "right.pem")
    if mode != "verify-full":
        assert is_encrypted(server, OTHER, **how) is (mode not in ("disable", "allow"))
        return
    with pytest.raises(BackendError, match="check sslmode, sslrootcert and the server's name"):
        is_encrypted(server, OTHER, **how)


@pytest.mark.proves("B45")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_a_server_without_tls(authority, kind, mode):
    """`allow` and `prefer` go on without, the stricter ones refuse."""
    made = {"postgres": postgres, "mysql": mysql}[kind].shared()
    made.encrypted = "SELECT 0"
    how = {"sslmode": mode, "sslrootcert": str(authority[0] / "right.pem")}
    if not mode.startswith("verify"):
        del how["sslrootcert"]
    if mode in ("disable", "allow", "prefer"):
        assert not is_encrypted(made, CERTIFIED, **how)
    else:
        with pytest.raises(BackendError, match=r"TLS|SSL"):
            is_encrypted(made, CERTIFIED, **how)


@pytest.mark.proves("B45")
@pytest.mark.parametrize("mode", MODES)
def test_a_server_that_insists_on_tls(server, authority, mode):
    """`allow` and all stricter ones use it, `disable` is refused."""
    server.insist(True)
    try:
        how = {"sslmode": mode}
        if mode.startswith("verify"):
            how["sslrootcert"] = str(authority[0] / "right.pem")
        if mode != "disable":
            assert is_encrypted(server, CERTIFIED, **how)
        else:
            with pytest.raises(BackendError, match="sslmode"):
                is_encrypted(server, CERTIFIED, **how)
    finally:
        server.insist(False)
