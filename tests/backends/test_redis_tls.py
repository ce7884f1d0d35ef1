"""TLS to Redis: the right CA, a wrong one, a wrong name, a client's certificate, and no TLS."""

from types import SimpleNamespace

import pytest
import trustme

from tests.servers import redis
from tests.servers.instances import Instance, free_port
from threadkeep.backends.redis import RedisBackend
from threadkeep.errors import BackendError
from threadkeep.testing.contract.common import NOW, ids, items

S = "test/session/tls"
# "127.0.0.1" is in the server's certificate, "localhost" leads there and is not.
CERTIFIED, OTHER = "127.0.0.1", "localhost"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Of a throw-away CA, of another, and of a client's certificate."""
    folder = tmp_path_factory.mktemp("ca")
    right, wrong = trustme.CA(), trustme.CA()
    right.cert_pem.write_to_path(folder / "right.pem")
    wrong.cert_pem.write_to_path(folder / "wrong.pem")
    for name in (CERTIFIED, "client"):
        issued = right.issue_cert(name)
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
    return folder


@pytest.fixture(scope="module", params=["no", "yes"])
def server(request, files):
    """Takes TLS at `tls`, and plain connections at `port`; wants a certificate, or not."""
    keep = Instance("redis-tls", "nobody")  # a folder that the server can read
    for file in files.iterdir():
        copy = keep.folder / file.name
        copy.write_bytes(file.read_bytes())
        keep.own(copy)
    tls = free_port()
    place = str(keep.folder)
    settings = ["--tls-port", str(tls), "--tls-ca-cert-file", f"{place}/right.pem"]
    settings += ("--tls-cert-file", f"{place}/{CERTIFIED}.pem")
    settings += ("--tls-key-file", f"{place}/{CERTIFIED}.key")
    made = redis.Redis(*settings, "--tls-auth-clients", request.param)
    yield SimpleNamespace(port=made.port, tls=tls, wants=request.param == "yes")
    made.remove()
    keep.remove()


def works(url, **how):
    backend = RedisBackend(url, **{"timeout": 5, **how})
    try:
        backend.commit(S, put=items("a"), now=NOW)
        return ids(backend, S) == ["a"]
    finally:
        backend.close()


def with_certificate(files):
    return {"ssl_certfile": str(files / "client.pem"), "ssl_keyfile": str(files / "client.key")}


@pytest.mark.proves("B47")
def test_the_right_ca_and_name_are_trusted(server, files):
    own = with_certificate(files) if server.wants else {}
    url = f"rediss://{CERTIFIED}:{server.tls}"
    assert works(f"{url}?ssl_ca_certs={files}/right.pem", **own)
    assert works(
        None, host=CERTIFIED, port=server.tls, tls=True, ssl_ca_certs=f"{files}/right.pem", **own
    )
    assert works(f"{url}?ssl_cert_reqs=none", **own)
    unchecked = f"rediss://{OTHER}:{server.tls}?ssl_check_hostname=false"
    assert works(f"{unchecked}&ssl_ca_certs={files}/right.pem", **own)


@pytest.mark.proves("B47")
@pytest.mark.parametrize(
    ("host", "authority"), [(CERTIFIED, "wrong"), (CERTIFIED, None), (OTHER, "right")]
)
def test_a_wrong_ca_no_ca_and_a_wrong_name_are_refused_at_once(server, files, host, authority):
    own = with_certificate(files) if server.wants else {}
    known = {} if authority is None else {"ssl_ca_certs": f"{files}/{authority}.pem"}
    with pytest.raises(BackendError, match=r"TLS.*CERTIFICATE_VERIFY_FAILED.*ssl_ca_certs"):
        works(f"rediss://{host}:{server.tls}", **known, **own)


def test_a_server_that_wants_a_certificate_gets_one(server, files):
    if not server.wants:
        pytest.skip("this one wants none")
    with pytest.raises(BackendError):
        works(f"rediss://{CERTIFIED}:{server.tls}?ssl_ca_certs={files}/right.pem")


def test_tls_to_a_port_without_it_is_said(server):
    with pytest.raises(BackendError, match="check host, port, TLS"):
        works(f"rediss://{CERTIFIED}:{server.port}", timeout=1)


def test_a_cluster_by_tls(files):
    """One node that holds every slot is a cluster too."""
    keep = Instance("redis-tls", "nobody")
    for name in ("right.pem", f"{CERTIFIED}.pem", f"{CERTIFIED}.key"):
        (keep.folder / name).write_bytes((files / name).read_bytes())
        keep.own(keep.folder / name)
    (port,) = redis.bus_ports(1)
    settings = ["--tls-port", str(port), "--tls-ca-cert-file", f"{keep.folder}/right.pem"]
    settings += ("--tls-cert-file", f"{keep.folder}/{CERTIFIED}.pem", "--tls-auth-clients", "no")
    settings += ("--tls-key-file", f"{keep.folder}/{CERTIFIED}.key", "--tls-cluster", "yes")
    server = redis.Redis(*settings, "--cluster-enabled", "yes")
    server.run("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    while "cluster_state:ok" not in str(server.run("CLUSTER", "INFO")):
        pass
    url = f"rediss+cluster://{CERTIFIED}:{port}"
    assert works(f"{url}?ssl_ca_certs={files}/right.pem")
    with pytest.raises(BackendError, match="CERTIFICATE_VERIFY_FAILED"):
        works(f"{url}?ssl_ca_certs={files}/wrong.pem")
    server.remove()
    keep.remove()
