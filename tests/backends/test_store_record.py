"""An encrypted store knows that it is: nobody writes plain text into it, whoever comes first.

What is random or long is done in full on embedded stores, and in part on servers; `make soak` does
all of it everywhere.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from tests.engine.doubles import Counting, Wrapper
from tests.sampling import SOAK, sampled
from tests.servers import mongodb
from threadkeep import connect
from threadkeep.api.memory import Memory
from threadkeep.backends.encrypted import EncryptedBackend, new_key, rekey
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.none import NoneBackend
from threadkeep.core import store_record
from threadkeep.core.copy_streams import copy, stream_names
from threadkeep.errors import BackendError, WrongKey
from threadkeep.protocols import Backend
from threadkeep.testing.concurrency import run_in_threads
from threadkeep.types import Drop, Query
from threadkeep.types.record_kinds import KINDS

A, B = new_key(), new_key()
RINGS: dict[str, list[str]] = {"": [], "a": [A], "b": [B], "ba": [B, A]}
NAMES = {A: "a", B: "b"}
PARTS = ("message", "file", "fact")
NOW = 1_700_000_000.0


def worker(backend: Backend, ring: str, **options: Any) -> Memory:
    return connect(backend, key=RINGS[ring] or None, clock=lambda: NOW, **options)


def say(
    memory: Memory, session: str, text: str, written: Callable[[str], object] = lambda part: None
) -> None:
    """A message, a file and a fact: two of them under ids that tell what they are."""
    user = memory.user("ada")
    chat = user.session(session)
    chat.add(text)
    written("message")
    chat.files.add({"url": f"https://example.com/{text}"})
    written("file")
    user.facts.add(f"likes {text}")
    written("fact")


def texts(memory: Memory, session: str) -> list[str]:
    return [item.text for item in memory.user("ada").session(session).items()]


def raw(backend: Backend) -> dict[str, list[tuple[str, str, str]]]:
    """All that a store holds, past any key."""
    rows: dict[str, list[tuple[str, str, str]]] = {}
    for name in listed(backend):
        pages = backend.read(*(Query(name, kind) for kind in KINDS), now=NOW)
        rows[name] = sorted((r.kind, r.id, r.body) for page in pages for r in page.records)
    return {name: found for name, found in rows.items() if found}


def listed(backend: Backend) -> set[str]:
    """The names of all streams, whatever is in them."""
    names: set[str] = set()
    cursor = None
    while True:
        page, cursor = backend.streams("", cursor=cursor)
        names.update(page)
        if cursor is None:
            return names


class Story:
    """Workers with and without keys on one store, against what must be true of it."""

    def __init__(self, backend: Backend, dice: random.Random) -> None:
        self.backend, self.dice = backend, dice
        self.mode: str | None = None  # "" = plain, else the key that its keyring is under
        self.workers = {ring: worker(backend, ring) for ring in RINGS}
        self.acknowledged: dict[str, dict[str, list[str]]] = {p: {} for p in PARTS}
        self.numbers = count()
        self.ends = {"done": 0, "refused": 0}
        self.stored = raw(backend)

    def step(self) -> None:
        before, may_write = self.stored, True
        act = self.dice.choice(["write", "write", "write", "read", "reopen", "rekey"])
        ring = self.dice.choice(list(RINGS))
        getattr(self, act)(ring)
        if act == "write":
            may_write = self.opens(ring)
        self.stored = raw(self.backend)
        assert may_write or self.stored == before
        if self.mode:
            assert "eagle" not in repr(self.stored), "plain text in an encrypted store"

    def write(self, ring: str) -> None:
        session, text = f"s{self.dice.randrange(3)}", f"eagle-{next(self.numbers)}"
        memory = self.workers[ring]

        def written(part: str) -> None:
            self.mode = self.first(ring) if self.mode is None else self.mode
            self.acknowledged[part].setdefault(session, []).append(text)

        self.attempt(ring, lambda: say(memory, session, text, written), writes=True)

    def read(self, ring: str) -> None:
        session = f"s{self.dice.randrange(3)}"
        seen: list[str] = []
        if self.attempt(ring, lambda: seen.extend(texts(self.workers[ring], session))):
            assert seen == self.acknowledged["message"].get(session, [])  # none, if it is not there
        self.attempt(ring, lambda: self.workers[ring].sessions(user="ada"))

    def reopen(self, ring: str) -> None:
        self.workers[ring] = worker(self.backend, ring)

    def rekey(self, ring: str) -> None:
        """By the book: who does not know the new key was ended before."""
        if not ring or self.dice.random() < 0.6:
            return
        encrypted = EncryptedBackend(self.backend, RINGS[ring])
        if self.attempt(ring, lambda: list(rekey(encrypted, clock=lambda: NOW)), rekeys=True):
            if self.mode is not None:
                self.mode = self.first(ring)
            for name in RINGS:
                self.reopen(name)

    def attempt(
        self, ring: str, act: Callable[[], object], *, writes: bool = False, rekeys: bool = False
    ) -> bool:
        """Whether it was done; if not, by `WrongKey` alone, and with a reason."""
        try:
            act()
        except WrongKey:
            assert self.mode is not None
            assert ring != "ba" or (self.mode == "" and not rekeys), "it has all the keys"
            assert ring or self.mode, "plain text is refused on plain text"
            self.ends["refused"] += 1
            return False
        assert not writes or self.opens(ring), f"{ring!r} wrote on {self.mode!r}"
        self.ends["done"] += 1
        return True

    def opens(self, ring: str) -> bool:
        if self.mode is None:
            return True
        return self.mode in ring if self.mode else not ring

    def first(self, ring: str) -> str:
        return ring[:1]

    def end(self) -> None:
        """All that was acknowledged is there for who has the keys."""
        reader = worker(self.backend, "ba" if self.mode else "")
        messages, files, facts = (self.acknowledged[part] for part in PARTS)
        for session, expected in messages.items():
            assert texts(reader, session) == expected
            urls = [f"{f.url}" for f in reader.user("ada").session(session).files.list()]
            assert sorted(urls) == sorted(
                f"https://example.com/{t}" for t in files.get(session, [])
            )
        stored = {fact.text for fact in reader.user("ada").facts.list()}
        assert stored == {f"likes {text}" for session in facts for text in facts[session]}


@pytest.fixture
def empty(store) -> Iterator[Callable[[], Backend]]:
    """The store, emptied for each story."""
    backend = store.open()

    def make() -> Any:
        for name in listed(backend):
            backend.commit(name, drop=[Drop()], now=NOW)
        return backend

    yield make
    backend.close()


EMBEDDED = ("memory", "file", "sqlite")
SLOW = ("oracle", "mongodb")  # their stand-ins


def stores_are(stores: tuple[str, ...], request: pytest.FixtureRequest) -> bool:
    """Whether the test's store is one of these."""
    name: str = request.node.callspec.params["store"]
    return name.startswith(stores)


