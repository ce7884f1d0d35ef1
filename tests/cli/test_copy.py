"""`copy`: any store into any other, whole, compared, resumable, and never over what is there."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.cli.conftest import NOW, STORES, opened
from threadkeep import connect
from threadkeep.backends.encrypted import EncryptedBackend, new_key
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.none import NoneBackend
from threadkeep.core import store_record
from threadkeep.core.copy_streams import copy, stream_names
from threadkeep.errors import BackendError
from threadkeep.types import Drop, Query, Record
from threadkeep.types.record_kinds import KINDS

TARGETS = {"sqlite": "sqlite:///new.db", "file": "file:new"}
S = "default/session/chat"


def content(backend):
    """All that lives in a store: the records of each stream, in their order."""
    return {name: found for name in stream_names(backend) if (found := records(backend, name))}


def records(backend, name, now=NOW):
    pages = backend.read(*(Query(name, kind) for kind in KINDS), now=now)
    found = sorted((record for page in pages for record in page.records), key=lambda r: r.seq)
    return [(r.kind, r.id, r.body, r.at, r.expires) for r in found]


def of_url(url):
    with connect(url) as memory:
        return content(memory._engine.backend)


def filled_with(*counts):
    backend = MemoryBackend()
    for n, count in enumerate(counts):
        put(backend, f"{S}-{n}", range(count))
    return backend


def put(backend, stream, numbers, body="1"):
    kinds = ("item", "file", "feedback")
    for n in numbers:
        backend.commit(stream, put=[Record(kinds[n % 3], f"{n}", body, NOW + n)], now=NOW)


def outcomes(source, target, **how):
    done = list(copy(source, target, stream_names(source), clock=lambda: NOW, **how))
    return [(one.outcome, one.records) for one in done]


@pytest.mark.proves("C8")
@pytest.mark.parametrize("target", TARGETS)
def test_a_copy_is_the_same_to_the_record(cli, filled, target):
    with connect(filled, namespace="tenant") as memory:
        memory.session("theirs", user="eve").add("Hi")
    before = of_url(filled)
    said = cli("copy", filled, TARGETS[target])
    count = sum(map(len, before.values()))
    expected = f"{len(before)} streams copied with {count} records and compared, 0 there already"
    assert said == (0, "", f"{expected}, 0 not copied\n")
    assert len(before) == 7  # four sessions, three users' lists
    assert of_url(TARGETS[target]) == of_url(filled) == before


def test_one_namespace_alone(cli, filled):
    with connect(filled, namespace="tenant") as memory:
        memory.session("theirs").add("Hi")
    assert cli("copy", filled, "file:new", "--namespace", "tenant").code == 0
    assert list(of_url("file:new")) == ["tenant/session/theirs"]


@pytest.mark.proves("C8")
def test_repeated_it_finds_all_there_and_changes_nothing(cli, filled):
    cli("copy", filled, "file:new")
    before = of_url("file:new")
    said = cli("copy", filled, "file:new")
    assert said.code == 0
    assert "0 streams copied with 0 records and compared, 5 there already" in said.err
    assert of_url("file:new") == before


def test_what_differs_in_the_target_is_left_and_named(cli, filled):
    with connect("file:new") as memory:
        memory.session("plain").add("Somebody else's")
    mine = of_url("file:new")["default/session/plain"]
    said = cli("copy", filled, "file:new")
    assert said.code == 1
    assert "'default/session/plain' is in the target with other content" in said.err
    assert "4 streams copied" in said.err
    assert of_url("file:new")["default/session/plain"] == mine


def test_a_target_that_went_on_is_there_already():
    source, target = filled_with(5), filled_with(7)
    before = content(target)
    assert outcomes(source, target) == [("there", 0)]
    assert content(target) == before


@pytest.mark.parametrize("field", ["body", "id", "at", "expires", "order"])
def test_one_other_record_is_noticed(field):
    source, target = filled_with(6), MemoryBackend()
    found = [Record(*row) for row in records(source, f"{S}-0")]
    other = {"body": "2", "id": "x", "at": NOW - 9, "expires": NOW + 9}
    if field == "order":
        found[2:4] = found[3:1:-1]
    else:
        given = {name: getattr(found[3], name) for name in ("kind", "id", "body", "at", "expires")}
        found[3] = Record(**{**given, field: other[field]})
    for record in found:
        target.commit(f"{S}-0", put=[record], now=NOW)
    before = content(target)
    assert outcomes(source, target) == [("differs", 0)]
    assert content(target) == before


@pytest.mark.proves("C8")
def test_broken_off_within_a_stream_it_goes_on_where_it_ended():
    class Failing(MemoryBackend):
        commits = 3  # the record of how the store is kept, a stream, and part of another

        def commit(self, stream, **how):
            if not self.commits:
                raise BackendError("the wire broke")
            self.commits -= 1
            return super().commit(stream, **how)

    source, target = filled_with(3, 2500, 4), Failing()
    with pytest.raises(BackendError, match="wire"):
        outcomes(source, target)
    assert len(records(target, f"{S}-1")) == 1000
    target.commits = 100
    assert outcomes(source, target) == [("there", 0), ("copied", 1500), ("copied", 4)]
    assert content(target) == content(source)
    assert outcomes(source, target) == [("there", 0)] * 3


def test_a_target_that_does_not_keep_what_it_takes_is_found_out():
    class Careless(MemoryBackend):
        def commit(self, stream, *, put=(), **how):
            return super().commit(stream, put=put[:-1], **how)

    assert outcomes(filled_with(3), Careless()) == [("lost", 3)]
    assert outcomes(filled_with(3), NoneBackend()) == [("lost", 3)]


def test_a_target_that_others_write_to_meanwhile_is_left():
    class Busy(MemoryBackend):
        def commit(self, stream, *, expect=None, **how):
            if expect is not None and not store_record.is_store_stream(stream):
                put(self, stream, [99])
            return super().commit(stream, expect=expect, **how)

    target = Busy()
    assert outcomes(filled_with(3), target) == [("differs", 0)]
    assert [row[1] for row in records(target, f"{S}-0")] == ["99"]


def test_copied_sessions_live_as_the_target_says_and_users_for_ever():
    source, target = filled_with(1), MemoryBackend()
    put(source, "default/user/ada", [0])
    assert outcomes(source, target, ttl=60) == [("copied", 1)] * 2
    assert len(records(target, f"{S}-0", NOW + 59)) == 1
    assert records(target, f"{S}-0", NOW + 60) == []
    assert len(records(target, "default/user/ada", NOW + 1e9)) == 1


def test_what_has_expired_is_not_copied():
    source, target = MemoryBackend(), MemoryBackend()
    source.commit(S, put=[Record("item", "a", "1", NOW)], ttl=5, now=NOW - 9)
    assert outcomes(source, target) == [("empty", 0)]
    assert content(target) == {}


def test_into_an_encrypted_store_and_out_of_it(cli, filled, monkeypatch):
    key = new_key()
    before = of_url(filled)
    monkeypatch.setenv("THREADKEEP_TARGET_KEY", key)
    assert cli("copy", filled, "file:new").code == 0
    assert of_url("file:new") != before
    monkeypatch.setenv("THREADKEEP_KEY", key)
    assert "Good day" in cli("show", "plain", "--url", "file:new").out
    monkeypatch.delenv("THREADKEEP_TARGET_KEY")
    monkeypatch.setenv("THREADKEEP_SOURCE_KEY", new_key())
    wrong = cli("copy", "file:new", "sqlite:///out.db")
    assert wrong.code == 1
    assert "encrypted with key" in wrong.err
    monkeypatch.setenv("THREADKEEP_SOURCE_KEY", key)
    assert cli("copy", "file:new", "sqlite:///out.db").code == 0
    assert of_url("sqlite:///out.db") == before


def test_an_encrypted_store_is_copied_as_it_is_without_its_key():
    key, source, target = new_key(), MemoryBackend(), MemoryBackend()
    put(EncryptedBackend(source, key), S, range(3))
    assert outcomes(source, target) == [("copied", 3)]  # and its keyring, which is nobody's data
    assert records(EncryptedBackend(target, key), S) == records(EncryptedBackend(source, key), S)


def test_what_the_key_does_not_open_is_named_and_not_copied(cli, monkeypatch):
    key = new_key()
    with closing(opened("sqlite:///chat.db")) as inner:
        put(EncryptedBackend(inner, key), S, range(3))
        put(inner, S, [0], body="forged")
        put(EncryptedBackend(inner, key), f"{S}-good", range(3))
    monkeypatch.setenv("THREADKEEP_SOURCE_KEY", key)
    said = cli("copy", "sqlite:///chat.db", "file:new")
    assert said.code == 1
    assert f"{S!r} has a record that cannot be read" in said.err
    assert list(of_url("file:new")) == [f"{S}-good"]


@pytest.mark.parametrize("url", STORES.values())
def test_a_source_that_is_not_there_is_not_made(cli, folder, url):
    said = cli("copy", url, "sqlite:///new.db")
    assert said.code == 1
    assert "does not exist" in said.err
    assert list(folder.iterdir()) == []


def test_its_stores_are_arguments(cli):
    assert cli("--url", "file:x", "copy", "file:a", "file:b").code == 2
    assert cli("copy", "file:a").code == 2


@pytest.mark.proves("C8")
def test_on_a_terminal_a_bar_shows_how_far_it_is(cli, filled, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # what rich takes for a terminal
    said = cli("copy", filled, "file:new")
    assert said.code == 0
    assert said.out == ""
    assert "5/5" in said.err
    assert "5 streams copied" in said.err


def test_a_source_that_shrinks_meanwhile_is_noticed():
    class Shrinking(MemoryBackend):
        def commit(self, stream, **how):
            done = super().commit(stream, **how)
            source.commit(stream, drop=[Drop("item", ["3"])], now=NOW)
            return done

    source = filled_with(4)
    assert outcomes(source, Shrinking()) == [("lost", 4)]
