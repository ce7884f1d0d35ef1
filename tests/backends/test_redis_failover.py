"""A primary of a cluster dies under writers: what is promised, and what Redis itself may lose."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

import threadkeep
from tests.backends import clusters
from threadkeep.errors import BackendError, Conflict
from threadkeep.testing.contract.common import NOW, ids, item, items, read

TIMEOUT = 20.0
SESSIONS = [f"{n}" for n in range(18)]


class Ack(NamedTuple):
    """What a writer was told of one append: when it asked, and when it had heard."""

    session: str
    writer: str
    text: str
    seq: int
    begun: float
    at: float


@pytest.fixture
def cluster():
    """Of three primaries with a replica each."""
    with clusters.private() as made:
        yield made


@pytest.fixture
def backend(cluster):
    with clusters.opened(cluster, TIMEOUT) as made:
        yield made


def stream(session):
    return f"default/session/{session}"


def owner(cluster, backend, session):
    return cluster.owner(clusters.slot(backend, stream(session)))


def append(backend, session, text):
    """Whatever the stream holds."""
    return backend.commit(stream(session), put=[item(text)], now=NOW).seqs[0]


def swap(backend, session, text):
    """Only if nobody wrote meanwhile; repeated under the same token until it is so."""
    while True:
        seen = read(backend, stream(session)).version
        how = {"expect": seen, "token": f"{text}-{seen}"}
        try:
            return backend.commit(stream(session), put=[item(text)], **how, now=NOW).seqs[0]
        except Conflict:
            time.sleep(0.001)


class Load:
    """Writers of all kinds on all sessions, until they are stopped; every call must succeed."""

    def __init__(self, backend):
        self._backend = backend
        self._memory = threadkeep.connect(backend)
        self._over = threading.Event()
        self.acks = [self._write(self._add, "first", 0, session) for session in SESSIONS]

    def __enter__(self):
        kinds = [append, append, swap, swap, self._add, self._add]
        self._pool = ThreadPoolExecutor(len(kinds))
        self._done = [self._pool.submit(self._run, kind, n) for n, kind in enumerate(kinds)]
        return self

    def __exit__(self, *_):
        self._over.set()
        self._pool.shutdown()
        for done in self._done:
            done.result()

    def _run(self, kind, place):
        for number in itertools.count():
            if self._over.is_set():
                return
            session = SESSIONS[(3 * place + number) % len(SESSIONS)]
            self.acks.append(self._write(kind, f"w{place}", number, session))

    def _write(self, kind, writer, number, session):
        text, begun = f"{writer}-{number:05}", time.monotonic()
        seq = kind(self._backend, session, text)
        ended = time.monotonic()
        assert ended - begun < TIMEOUT, "a call was not answered within its deadline"
        return Ack(session, writer, text, seq, begun, ended)

    def _add(self, _, session, text):
        """As an application does it: the handle of one Memory, which knows the last version."""
        (added,) = self._memory.session(session).add({"role": "user", "content": "x", "id": text})
        return added.seq


def told(acks):
    return {(ack.text, ack.seq) for ack in acks}


def check_order(acks, stored):
    """Nothing is there twice, and what a writer wrote later stands later."""
    assert len({text for text, _ in stored}) == len(stored)
    assert [seq for _, seq in stored] == sorted({seq for _, seq in stored})
    place = {text: n for n, (text, _) in enumerate(stored)}
    for writer in {ack.writer for ack in acks}:
        own = [place[ack.text] for ack in acks if ack.writer == writer and ack.text in place]
        assert own == sorted(own)


@pytest.mark.slow
@pytest.mark.proves("B57")
def test_a_primary_killed_under_writers_loses_at_most_what_its_replica_did_not_have(
    cluster, backend
):
    """Redis replicates behind the answer. All that its replica had confirmed must be there, all
    that other primaries answered, and of the rest a run from the beginning: nothing in between.
    """
    victim = owner(cluster, backend, SESSIONS[0])
    hit = {session for session in SESSIONS if owner(cluster, backend, session) is victim}
    replica = cluster.replica_of(victim)
    assert set(SESSIONS) - hit, "other primaries have sessions too"
    with Load(backend) as load:
        time.sleep(1)
        confirmed = time.monotonic()
        clusters.replicated(cluster, victim)
        victim.kill()
        killed = time.monotonic()
        clusters.until(
            lambda: {ack.session for ack in list(load.acks) if ack.at > killed + 0.5} >= hit
        )
    lost = []
    for session in SESSIONS:
        acks = [ack for ack in load.acks if ack.session == session]
        stored = [(record.id, record.seq) for record in read(backend, stream(session)).records]
        check_order(acks, stored)
        assert set(stored) <= told(acks), "every call was answered, so nothing else is there"
        missing = [ack for ack in acks if (ack.text, ack.seq) not in stored]
        if session not in hit:
            assert not missing
        before = [ack for ack in acks if ack.at <= killed and ack not in missing]
        # an answer of the dead one may have been read a little later than it died
        assert all(confirmed < ack.at and ack.begun <= killed for ack in missing), missing
        assert all(ack.seq > kept.seq for ack in missing for kept in before)
        lost += missing
    assert replica.run("ROLE")[0] == "master"
    print(f"{len(load.acks)} acknowledged, {len(lost)} lost by Redis")


@pytest.mark.slow
def test_what_a_replica_never_had_is_lost_and_writers_find_out_by_a_conflict(cluster, backend):
    """The worst case, made on purpose: the replica hears nothing, and takes over all the same."""
    memory = threadkeep.connect(backend)
    chat = memory.session("0")
    chat.add("kept")
    victim = owner(cluster, backend, "0")
    replica = cluster.replica_of(victim)
    clusters.replicated(cluster, victim)
    replica.run("CONFIG", "SET", "masterauth", "wrong")
    replica.run("CLIENT", "KILL", "TYPE", "master")
    clusters.until(lambda: replica.offset("master_link_status") == "down")
    chat.add("lost", "as well")
    seen = read(backend, stream("0")).version
    victim.kill()
    with pytest.raises(Conflict):
        backend.commit(stream("0"), put=items("a"), expect=seen, token="t", now=NOW)
    chat.add("after")
    assert [one.text for one in chat.items()] == ["kept", "after"]
    assert [one.text for one in chat.window()] == ["kept", "after"]
    memory.session("0").add("anew")
    assert len(ids(backend, stream("0"))) == 3


def test_a_primary_may_be_told_to_take_no_writes_that_no_replica_hears_of(cluster, backend):
    """`min-replicas-to-write 1` bounds what a failover may lose; a commit waits, then says why."""
    backend.commit(stream("0"), put=items("a"), now=NOW)
    primary = owner(cluster, backend, "0")
    primary.run("CONFIG", "SET", "min-replicas-to-write", 1)
    clusters.until(lambda: primary.offset("min_slaves_good_slaves") == 1)
    backend.commit(stream("0"), put=items("b"), now=NOW)
    cluster.replica_of(primary).kill()
    clusters.until(lambda: primary.offset("connected_slaves") == 0)
    with pytest.raises(BackendError, match="min-replicas-to-write"):
        backend.commit(stream("0"), put=items("c"), now=NOW)
    assert ids(backend, stream("0")) == ["a", "b"]