@sampled
def test_any_story_of_workers_with_and_without_keys(empty, request):
    """Twelve stories on embedded stores and four on servers, shorter ones on slow stand-ins."""
    name = request.node.name
    slow = "oracle" in name or ("mongodb" in name and mongodb.share() < 1)
    total = {"done": 0, "refused": 0}
    stories = 12 if SOAK or stores_are(EMBEDDED, request) else 4
    for seed in range(2 if slow else stories):
        story = Story(empty(), random.Random(f"{request.node.name} {seed}"))
        for _ in range(8 if slow else 25):
            story.step()
        story.end()
        total = {end: total[end] + story.ends[end] for end in total}
    print(request.node.name, total)
    assert slow or min(total.values()) > 20, total


@sampled
def test_any_two_threads_that_write_first_agree(empty, request):
    """All pairs of workers: four times on embedded stores, twice on servers, once on stand-ins."""
    rounds = 4 if SOAK or stores_are(EMBEDDED, request) else 2
    for first in RINGS:
        for second in RINGS:
            for _ in range(1 if stores_are(SLOW, request) else rounds):
                agree(empty(), first, second)


def agree(backend: Backend, *rings: str) -> None:
    """Both write at once: what is plain and what is encrypted never meet."""
    done: list[str] = []
    barrier = threading.Barrier(len(rings))

    def write(n: int, ring: str) -> None:
        memory = worker(backend, ring)
        barrier.wait()
        try:
            say(memory, f"s{n}", f"eagle-{n}")
            done.append(ring)
        except WrongKey:
            pass

    run_in_threads(*(lambda n=n, ring=ring: write(n, ring) for n, ring in enumerate(rings)))
    assert done, "one of them wins"
    assert len({bool(ring) for ring in done}) == 1, f"{done} in one store"
    if all(done):
        assert "eagle" not in repr(raw(backend))
    elif rings == ("", ""):
        assert len(done) == 2


