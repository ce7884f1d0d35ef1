"""`session.files`: metadata by url, else by name, for as long as it was said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.engine.doubles import START
from threadkeep.core.settings import SWEEP_GRACE
from threadkeep.errors import InputError
from threadkeep.types import File

SOON = datetime.fromtimestamp(START + 50, UTC)


@pytest.fixture
def files(chat):
    return chat.files


def ids(files):
    return [file.id for file in files.list()]


def test_what_is_added_is_listed(files):
    said = {"url": "https://a/b?c=d", "name": "map", "size": 3, "tags": ["x", {"y": None}]}
    added = files.add(said)
    assert files.list() == [added]
    assert (added.id, added.url, added.name) == ("https://a/b?c=d", "https://a/b?c=d", "map")
    assert added.to_dict() == said
    assert added.created_at == datetime.fromtimestamp(START, UTC)
    assert added.expires_at is None


def test_in_the_order_they_were_first_added(files):
    for url in "cab":
        files.add({"url": url})
    files.add({"url": "a", "name": "again"})
    assert ids(files) == ["c", "a", "b"]


def test_the_same_url_updates(files, clock):
    files.add({"url": "u", "name": "old", "size": 1})
    clock.tick(5)
    files.add({"url": "u", "name": "new"})
    (file,) = files.list()
    assert (file.name, file.metadata) == ("new", {})
    assert file.created_at == datetime.fromtimestamp(START + 5, UTC)


def test_without_a_url_the_name_is_the_key(files):
    files.add({"name": "map", "size": 1})
    files.add({"name": "map", "size": 2})
    files.add({"name": "other", "url": ""})
    files.add({"name": "map", "url": "u"})
    assert ids(files) == ["map", "other", "u"]
    assert files.list()[0].metadata == {"size": 2}


def test_a_file_that_was_listed_can_be_added_elsewhere(memory, files):
    file = files.add({"url": "u", "name": "n", "size": 1, "expiration_timestamp": SOON})
    assert memory.session("other", user="ada").files.add(file) == file


@pytest.mark.parametrize("expiry", [START + 50, int(START + 50), SOON, SOON.isoformat()])
def test_a_file_vanishes_at_its_moment_exactly(files, clock, expiry):
    assert files.add({"url": "u", "expiration_timestamp": expiry}).expires_at == SOON
    files.add({"url": "v"})
    clock.now = START + 49.999
    assert ids(files) == ["u", "v"]
    assert files.list()[0].to_dict()["expiration_timestamp"] == START + 50
    clock.now = START + 50
    assert ids(files) == ["v"]


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+05:30"])
def test_iso_8601_with_any_offset(files, zone):
    at = files.add({"url": "u", "expiration_timestamp": f"2030-01-01T12:00:00{zone}"}).expires_at
    wanted = datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert at == (wanted - timedelta(hours=5, minutes=30) if zone == "+05:30" else wanted)


def test_one_that_has_expired_already_is_not_listed(files):
    files.add({"url": "u", "expiration_timestamp": START - 1})
    assert ids(files) == []


def test_adding_again_may_prolong_or_end_its_life(files, clock):
    files.add({"url": "u", "expiration_timestamp": SOON})
    files.add({"url": "u"})
    clock.tick(50)
    assert ids(files) == ["u"]
    files.add({"url": "u", "expiration_timestamp": clock.now})
    assert ids(files) == []
    files.add({"url": "u"})
    assert ids(files) == ["u"]


def test_sweeping_reclaims_expired_files(memory, files, clock):
    for n in range(5):
        files.add({"url": f"u{n}", "expiration_timestamp": SOON})
    files.add({"url": "kept"})
    assert memory.sweep() == 0
    clock.tick(50 + SWEEP_GRACE)
    assert memory.sweep() == 5
    assert ids(files) == ["kept"]


def test_remove(files):
    files.add({"url": "u"})
    files.add({"name": "n"})
    files.remove("u")
    assert ids(files) == ["n"]
    files.remove("u")
    files.remove("n")
    assert ids(files) == []


def test_removing_from_nothing_begins_nothing(memory, files):
    files.remove("u")
    assert memory.sessions() == []


def test_files_are_no_items_and_items_no_files(chat, files):
    files.add({"url": "u"})
    chat.add({"role": "user", "content": "x", "id": "u"})
    files.remove("u")
    assert len(chat.items()) == 1
    assert files.list() == []


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        ({}, "url or a name"),
        ({"size": 1}, "url or a name"),
        ({"url": "", "name": None}, "url or a name"),
        ({"url": 5}, "file.url"),
        ({"name": ["n"]}, "file.name"),
        ({"url": "u", "size": object()}, r"file\.metadata\.size|file\.size"),
        ({"url": "u", "bytes": b"x"}, "bytes"),
        ({"url": "u", "expiration_timestamp": "soon"}, "file.expiration_timestamp"),
        ({"url": "u", "expiration_timestamp": True}, "file.expiration_timestamp"),
        ({"url": "u", "expiration_timestamp": float("nan")}, "file.expiration_timestamp"),
        ({"url": "u", "expiration_timestamp": 1e300}, "file.expiration_timestamp"),
        ("u", "file must be a dict"),
        (None, "file must be a dict"),
        ({"url": "u", "big": "x" * 4_000_000}, "bytes"),
    ],
)
def test_bad_input_names_the_field_and_writes_nothing(memory, files, bad, where):
    with pytest.raises(InputError, match=where):
        files.add(bad)
    assert memory.sessions() == []


@pytest.mark.parametrize("bad", ["", None, 5])
def test_a_bad_id_to_remove(files, bad):
    with pytest.raises(InputError, match="file id"):
        files.remove(bad)


def test_a_file_object_needs_no_dates(files):
    assert files.add(File(id="u", url="u")).id == "u"
