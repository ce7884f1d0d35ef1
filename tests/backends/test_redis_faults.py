"""What a Redis server's faults do: nothing acknowledged is lost, errors are clear and in time."""

import contextlib
import signal
import ssl
import threading
import time
from functools import partial

import pytest

from tests.durations import within
from tests.servers import proxy, redis
from tests.servers.instances import free_port
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.redis import RedisBackend
from threadkeep.errors import BackendError, BackendTimeout, Conflict
from threadkeep.testing.concurrency import append_batches, run_in_threads
from threadkeep.testing.contract.common import NOW, ids, item, items, read
from threadkeep.types import Drop, Query

S = "test/session/faults"
QUERY = Query(S, "item")


@pytest.fixture
def server():
    made = redis.Redis()
    yield made
    made.remove()


@contextlib.contextmanager
def opened(url, **options):
    backend = RedisBackend(url, **options)
    try:
        yield backend
        assert backend.in_use == 0, "a connection was not given back"
    finally:
        backend.close()


@pytest.mark.slow
def test_killed_and_restarted_in_mid_write_nothing_acknowledged_is_lost():
    server = redis.Redis("--appendonly", "yes", "--appendfsync", "always")
    with opened(server.url(), pool_size=8, timeout=20) as backend:

        def disturb():
            for _ in range(2):
                time.sleep(0.4)
                server.kill()
                time.sleep(0.2)
                server.start()

        writers = (
            partial(append_batches, backend, S, f"t{n}", commits=100_000, seconds=2.5, now=NOW)
            for n in range(6)
        )
        *written, _ = run_in_threads(*writers, disturb)
        records = read(backend, S).records
    stored = {record.id: record.seq for record in records}
    assert [record.seq for record in records] == sorted(set(stored.values()))
    told = [
        pair for acks in written for ack in acks for pair in zip(ack.ids, ack.seqs, strict=True)
    ]
    assert len(told) > 100
    assert set(told) == set(stored.items()), "every call was answered, so nothing else is there"
    server.remove()


def test_a_server_that_is_gone_is_a_clear_error_in_time_and_back_it_is_used_again(server):
    with opened(server.url(), timeout=1) as backend:
        backend.commit(S, put=items("a"), now=NOW)
        server.kill()
        with within(3), pytest.raises(BackendTimeout, match=f"127.0.0.1:{server.port}.*within 1 s"):
            backend.commit(S, put=items("b"), now=NOW)
        server.start()
        backend.commit(S, put=items("c"), now=NOW)
        assert ids(backend, S) == ["c"], "this server keeps nothing"


@pytest.mark.parametrize("theirs", [RuntimeError("theirs"), ssl.SSLError("theirs")], ids=repr)
@pytest.mark.parametrize("scheme", ["redis", "redis+cluster", "rediss"])
def test_what_the_application_is_handling_is_no_cause(scheme, theirs):
    """As where it notes in the chat that a tool failed, in the `except` of that."""
    with opened(f"{scheme}://127.0.0.1:{free_port()}") as backend:
        try:
            raise theirs
        except (RuntimeError, ssl.SSLError):
            with pytest.raises(BackendError, match="check host") as caught:
                backend.read(QUERY, now=NOW)
    assert "theirs" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster", "rediss"])
def test_where_nobody_listens_the_error_comes_at_once(scheme):
    with (
        opened(f"{scheme}://127.0.0.1:{free_port()}") as backend,
        within(5),
        pytest.raises(BackendError, match="check host"),
    ):
        backend.read(QUERY, now=NOW)


@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+cluster"])
def test_a_port_that_takes_calls_and_stays_silent_does_not_hang(scheme, silent_port):
    with (
        opened(f"{scheme}://127.0.0.1:{silent_port}", timeout=0.5) as backend,
        within(3),
        pytest.raises(BackendTimeout),
    ):
        backend.read(QUERY, now=NOW)


@pytest.mark.proves("B57")
def test_a_server_that_stops_answering_is_a_time_out_and_then_goes_on(server):
    with opened(server.url(), timeout=1.5) as backend:
        backend.commit(S, put=items("a"), now=NOW)
        server.instance.signal(signal.SIGSTOP)
        with within(3), pytest.raises(BackendTimeout, match=r"not done within 1\.5 s"):
            backend.read(QUERY, now=NOW)
        server.instance.signal(signal.SIGCONT)
        assert ids(backend, S) == ["a"]


@pytest.mark.proves("B48", "B57")
def test_waiting_for_a_connection_has_a_time_out_with_a_clear_error(server):
    with opened(server.url(), timeout=1, pool_size=2) as backend:
        for _ in range(2):
            backend._pool.acquire(Deadline(1))
        says = r"all 2 connections were in use for 1 s: raise `pool_size`"
        with within(2.6), pytest.raises(BackendTimeout, match=says):
            backend.commit(S, put=items("a"), expect=0, now=NOW)
        waiting = threading.Timer(0.1, backend._pool.release)
        waiting.start()
        backend.commit(S, put=items("b"), now=NOW)
        waiting.join()
        backend._pool.release()
        assert ids(backend, S) == ["b"]


def test_a_reply_that_was_lost_is_asked_for_again_and_written_once(server):
    with proxy.before(server.port) as between, opened(f"redis://127.0.0.1:{between.port}") as own:
        seen = own.commit(S, put=items("a"), now=NOW)
        between.cut("reply")
        done = own.commit(S, put=items("bc"), now=NOW)
        assert done.version == seen.version + 2, "it was written twice, which shows only here"
        assert done.seqs == [2, 3]
        between.cut("reply")
        how = {"put": items("d"), "expect": done.version, "token": "t-1"}
        assert own.commit(S, **how, now=NOW) == (done.version + 1, [4])
        assert ids(own, S) == list("abcd")