class Rival(Wrapper):
    """Another worker writes first, just before our commit of this number."""

    def __init__(self, inner: Backend, ring: str, at: int) -> None:
        super().__init__(inner)
        self.ring, self.at = ring, at

    def commit(self, stream: str, **how: Any) -> Any:
        self.at -= 1
        if self.at == 0:
            say(worker(self.inner, self.ring), "theirs", "eagle-theirs")
        return super().commit(stream, **how)


@pytest.mark.parametrize("ours", RINGS)
@pytest.mark.parametrize("theirs", RINGS)
def test_who_comes_between_look_and_write_wins(ours, theirs):
    inner = MemoryBackend()
    memory = worker(Rival(inner, theirs, at=1), ours)
    fits = bool(ours) == bool(theirs) and set(theirs[:1]) <= set(ours)
    if fits:
        say(memory, "ours", "eagle-ours")
        assert texts(worker(inner, "ba" if ours else ""), "ours") == ["eagle-ours"]
    else:
        with pytest.raises(WrongKey):
            say(memory, "ours", "eagle-ours")
    assert "eagle-ours" not in repr(raw(inner)) or not ours
    assert texts(worker(inner, "ba" if theirs else ""), "theirs") == ["eagle-theirs"]


def test_a_worker_without_a_key_is_told_by_each_verb(empty):
    backend = empty()
    say(worker(backend, "a"), "s", "eagle")
    before = raw(backend)
    plain = worker(backend, "")
    calls: list[Callable[[], object]] = [
        lambda: say(plain, "new", "eagle"),
        lambda: plain.session("new").add("eagle"),
        lambda: plain.user("ada").facts.add("likes eagles"),
        lambda: plain.session("s").items(),
        lambda: plain.session("s").window(),
        lambda: plain.sessions(user="ada"),
        lambda: plain.sessions(),
        lambda: plain.user("ada").export(),
        lambda: plain.user("ada").forget(),
        lambda: plain.session("s").delete(),
    ]
    for call in calls:
        with pytest.raises(WrongKey, match="pass key="):
            call()
    assert raw(backend) == before


def test_a_key_on_plain_text_is_refused_with_the_remedy(empty):
    backend = empty()
    say(worker(backend, ""), "s", "eagle")
    before = raw(backend)
    memory = worker(backend, "a")
    for call in (lambda: say(memory, "new", "x"), lambda: texts(memory, "s"), memory.sessions):
        with pytest.raises(WrongKey, match="threadkeep rekey"):
            call()
    assert raw(backend) == before


@pytest.mark.parametrize("ring", ["", "a"])
def test_a_store_older_than_the_record_is_what_it_is(empty, ring):
    backend = empty()
    say(worker(backend, ring), "s", "eagle")
    drop = [Drop("store")] if ring else [Drop()]
    backend.commit("default/keyring/ids", drop=drop, now=NOW)
    other = "a" if not ring else ""
    with pytest.raises(WrongKey):
        say(worker(backend, other), "new", "x")
    say(worker(backend, ring), "s", "again")
    assert texts(worker(backend, ring), "s") == ["eagle", "again"]
    with pytest.raises(WrongKey):
        say(worker(backend, other), "new", "x")


class Cut(Exception):
    pass


