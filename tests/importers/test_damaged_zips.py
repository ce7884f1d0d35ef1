"""A zip that is damaged anywhere is named, and the import goes on."""

from __future__ import annotations

import io
import json
import random
import zipfile

from tests.importers import exports
from threadkeep import import_chats

GOOD = [exports.simple_chatgpt("g1"), exports.simple_chatgpt("g2")]


def test_a_zip_with_any_damage_ends_no_import(memory, tmp_path):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.json", "b.json"):
            archive.writestr(name, json.dumps([exports.simple_chatgpt(name)]))
    good, damage = whole.getvalue(), random.Random(1)
    (tmp_path / "z.json").write_text(json.dumps(GOOD))
    for _ in range(150):
        data = bytearray(good)
        for _ in range(damage.randrange(1, 4)):
            data[damage.randrange(len(data))] = damage.randrange(256)
        (tmp_path / "a.zip").write_bytes(data)
        report = import_chats(memory, tmp_path)
        assert report.sessions >= len(GOOD)  # of the file that comes after the zip


def test_a_zip_without_a_readable_list_of_members_is_named(memory, tmp_path):
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("a.json", json.dumps(GOOD))
    data = (tmp_path / "d.zip").read_bytes().replace(b"PK\x01\x02", b"PK\x01\x00")
    (tmp_path / "d.zip").write_bytes(data)
    [skipped] = import_chats(memory, tmp_path / "d.zip").skipped
    assert (skipped.location, "the zip is damaged" in skipped.reason) == ("d.zip", True)