def test_a_request_that_was_lost_is_sent_again(server):
    with proxy.before(server.port) as between, opened(f"redis://127.0.0.1:{between.port}") as own:
        seen = own.commit(S, put=items("a"), now=NOW)
        between.cut("request")
        assert own.commit(S, put=items("b"), now=NOW) == (seen.version + 1, [2])
        between.cut("request")
        assert ids(own, S) == ["a", "b"]


def test_a_lost_reply_to_compare_and_set_without_a_token_is_said(server):
    with proxy.before(server.port) as between, opened(f"redis://127.0.0.1:{between.port}") as own:
        seen = own.commit(S, put=items("a"), now=NOW)
        between.cut("reply")
        with pytest.raises(BackendError, match="may have been written or not") as caught:
            own.commit(S, put=items("b"), expect=seen.version, now=NOW)
        assert not isinstance(caught.value, Conflict)
        assert ids(own, S) == ["a", "b"]


def test_a_lost_reply_to_the_end_of_a_stream_is_no_conflict(server):
    with proxy.before(server.port) as between, opened(f"redis://127.0.0.1:{between.port}") as own:
        seen = own.commit(S, put=items("a"), now=NOW)
        between.cut("reply")
        how = {"drop": [Drop()], "expect": seen.version, "token": "t"}
        assert own.commit(S, **how, now=NOW) == (0, [])
        with pytest.raises(Conflict):
            own.commit(S, **how, now=NOW)


def test_a_black_hole_ends_at_the_deadline(server):
    with (
        proxy.before(server.port) as between,
        opened(f"redis://127.0.0.1:{between.port}", timeout=1.5) as own,
    ):
        own.commit(S, put=items("a"), now=NOW)
        between.silent = True
        with within(2.8), pytest.raises(BackendTimeout):
            own.commit(S, put=items("b"), now=NOW)
        between.silent = False
        own.commit(S, put=items("c"), now=NOW)
        assert ids(own, S) == ["a", "c"]


def test_connections_that_the_server_ended_are_replaced_unseen(server):
    with opened(server.url(), pool_size=4) as backend:
        run_in_threads(*[partial(backend.commit, S, put=items("a"), now=NOW)] * 4)
        server.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        for n in range(6):
            backend.commit(S, put=items([f"{n}"]), now=NOW)
        assert len(ids(backend, S)) == 7


def test_a_full_memory_refuses_whole_commits_and_dropping_still_works():
    server = redis.Redis("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    with opened(server.url()) as backend:
        body, kept = '"' + "x" * 20_000 + '"', 0

        def fill():
            nonlocal kept
            for kept in range(100):
                put = [item(f"{kept}-{part}", body) for part in range(5)]
                backend.commit(S, put=put, now=NOW)

        with within(10), pytest.raises(BackendError, match=r"OOM.*raise maxmemory"):
            fill()
        assert kept > 0
        assert len(ids(backend, S)) == kept * 5
        backend.commit(S, drop=[Drop("item", ids=[f"0-{n}" for n in range(5)])], now=NOW)
        assert len(ids(backend, S)) == kept * 5 - 5
        backend.commit(S, drop=[Drop()], now=NOW)
        backend.commit(S, put=items("a"), now=NOW)
        assert ids(backend, S) == ["a"]
    server.remove()


def test_a_read_only_replica_says_so_and_once_promoted_takes_the_commit(server):
    replica = redis.Redis("--replicaof", f"127.0.0.1 {server.port}")
    until(lambda: replica.run("INFO", "replication")["master_link_status"] == "up")
    with opened(replica.url(), timeout=20) as backend:
        assert read(backend, S) == (0, [])
        with within(5), pytest.raises(BackendError, match=r"READONLY.*connect to the primary"):
            backend.commit(S, put=items("a"), now=NOW)
        promote = threading.Timer(0.3, replica.run, ("REPLICAOF", "NO", "ONE"))
        promote.start()
        backend.commit(S, put=items("b"), now=NOW)
        promote.join()
        assert ids(backend, S) == ["b"]
    replica.remove()


def test_a_server_that_is_loading_is_waited_for():
    # Loading takes 4.5 s: of the hasty one's probes, one each second, some meet it on any machine.
    slow = ("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")
    server = redis.Redis(*slow, "--rdbcompression", "no")
    with opened(server.url(), timeout=20) as backend, opened(server.url(), timeout=0.5) as hasty:
        backend.commit(S, put=items("a"), now=NOW)
        fill = "for i = 1, 900 do redis.call('SET', 'other' .. i, string.rep('x', 5000)) end"
        server.run("EVAL", fill, 0)
        server.run("SAVE")
        until(lambda: not refused(hasty))
        server.kill()

        def impatient():
            until(lambda: "LOADING" in refused(hasty))

        _, page, _ = run_in_threads(server.start, partial(backend.read, QUERY, now=NOW), impatient)
        assert [record.id for record in page[0].records] == ["a"]
    server.remove()


def refused(backend):
    try:
        backend.read(QUERY, now=NOW)
    except BackendError as error:
        return str(error)
    return ""


def until(true, seconds=15):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_keys_of_another_program_are_refused_and_left_as_they_are(server):
    with opened(server.url()) as backend:
        server.run("SET", f"tk:{{{S}}}:h", "mine")
        with pytest.raises(BackendError, match=r"WRONGTYPE.*another prefix"):
            backend.commit(S, put=items("a"), now=NOW)
        assert server.run("GET", f"tk:{{{S}}}:h") == "mine"


def test_no_thread_is_left_after_close(server):
    before = set(threading.enumerate())
    with opened(server.url()) as backend:
        backend.commit(S, put=items("a"), now=NOW)
    assert set(threading.enumerate()) <= before