class Cutting(Wrapper):
    """Dies before its commit of this number, or just after."""

    def __init__(self, inner: Backend, at: int, *, after: bool) -> None:
        super().__init__(inner)
        self.left, self.after = at, after

    def commit(self, stream: str, **how: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Cut
        done = super().commit(stream, **how)
        if self.left == 0:
            raise Cut
        return done


@sampled
def test_encrypting_a_plain_store_may_be_cut_anywhere(empty, request):
    """At each commit on embedded stores, at every seventh on servers, each from one of its own."""
    every = 1 if SOAK or stores_are(EMBEDDED, request) else 7
    first = random.Random(request.node.name).randrange(every)
    for at in range(1 + first, 100, every):
        for after in (False, True):
            if not cut(empty(), at, after=after):
                return
    raise AssertionError("it never came to its end")


def cut(backend: Backend, at: int, *, after: bool) -> bool:
    """Break `rekey` off, try the store, end it; whether it was broken off."""
    for n in range(3):
        say(worker(backend, ""), f"s{n}", f"eagle-{n}")
    try:
        cutting = Cutting(backend, at, after=after)
        list(rekey(EncryptedBackend(cutting, A), clock=lambda: NOW))
        broken = False
    except Cut:
        broken = True
    state = store_record.read(backend, "default/x", NOW)
    closed = state.mode != "plain"
    assert closed or (at == 1 and not after)
    for ring in ("", "b") if closed else ("a", "b"):
        with pytest.raises(WrongKey):
            say(worker(backend, ring), "new", "x")
    if state.unfinished:
        with pytest.raises(WrongKey, match="run it again"):
            texts(worker(backend, "a"), "s0")
    list(rekey(EncryptedBackend(backend, A), clock=lambda: NOW))
    assert "eagle" not in repr(raw(backend))
    memory = worker(backend, "a")
    assert [texts(memory, f"s{n}") for n in range(3)] == [[f"eagle-{n}"] for n in range(3)]
    assert {f.text for f in memory.user("ada").facts.list()} == {
        f"likes eagle-{n}" for n in range(3)
    }
    assert memory.session("s1").files.list()[0].url == "https://example.com/eagle-1"
    return broken


def test_a_worker_that_was_not_ended_loses_its_sessions(empty):
    """It is told at its next write to a session it knows; nothing of it is lost or in the clear."""
    backend = empty()
    stale = worker(backend, "")
    say(stale, "s", "eagle")
    list(rekey(EncryptedBackend(backend, A), clock=lambda: NOW))
    with pytest.raises(WrongKey):
        stale.user("ada").session("s").add("eagle")
    assert "eagle" not in repr(raw(backend))


def test_rekey_takes_no_plain_text_into_a_store_that_is_encrypted():
    backend = MemoryBackend()
    say(worker(backend, "a"), "s", "eagle")
    (page,) = backend.read(Query("default/session/s", "item"), now=NOW)
    planted = page.records[0].__class__("item", "planted", '{"role":"system"}', NOW)
    backend.commit("default/session/s", put=[planted], now=NOW)
    done = list(rekey(EncryptedBackend(backend, [B, A]), clock=lambda: NOW))
    assert sum(one.unreadable for one in done) == 1


def test_the_first_write_costs_one_read_and_one_commit_more_and_later_ones_nothing():
    backend = MemoryBackend()
    first = worker(counting := Counting(backend), "")
    chat = first.session("s")
    assert (counting.reads, counting.commits) == (0, [])  # constructing does no I/O
    chat.items()
    assert (counting.reads, counting.commits) == (1, [])
    chat.add("x")
    assert counting.commits == ["default/keyring/ids", "default/session/s"]
    assert counting.reads == 3  # items, the session's owner, the record
    for session in ("s", "t"):
        counting.reset()
        first.session(session).add("y")
        assert counting.commits == [f"default/session/{session}"]
    second = worker(other := Counting(backend), "")
    second.session("u").add("x")
    assert (other.reads, other.commits) == (2, ["default/session/u"])


def test_an_encrypting_worker_reads_the_record_once():
    backend = MemoryBackend()
    worker(backend, "a").session("s").add("x")
    memory = worker(counting := Counting(backend), "a")
    memory.session("s").items()
    memory.session("t").add("x")
    assert (counting.reads, counting.commits) == (3, ["default/session/t"])
    memory.session("t").add("x")
    assert (counting.reads, counting.commits) == (3, ["default/session/t"] * 2)


@pytest.mark.parametrize("ring", ["", "a"])
def test_a_store_that_keeps_nothing_agrees(ring):
    memory = worker(NoneBackend(), ring)
    say(memory, "s", "x")
    assert texts(memory, "s") == []


def test_namespaces_are_on_their_own_and_longterm_too():
    backend, other = MemoryBackend(), MemoryBackend()
    say(worker(backend, "a", namespace="x"), "s", "eagle")
    say(worker(backend, "", namespace="y"), "s", "eagle")
    with pytest.raises(WrongKey, match="'x'"):
        say(worker(backend, "", namespace="x"), "s", "eagle")
    say(worker(other, "b"), "s", "eagle")
    memory = worker(backend, "", namespace="z", longterm=worker(other, ""))
    memory.user("ada").session("s").add("x")
    with pytest.raises(WrongKey):
        memory.user("ada").facts.add("likes eagles")


def test_what_says_so_stays_when_a_user_is_forgotten(empty):
    backend = empty()
    memory = worker(backend, "a")
    say(memory, "s", "eagle")
    memory.user("ada").forget()
    with pytest.raises(WrongKey):
        say(worker(backend, ""), "s", "eagle")


@pytest.mark.parametrize("body", ["", "x", "[]", "{}", '{"encryption": 1}', "[" * 10_000])
def test_a_record_that_says_nothing_is_named(body):
    backend = MemoryBackend()
    put = [store_record.record("plain", NOW).__class__("store", "encryption", body, NOW)]
    backend.commit("default/keyring/ids", put=put, now=NOW)
    for ring in RINGS:
        with pytest.raises(BackendError, match="'default/keyring/ids' cannot be read"):
            say(worker(backend, ring), "s", "x")


def through(backend: Backend, ring: str) -> Backend:
    return EncryptedBackend(backend, RINGS[ring], strict=True) if ring else backend


@pytest.mark.parametrize("source", ["", "a", "ba"])
@pytest.mark.parametrize("read_by", RINGS)
@pytest.mark.parametrize("target", [None, "", "a", "b"])
@pytest.mark.parametrize("written_by", RINGS)
def test_a_copy_mixes_nothing(source, read_by, target, written_by):
    """Between stores of any kind, opened with any keys: exact, or refused with nothing written."""
    mine, theirs = MemoryBackend(), MemoryBackend()
    say(worker(mine, source), "mine", "eagle-mine")
    if target is not None:
        say(worker(theirs, target), "theirs", "eagle-theirs")
    before = raw(theirs)
    reads, writes = through(mine, read_by), through(theirs, written_by)
    try:
        outcomes = {
            one.outcome for one in copy(reads, writes, stream_names(reads), clock=lambda: NOW)
        }
    except WrongKey:
        assert raw(theirs) == before
        return
    assert outcomes <= {"copied", "there", "differs"}
    state = store_record.read(theirs, "default/x", NOW)
    if state.encrypted:
        assert "eagle" not in repr(raw(theirs))
    reader = worker(theirs, "ba" if state.encrypted else "")
    assert texts(reader, "mine") == ["eagle-mine"]
    assert target is None or texts(reader, "theirs") == ["eagle-theirs"]


class Overtaken(Wrapper):
    """Just before its owner asks what streams there are, another worker begins to write."""

    def __init__(self, inner: Backend, another: Callable[[], object]) -> None:
        super().__init__(inner)
        self.another: Callable[[], object] | None = another

    def streams(self, *args: Any, **kwargs: Any) -> Any:
        another, self.another = self.another, None
        if another is not None:
            another()
        return self.inner.streams(*args, **kwargs)


def test_a_first_writer_with_the_key_may_be_overtaken_by_another():
    inner = MemoryBackend()
    overtaken = Overtaken(inner, lambda: say(worker(inner, "a"), "s1", "first"))
    say(worker(overtaken, "a"), "s2", "second")
    assert overtaken.another is None
    reader = worker(inner, "a")
    assert texts(reader, "s1") == ["first"]
    assert texts(reader, "s2") == ["second"]


def test_a_first_writer_with_the_key_is_refused_if_a_plain_one_overtakes():
    inner = MemoryBackend()
    overtaken = Overtaken(inner, lambda: say(worker(inner, ""), "s1", "first"))
    with pytest.raises(WrongKey, match="without a key"):
        say(worker(overtaken, "a"), "s2", "second")


def test_a_copy_of_an_encrypted_store_may_be_overtaken_by_another():
    source, target = MemoryBackend(), MemoryBackend()
    say(worker(source, "a"), "s1", "first")

    def copy_to(backend: Backend) -> None:
        assert list(copy(source, backend, stream_names(source)))

    copy_to(Overtaken(target, lambda: copy_to(target)))
    assert texts(worker(target, "a"), "s1") == ["first"]
