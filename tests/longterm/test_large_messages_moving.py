"""Large parts of messages in exports, recall and repair."""

from __future__ import annotations

import json

import pytest

from tests.engine.large_messages import photo, pieces, references
from threadkeep import connect
from threadkeep.backends.encrypted import new_key
from threadkeep.errors import InputError
from threadkeep.longterm.repair import store_findings
from threadkeep.types import KEEP, Drop, Query

pytestmark = pytest.mark.proves("D4")


@pytest.mark.parametrize("options", [{}, {"key": new_key()}], ids=["plain", "encrypted"])
def test_an_export_holds_the_parts_and_is_restored(memory, options):
    chat = memory.session("chat", user="ada")
    items = chat.add(photo(1_500_000), "word " * 30_000, "hi")
    text = memory.user("ada").export()
    with connect("memory://", **options) as other:
        other.user("ada").restore(text)
        restored = other.session("chat", user="ada").items()
        assert [(i.id, i.content) for i in restored] == [(i.id, i.content) for i in items]
        assert other.user("ada").export() == text
        other.user("ada").restore(text)
        assert (pieces(other), references(other)) == (pieces(memory), 2)
        other.user("ada").forget()
        assert (pieces(other), references(other)) == (0, 0)


def test_a_line_of_a_part_is_checked(memory):
    memory.session("chat", user="ada").add(photo())
    lines = memory.user("ada").export().splitlines()
    for index, line in enumerate(lines):
        fields = json.loads(line)
        if fields.get("kind") in ("piece", "blob"):
            for broken in ({**fields, "body": {"text": 1}}, {**fields, "body": {"blob": "x"}}):
                text = "\n".join([*lines[:index], json.dumps(broken), *lines[index + 1 :]])
                with connect("memory://") as other, pytest.raises(InputError, match="line"):
                    other.user("ada").restore(text)


def test_recall_finds_what_is_behind_the_beginning_and_gives_the_whole(memory):
    chat = memory.session("chat", user="ada")
    text = "nothing here " * 1_400 + "The password is zanzibar. " + "and so on " * 9_000
    item = chat.add(text)[0]
    hit = memory.user("ada").recall("zanzibar password")[0]
    assert hit.item == item


def test_repair_names_a_missing_part_and_mends_orphans(opened, clock):
    memory = opened()
    chat = memory.session("chat", user="ada")
    items = chat.add(photo(), photo())
    assert list(store_findings(memory._engine)) == []
    name = memory._engine.stream("blob", "chat")
    piece = f"{blob_of(memory, items[0])}/0"
    memory._engine.commit(name, drop=[Drop("piece", [piece])], ttl=KEEP)
    assert [f.problem for f in store_findings(memory._engine)] == ["missing part of an item"]
    session = memory._engine.stream("session", "chat")
    memory._engine.commit(session, drop=[Drop("item")], ttl=KEEP)
    clock.tick(4_000)
    [finding] = store_findings(memory._engine)
    assert (finding.problem, finding.detail) == ("parts without an item", "2 parts")
    assert finding.fix is not None
    assert finding.fix()
    assert (pieces(memory), references(memory)) == (0, 0)


def blob_of(memory, item):
    session = memory._engine.stream("session", "chat")
    record = memory._engine.read(Query(session, "item", ids=[item.id]))[0].records[0]
    return json.loads(record.body)["blobs"][0]["id"]


def test_an_encrypted_store_shows_no_hash_of_a_part(backend):
    with connect(backend, key=new_key()) as memory:
        memory.session("chat", user="ada").add(photo(100_000, 1))
    with connect("memory://") as plain:
        item = plain.session("chat", user="ada").add(photo(100_000, 1))[0]
        digest = blob_of(plain, item)
    for kind in ("piece", "blob"):
        records = backend.read(Query("default/blob/chat", kind), now=1e10)[0].records
        assert records
        assert not any(digest in record.id + record.body for record in records)
