"""Encryption at rest: what an onlooker sees, what a thief can do, and which keys open what."""

from __future__ import annotations

import base64
import logging
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wrappers.conftest import NOW, STREAM, stored
from threadkeep.backends.encrypted import EncryptedBackend, new_key, rekey
from threadkeep.backends.encrypted.envelope import open_record, seal_record
from threadkeep.backends.encrypted.keys import KeyRing
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import ConfigError, CorruptRecord, WrongKey
from threadkeep.types import Drop, Query, Record

KEY, OTHER = new_key(), new_key()
SECRET = "the eagle lands at noon"


def put(backend, *ids, stream=STREAM, kind="item", body=f'"{SECRET}"', **how):
    return backend.commit(stream, put=[Record(kind, id, body, NOW) for id in ids], now=NOW, **how)


def read(backend, stream=STREAM, kind="item", **how):
    return backend.read(Query(stream, kind, **how), now=NOW)[0].records


def rewrite(backend, *records, stream=STREAM):
    """What somebody with access to the store may do."""
    backend.commit(stream, put=records, now=NOW)


@pytest.mark.proves("C7")
def test_the_store_holds_no_word_of_a_body_and_no_key(inner):
    put(EncryptedBackend(inner, KEY), "a", "b")
    for record in (*stored(inner, STREAM), *stored(inner, "default/keyring/ids")):
        assert SECRET not in record.body
        assert KEY not in record.body
        assert base64.b64encode(SECRET.encode())[:12].decode() not in record.body


def test_the_same_body_is_never_stored_alike(inner):
    put(EncryptedBackend(inner, KEY), "a", "b")
    one, two = (record.body.partition(":")[2] for record in stored(inner, STREAM))
    assert one != two
    assert one[9:60] != two[9:60], "the data keys are the same"


def test_ids_that_tell_something_are_hidden_and_found_again(inner):
    backend = EncryptedBackend(inner, KEY)
    url = "https://example.com/diagnosis.pdf"
    first = put(backend, url, "https://example.com/b", kind="file")
    assert all("example" not in record.id for record in stored(inner, STREAM))
    again = EncryptedBackend(inner, [OTHER, KEY])
    assert put(again, url, kind="file", body='"new"').seqs == first.seqs[:1]
    assert [(r.id, r.body) for r in read(again, kind="file", ids=[url])] == [(url, '"new"')]
    again.commit(STREAM, drop=[Drop("file", [url])], now=NOW)
    assert [r.id for r in read(again, kind="file")] == ["https://example.com/b"]


def test_hidden_ids_of_two_namespaces_do_not_tell_that_they_are_the_same():
    inner = MemoryBackend()
    backend = EncryptedBackend(inner, KEY)
    streams = ("one/session/x", "two/session/x")
    for stream in streams:
        put(backend, "https://example.com", stream=stream, kind="file")
    one, two = (stored(inner, stream)[0].id for stream in streams)
    assert one != two


@pytest.mark.proves("D9")
@pytest.mark.proves("C7")
@pytest.mark.parametrize("words", ["stream", "kind", "id"])
def test_a_record_in_anothers_place_is_not_read(inner, words, caplog):
    backend = EncryptedBackend(inner, KEY)
    put(backend, "a", body='"grant nothing"')
    put(backend, "a", kind="note", body='"grant nothing"')
    put(backend, "a", stream="default/session/other", body='"grant all"')
    put(backend, "b", body='"grant all"')
    source = {"stream": "default/session/other"}.get(words, STREAM)
    stolen = next(r for r in stored(inner, source) if r.id == ("b" if words == "id" else "a"))
    kind = "note" if words == "kind" else "item"
    rewrite(inner, replace(stolen, id="a", kind=kind))
    with caplog.at_level(logging.WARNING):
        found = read(backend, kind=kind, ids=["a"])
    assert [record.body for record in found] == ["?"]
    assert "was changed" in caplog.text
    with pytest.raises(CorruptRecord, match=r"item/'a'|note/'a'"):
        read(EncryptedBackend(inner, KEY, strict=True), kind=kind, ids=["a"])


@pytest.mark.proves("D9")
def test_any_bit_that_is_changed_is_noticed_and_hides_nothing_else(inner):
    backend = EncryptedBackend(inner, KEY)
    put(backend, "a", "b")
    good = stored(inner, STREAM)[0]
    mark, name, coded = good.body.split(":")
    raw = base64.b64decode(coded)
    for place in range(0, len(raw), 7):
        bad = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        rewrite(inner, replace(good, body=f"{mark}:{name}:{base64.b64encode(bad).decode()}"))
        assert [record.body for record in read(backend)] == ["?", f'"{SECRET}"']


