"""What only a cluster does: slots that move, primaries that fail, streams on every node."""

import time
from functools import partial

import pytest
import redis as driver
from redis.crc import key_slot

from tests.backends import clusters
from tests.durations import within
from tests.servers import redis
from tests.servers.instances import fresh_table
from threadkeep.backends.redis import RedisBackend
from threadkeep.errors import BackendError
from threadkeep.testing.concurrency import append_batches, run_in_threads
from threadkeep.testing.contract.common import NOW, ids, item, items, list_streams, sweep_all
from threadkeep.types import Query

S = "test/session/cluster"


@pytest.fixture(scope="module")
def cluster():
    """Of three primaries with a replica each; what is done to it stays here."""
    with clusters.private() as made:
        yield made


@pytest.fixture
def backend(cluster):
    with clusters.opened(cluster) as made:
        yield made


@pytest.mark.proves("B47")
def test_the_keys_of_a_stream_have_one_slot_and_streams_lie_on_all_nodes(cluster, backend):
    names = [f"{S}/{n}" for n in range(90)]
    for name in names:
        backend.commit(name, put=[item("a", expires=NOW + 9)], ttl=60, now=NOW)
        assert len({key_slot(key.encode()) for key in backend._keys.of(name)}) == 1
    primaries = [node for node in cluster.nodes if node.run("ROLE")[0] == "master"]
    held = [node.run("DBSIZE") for node in primaries]
    assert len(held) == 3
    assert all(held), "some node holds nothing"
    for limit in (4, 1000):
        assert sorted(list_streams(backend, S, limit)) == sorted(names)
    assert sweep_all(backend, NOW + 9) == 90
    assert sweep_all(backend, NOW + 60, 7) == 90
    assert sum(node.run("DBSIZE") for node in primaries) == 0


@pytest.mark.proves("C14")
def test_a_client_of_the_applications_own(cluster):
    prefix = fresh_table()
    with driver.RedisCluster(host="127.0.0.1", port=cluster.alive().port) as client:
        own = RedisBackend(client=client, prefix=prefix)
        for n in range(20):
            own.commit(f"{S}/{n}", put=items("a"), ttl=60, now=NOW)
        pages = own.read(*(Query(f"{S}/{n}", "item") for n in range(20)), now=NOW)
        assert [len(page.records) for page in pages] == [1] * 20
        assert sweep_all(own, NOW + 60) == 20
        own.close()
        assert client.ping()


def test_a_slot_that_moves_under_writers_loses_nothing(cluster, backend):
    """Key by key, as `redis-cli --cluster reshard` does it."""
    backend.commit(S, put=items("a"), now=NOW)
    number = clusters.slot(backend, S)
    source = cluster.owner(number)
    target = next(
        node for node in cluster.nodes if node is not source and node.run("ROLE")[0] == "master"
    )
    ids_of = {node: node.run("CLUSTER", "MYID") for node in (source, target)}

    def move():
        time.sleep(0.2)
        target.run("CLUSTER", "SETSLOT", number, "IMPORTING", ids_of[source])
        source.run("CLUSTER", "SETSLOT", number, "MIGRATING", ids_of[target])
        time.sleep(0.2)
        while keys := source.run("CLUSTER", "GETKEYSINSLOT", number, 10):
            for key in keys:
                source.run("MIGRATE", "127.0.0.1", target.port, key, 0, 5000)
                time.sleep(0.05)
        for node in (target, source):
            node.run("CLUSTER", "SETSLOT", number, "NODE", ids_of[target])

    writers = [
        partial(append_batches, backend, S, f"w{n}", commits=10_000, seconds=1.5, now=NOW)
        for n in range(4)
    ]
    *written, _ = run_in_threads(*writers, move)
    told = {id for acks in written for ack in acks for id in ack.ids}
    assert set(ids(backend, S)) == told | {"a"}
    assert cluster.owner(number) is target


@pytest.mark.slow
def test_a_primary_that_is_killed_is_replaced_and_the_client_goes_on(cluster, backend):
    """What a failover may lose is what was acknowledged before its replica had it: here, nothing
    is in flight when the primary dies, so nothing may be missing.
    """
    names = [f"{S}/{n}" for n in range(30)]
    for name in names:
        backend.commit(name, put=items("a"), now=NOW)
    victim = cluster.owner(clusters.slot(backend, names[0]))
    clusters.replicated(cluster, victim)
    victim.kill()
    with within(20):
        for name in names:
            backend.commit(name, put=items("b"), now=NOW)
    assert [ids(backend, name) for name in names] == [["a", "b"]] * 30
    assert sorted(list_streams(backend, S)) == sorted(names)
    victim.start()


def test_a_single_server_is_no_cluster_and_says_so():
    server = redis.Redis()
    wrong = RedisBackend(f"redis+cluster://127.0.0.1:{server.port}", timeout=5)
    with pytest.raises(BackendError, match="not a cluster: connect by redis://"):
        wrong.commit(S, put=items("a"), now=NOW)
    wrong.close()
    server.remove()


def test_a_plain_client_of_a_cluster_is_told_to_connect_as_one(cluster):
    answers = set()
    plain = RedisBackend(cluster.alive().url(), timeout=5)
    for n in range(20):
        try:
            plain.commit(f"{S}/{n}", put=items("a"), now=NOW)
        except BackendError as error:
            answers.add("connect by redis+cluster://" in str(error))
    plain.close()
    assert answers == {True}


@pytest.mark.slow
def test_without_enough_nodes_the_error_says_so_in_time(cluster):
    down = [node for node in cluster.nodes if node.run("ROLE")[0] == "master"][:2]
    with_nobody = RedisBackend(cluster.url(), prefix=fresh_table(), timeout=2)
    with_nobody.commit(S, put=items("a"), now=NOW)
    for node in [*down, *(n for n in cluster.nodes if n.run("ROLE")[0] == "slave")]:
        node.kill()
    with within(8), pytest.raises(BackendError, match="Redis Cluster at"):
        with_nobody.read(*(Query(f"{S}/{n}", "item") for n in range(30)), now=NOW)
    with_nobody.close()