@pytest.mark.parametrize("body", [f'"{SECRET}"', "", "tk1", "tk1:", "tk1::", "tk1:x:AAAA", "tk2:a"])
def test_what_was_never_sealed_is_not_taken_for_ours(inner, body):
    backend = EncryptedBackend(inner, KEY)
    put(backend, "a")
    rewrite(inner, Record("item", "a", body, NOW))
    assert [record.body for record in read(backend)] == ["?"]


@pytest.mark.proves("D9")
@pytest.mark.proves("C7")
def test_a_wrong_key_is_an_error_before_anything_is_read_or_written(inner):
    put(EncryptedBackend(inner, KEY), "a")
    before = stored(inner, STREAM)
    wrong = EncryptedBackend(inner, OTHER)
    calls = [
        lambda: read(wrong),
        lambda: put(wrong, "b"),
        lambda: wrong.commit(STREAM, drop=[Drop()], now=NOW),
        lambda: put(wrong, "b", stream="default/session/new"),
    ]
    for call in calls:
        with pytest.raises(WrongKey, match=r"encrypted with key [0-9a-f]{8}") as error:
            call()
        assert KEY not in str(error.value)
        assert OTHER not in str(error.value)
    assert stored(inner, STREAM) == before


@pytest.mark.parametrize(
    "key", ["", " ", "short", "hunter2" * 7, b"x" * 31, b"", [], [KEY, "hunter2"], 7, [None], {}]
)
def test_what_is_no_key_is_refused_and_not_repeated(key):
    with pytest.raises(ConfigError, match="key") as error:
        EncryptedBackend(MemoryBackend(), key)
    assert "hunter2" not in str(error.value)


def test_no_repr_and_no_description_shows_a_key(inner):
    backend = EncryptedBackend(inner, [KEY, OTHER])
    raw = base64.urlsafe_b64decode(KEY)
    said = f"{backend!r} {backend.describe()} {backend.ring!r} {backend.ring.first!r}"
    for secret in (KEY, OTHER, raw.hex(), repr(raw)[2:-1]):
        assert secret not in said


@pytest.mark.proves("C7")
@pytest.mark.parametrize(
    "spelled",
    [f"{OTHER},{KEY}", f"{OTHER} \n{KEY}\n", [OTHER, KEY]],
    ids=["by comma", "by line", "a list"],
)
def test_the_first_key_writes_and_all_read(inner, spelled):
    put(EncryptedBackend(inner, base64.urlsafe_b64decode(KEY)), "a")
    both = EncryptedBackend(inner, spelled)
    put(both, "b")
    assert [record.id for record in read(both)] == ["a", "b"]
    names = [record.body.split(":")[1] for record in stored(inner, STREAM)]
    assert names == [EncryptedBackend(inner, key).ring.first.name for key in (KEY, OTHER)]


@pytest.mark.proves("C7")
def test_rekeyed_the_old_key_is_not_needed_any_more(inner):
    old = EncryptedBackend(inner, KEY)
    put(old, *map(str, range(1200)))
    put(old, "https://example.com", kind="file")
    put(old, "mortal", stream="default/session/mortal", ttl=60)
    order = [(r.id, r.seq) for r in stored(inner, STREAM)]
    done = list(rekey(EncryptedBackend(inner, [OTHER, KEY]), clock=lambda: NOW + 1))
    assert sum(one.renewed for one in done) == 1203  # the secret of ids among them
    assert not any(one.unreadable for one in done)
    assert [(r.id, r.seq) for r in stored(inner, STREAM)] == order
    new = EncryptedBackend(inner, OTHER)
    assert {record.body for record in read(new)} == {f'"{SECRET}"'}
    assert [r.id for r in read(new, kind="file", ids=["https://example.com"])] != []
    assert new.read(Query("default/session/mortal", "item"), now=NOW + 60)[0].version == 0
    again = list(rekey(new))
    assert {(one.renewed, one.unreadable) for one in again} == {(0, 0)}
    with pytest.raises(WrongKey):
        read(EncryptedBackend(inner, KEY))


def test_rekeying_meets_a_writer_and_loses_nothing():
    class Busy(MemoryBackend):
        rounds = 3

        def commit(self, stream, **how):
            if how.get("expect") and self.rounds:
                self.rounds -= 1
                put(old, f"meanwhile-{self.rounds}")
                put(old, "a", body='"newer"')
            return super().commit(stream, **how)

    busy = Busy()
    old = EncryptedBackend(busy, KEY)
    put(old, "a", "b")
    list(rekey(EncryptedBackend(busy, [OTHER, KEY])))
    assert busy.rounds == 0
    found = {record.id: record.body for record in read(EncryptedBackend(busy, OTHER))}
    assert found.pop("a") == '"newer"'
    assert sorted(found) == ["b", "meanwhile-0", "meanwhile-1", "meanwhile-2"]


def test_rekeying_counts_what_nobody_can_read_and_leaves_it(inner):
    put(EncryptedBackend(inner, KEY), "a")
    rewrite(inner, Record("item", "forged", SECRET, NOW))
    done = list(rekey(EncryptedBackend(inner, [OTHER, KEY])))
    assert sum(one.unreadable for one in done) == 1
    assert stored(inner, STREAM)[-1].body == SECRET


def test_two_that_begin_a_store_at_once_share_one_secret():
    class Late(MemoryBackend):
        """Another process makes the keyring between our look and our write."""

        rival = True

        def commit(self, stream, **how):
            if self.rival:
                self.rival = False
                put(EncryptedBackend(self, KEY), "theirs", kind="file")
            return super().commit(stream, **how)

    inner = Late()
    put(EncryptedBackend(inner, KEY), "ours", kind="file")
    fresh = EncryptedBackend(inner, KEY)
    assert [r.id for r in read(fresh, kind="file", ids=["ours", "theirs"])] == ["theirs", "ours"]


CHANGES = {
    "at": lambda record: replace(record, at=record.at - 86_400),
    "expires": lambda record: replace(record, expires=NOW + 86_400),
    "no expires": lambda record: replace(record, expires=None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_record_that_was_dated_anew_is_not_read(inner, change):
    backend = EncryptedBackend(inner, KEY)
    dated = Record("item", "a", '"x"', NOW, None if change == "expires" else NOW + 60)
    backend.commit(STREAM, put=[dated], now=NOW)
    put(backend, "b")
    rewrite(inner, CHANGES[change](stored(inner, STREAM)[0]))
    assert [record.body for record in read(backend)] == ["?", f'"{SECRET}"']


def test_a_record_of_another_database_with_the_same_key_is_not_read(inner):
    """The same namespace, stream, kind, id, dates and key; only the keyring is another."""
    backend, other = EncryptedBackend(inner, KEY), EncryptedBackend(MemoryBackend(), KEY)
    put(backend, "a", body='"no"')
    put(other, "a", body='"yes"')
    rewrite(inner, *stored(other.inner, STREAM))
    assert [record.body for record in read(backend)] == ["?"]


@given(
    at=st.floats(-1e10, 2e11, allow_nan=False),
    expires=st.none() | st.floats(2e9, 2e11, allow_nan=False),
)
@settings(max_examples=60)
def test_dates_of_any_precision_are_read_again(at, expires):
    """As a store gives them back: to the microsecond, whichever way it rounds."""
    ring = KeyRing(KEY)
    record = Record("item", "a", '"x"', at, expires)
    sealed = replace(record, body=seal_record(ring, STREAM, record, "true id", "ring"))
    for nudge in (-1e-6, 0, 1e-6):
        kept = replace(
            sealed,
            at=round(at + nudge, 6),
            expires=None if expires is None else round(expires + nudge, 6),
        )
        assert open_record(ring, STREAM, kept, "ring") == ("true id", '"x"')


def test_sliding_a_streams_life_needs_no_key(inner):
    """The life of a stream is not a record's, so it is not authenticated: a touch changes it."""
    backend = EncryptedBackend(inner, KEY)
    put(backend, "a", ttl=60)
    inner.commit(STREAM, ttl=600, now=NOW + 30)
    (page,) = backend.read(Query(STREAM, "item"), now=NOW + 300)
    assert [record.body for record in page.records] == [f'"{SECRET}"']


def as_before(inner, stream):
    """A stream as versions before wrote it: without keyring and dates in the envelope."""
    backend = EncryptedBackend(inner, KEY)
    (page,) = inner.read(Query(stream, "item"), now=NOW)
    keyring = backend.blinders.get_or_create(stream, NOW).keyring
    old = []
    for record in page.records:
        id, body = open_record(backend.ring, stream, record, keyring)
        opened = replace(record, body=body)
        old.append(replace(record, body=seal_record(backend.ring, stream, opened, id, None)))
    rewrite(inner, *old, stream=stream)


def test_what_was_encrypted_before_is_read_and_renewed_by_rekey(inner):
    put(EncryptedBackend(inner, KEY), "a", "b")
    as_before(inner, STREAM)
    assert {record.body[:4] for record in stored(inner, STREAM)} == {"tk1:"}
    backend = EncryptedBackend(inner, KEY)
    assert [record.body for record in read(backend)] == [f'"{SECRET}"'] * 2
    reports = {report.stream: report for report in rekey(backend, clock=lambda: NOW)}
    assert reports[STREAM].renewed == 2
    assert {record.body[:4] for record in stored(inner, STREAM)} == {"tk2:"}
    assert [record.body for record in read(EncryptedBackend(inner, KEY))] == [f'"{SECRET}"'] * 2
    assert all(not report.renewed for report in rekey(backend, clock=lambda: NOW))
