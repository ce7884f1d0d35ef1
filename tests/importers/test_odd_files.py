"""Damaged, cut, huge and hostile files: what is bad is named, and the rest is imported."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from tests.importers import exports
from tests.importers.conftest import said
from threadkeep import connect, import_chats
from threadkeep.errors import ConfigError
from threadkeep.importers import documents

GOOD = [exports.simple_chatgpt("g1"), exports.simple_chatgpt("g2")]


def node(key="x", **changes):
    """A ChatGPT conversation, one of whose messages is changed."""
    chat = exports.simple_chatgpt(key, turns=3)
    chat["mapping"][f"{key}-1"]["message"] |= changes
    return chat


ODD = {
    "a folder": {"type": "folder", "children": []},
    "null": None,
    "a text": "hello",
    "a number": 7,
    "no mapping": {"title": "x", "mapping": None},
    "a list as mapping": {"mapping": []},
    "null node": {"mapping": {"a": None, "b": {"message": None, "parent": "a"}}},
    "a circle": {"mapping": {"a": {"parent": "b"}, "b": {"parent": "a"}}, "current_node": "a"},
    "unknown role": node(author={"role": "wizard"}),
    "null author": node(author=None),
    "null content": node(content=None),
    "a text as content": node(content="Hello"),
    "null parts": node(content={"content_type": "text", "parts": None}),
    "a text date": node(create_time="2024-05-06T07:08:09Z"),
    "a wrong date": node(create_time="yesterday"),
    "no date": node(create_time=None),
    "a huge date": node(create_time=1e300),
    "a date beyond floats": node(create_time=10**400),
    "an unlimited date": node(create_time=float("inf")),
    "an unlimited size": {**node(), "gizmo_id": float("inf")},
    "null metadata": node(metadata=None),
    "a repeated id": node(id="x-0"),
    "no id": node(id=None),
    "a number as id": node(id=7),
    "half a character": node(content={"content_type": "text", "parts": ["\ud83d!"]}),
    "a NUL": node(content={"content_type": "text", "parts": ["a\0b"]}),
    "missing parent": {**node(), "current_node": "nowhere"},
}


@pytest.mark.proves("D20")
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_odd_entry_never_stops_the_others(bring, memory, odd):
    report = bring([GOOD[0], odd, GOOD[1]])
    assert len(said(memory, "chatgpt-g1")) == len(said(memory, "chatgpt-g2")) == 2
    if isinstance(odd, dict) and odd.get("id") == "x":
        assert len(said(memory, "chatgpt-x")) + report.skipped_count >= 3
    else:
        assert report.skipped_count == 1
        assert report.skipped[0].location.startswith("export.json[1]")
    before = {info.id: said(memory, info.id) for info in memory.sessions(user="ada")}
    assert bring([GOOD[0], odd, GOOD[1]]).messages == 0
    assert before == {info.id: said(memory, info.id) for info in memory.sessions(user="ada")}


def test_dates_are_kept_however_they_are_written(bring, memory):
    stamps = ["2024-05-06T07:08:09Z", 1714979289, 1714979289000, "1714979289",
              "2024-05-06T07:08:09", {"$date": "2024-05-06T07:08:09Z"}]  # fmt: skip
    keys = ["created_at", "timestamp", "createdAt", "create_time", "date", "time"]
    messages = [
        {"role": "user", "content": str(n), key: stamp}
        for n, (key, stamp) in enumerate(zip(keys, stamps, strict=True))
    ]
    report = bring([{"id": "d", "messages": messages}])
    assert report.skipped == []
    assert {i.created_at.timestamp() for i in memory.session("d").items()} == {1714979289.0}


NUMBERS = ["Infinity", "-Infinity", "NaN", "1e999", "9" * 5_000, "9" * 400]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:9] + str(len(number)))
@pytest.mark.parametrize("place", ["arguments", "input", "action", "output", "cwd", "timestamp"])
def test_a_number_that_json_or_python_lacks_costs_one_line_at_most(bring, memory, number, place):
    lines = [*exports.codex("x")]
    lines += [
        {**lines[-1], "type": "response_item", "payload": payload}
        for payload in (
            {"type": "custom_tool_call", "call_id": "call_2", "name": "apply", "input": "x"},
            {"type": "local_shell_call", "call_id": "call_3", "action": {"command": ["ls"]}},
        )
    ]
    expected = bring(exports.lines(lines), name="a.jsonl", dry_run=True).messages
    for line in lines:
        for fields in (line, line["payload"]):
            if place in fields:
                fields[place] = "@"
    text = exports.lines(lines).replace('"@"', number)
    report = bring(text, name="b.jsonl")
    assert report.messages >= expected - 1
    assert report.messages + report.skipped_count == expected
    assert bring(text, name="b.jsonl").messages == 0
    assert bring(text, name="b.jsonl", dry_run=True).skipped == report.skipped


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
def test_a_cut_file_gives_what_is_whole(memory, tmp_path, share):
    chats = [exports.simple_chatgpt(f"c{n}") for n in range(10)]
    text = json.dumps(chats)
    (tmp_path / "cut.json").write_text(text[: int(len(text) * share)])
    report = import_chats(memory, tmp_path / "cut.json")
    assert report.sessions == int(10 * share)
    assert "cut off" in report.skipped[-1].reason


def test_bytes_that_are_no_utf8_make_one_entry_bad(memory, tmp_path):
    data = json.dumps(GOOD).encode().replace(b"g2 says 0", b"\xff\xfe")
    (tmp_path / "b.json").write_bytes(data)
    report = import_chats(memory, tmp_path / "b.json")
    assert (report.sessions, report.skipped_count) == (1, 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_of_windows(memory, tmp_path, encoding):
    for name, text in (("a.json", json.dumps(GOOD)), ("b.jsonl", exports.lines(GOOD))):
        (tmp_path / name).write_text(text, encoding)
        assert import_chats(memory, tmp_path / name).sessions == 2


def test_a_bad_line_is_named_by_its_number(bring):
    report = bring(exports.lines(GOOD[:1]) + '{"mapping": \n\n' + exports.lines(GOOD[1:]))
    assert report.sessions == 2
    assert [skipped.location for skipped in report.skipped] == ["export.json:2"]


NO_EXPORTS = [
    "", "   ", "hello", "[", "{", "[[[", '"x"', "<html>",
    '{"title": "x", "time": "2024-05-06", "products": NaN}',
]  # fmt: skip


@pytest.mark.parametrize("text", NO_EXPORTS)
def test_what_is_no_export_is_named_or_empty(bring, text):
    report = bring(text)
    assert (report.sessions, report.messages) == (0, 0)
    assert report.skipped_count == (0 if not text.strip() else 1)


def test_deep_nesting_is_refused(bring):
    report = bring("[" + json.dumps(GOOD[0]) + ',{"mapping":' + "[" * 9_999 + "]" * 9_999 + "}]")
    assert report.sessions == 1
    assert report.skipped_count == 1


def test_a_zip_is_read_and_never_unpacked(memory, tmp_path):
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil/conversations.json", json.dumps(GOOD))
        archive.writestr("/etc/other.json", json.dumps([exports.simple_chatgpt("g3")]))
        archive.writestr("user.json", json.dumps({"id": "u", "email": "ada@example.org"}))
        archive.writestr("file-1.png", b"\x89PNG")
    report = import_chats(memory, path, user="ada")
    assert report.sessions == 3
    assert (report.skipped, report.ignored) == ([], ["export.zip/user.json"])
    assert sorted(p.name for p in (tmp_path / "in").iterdir()) == ["export.zip"]
    assert not (tmp_path.parent / "evil").exists()


def test_a_bomb_in_a_zip_is_refused(memory, tmp_path):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", "[" + " " * 30_000_000 + "]")
        archive.writestr("b.json", json.dumps(GOOD))
    (tmp_path / "bomb.zip").write_bytes(bomb.getvalue())
    report = import_chats(memory, tmp_path / "bomb.zip")
    assert report.sessions == 2
    assert "grows more than 200 times" in report.skipped[0].reason


def test_a_zip_whose_parts_are_too_much_together(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MAX_TOTAL", 3_000)
    with zipfile.ZipFile(tmp_path / "big.zip", "w") as archive:
        for n in range(5):
            archive.writestr(f"{n}.json", json.dumps([exports.simple_chatgpt(f"z{n}")]))
    report = import_chats(memory, tmp_path / "big.zip")
    assert 0 < report.sessions < 5
    assert report.skipped_count == 5 - report.sessions


def test_a_damaged_zip_is_named(memory, tmp_path):
    with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", json.dumps([exports.simple_chatgpt(str(n)) for n in range(50)]))
    data = bytearray((tmp_path / "d.zip").read_bytes())
    data[200:260] = b"\xff" * 60
    (tmp_path / "d.zip").write_bytes(data)
    report = import_chats(memory, tmp_path / "d.zip")
    assert report.skipped_count >= 1


@pytest.mark.parametrize("between", ["", " ", "\n"])
def test_what_stands_behind_an_array_is_named(bring, between):
    report = bring(json.dumps(GOOD[:1]) + between + json.dumps(GOOD[1:]))
    assert report.sessions == 1
    [skipped] = report.skipped
    assert "behind the end of the array" in skipped.reason


@pytest.mark.parametrize("type", [["object", "null"], {"enum": ["user"]}, None, 7])
def test_any_json_beside_an_export_is_passed_over(memory, tmp_path, type):
    (tmp_path / "a.json").write_text(json.dumps({"type": type, "message": {}, "sessionId": "x"}))
    (tmp_path / "b.json").write_text(json.dumps(GOOD))
    report = import_chats(memory, tmp_path)
    assert (report.sessions, report.ignored) == (len(GOOD), ["a.json"])


@pytest.mark.parametrize("type", [["user"], {"x": 1}])
def test_a_line_of_odd_type_in_a_transcript_is_named(bring, type):
    lines = exports.lines(exports.claude_code("s", ("user", "Hi"), ("assistant", "Hello")))
    report = bring(lines + json.dumps({"type": type, "message": {}, "sessionId": "s"}))
    assert report.messages == 2
    assert "unknown line of type" in report.skipped[0].reason


@pytest.mark.parametrize("start", ["", "postgresql:/", "POSTGRESQL//"])
def test_a_url_that_is_written_wrong_shows_no_password(memory, start):
    with pytest.raises(ConfigError, match="a URL begins with its scheme") as caught:
        import_chats(memory, f"{start}app:hunter2@db/app")
    assert "hunter2" not in str(caught.value)


def test_a_path_that_is_too_long_is_named(memory):
    with pytest.raises(ConfigError, match="too long"):
        import_chats(memory, "x" * 5_000)


def test_a_folder_is_read_in_order(memory, tmp_path):
    folder = tmp_path / "exports"
    (folder / "deep").mkdir(parents=True)
    (folder / "conversations-000.json").write_text(json.dumps(GOOD[:1]))
    (folder / "deep" / "conversations-001.json").write_text(json.dumps(GOOD[1:]))
    (folder / "notes.txt").write_text("not an export")
    (folder / "outside.json").symlink_to("/etc/hostname")
    report = import_chats(memory, folder, user="ada")
    assert (report.sessions, report.skipped) == (2, [])


def test_nothing_is_unpickled(memory, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pkl").write_bytes(pickle.dumps({"mapping": {}}))
    (tmp_path / "in" / "b.json").write_bytes(pickle.dumps([1]))
    with SqliteSaver.from_conn_string(str(tmp_path / "in" / "c.db")) as saver:
        saver.setup()
        saver.conn.execute(
            "INSERT INTO checkpoints VALUES ('t', '', '1', NULL, 'pickle', ?, '{}')",
            (pickle.dumps([1]),),
        )
        saver.conn.commit()
    report = import_chats(memory, tmp_path / "in")
    reasons = [skipped.reason for skipped in report.skipped]
    assert len(reasons) == 3
    assert all("never loaded" in reason for reason in reasons)


def test_nothing_is_fetched_from_the_web(memory):
    for url in ("https://example.org/a.json", "HTTP://example.org", "ftp://example.org/a"):
        with pytest.raises(ConfigError):
            import_chats(memory, url)
    with pytest.raises(ConfigError, match="no file or folder"):
        import_chats(memory, "missing.json")
    with pytest.raises(ConfigError, match="did you mean 'chatgpt'"):
        import_chats(memory, ".", format="chatgtp")


def test_sessions_of_somebody_else_are_left_alone_and_named(bring, memory):
    memory.session("chatgpt-g1", user="eve").add("mine")
    report = bring(GOOD)
    assert (report.sessions, report.skipped_count) == (1, 1)
    assert said(memory, "chatgpt-g1") == [("user", "mine")]


def test_an_interrupted_import_is_repeated(bring, memory):
    chats = [exports.simple_chatgpt(f"r{n}", turns=4) for n in range(6)]
    bring(chats[:3])
    memory.session("chatgpt-r1").rewind(last=2)  # as if it had stopped there
    report = bring(chats)
    assert (report.messages, report.existing, report.new_sessions) == (14, 10, 3)
    texts = [text for _, text in said(memory, "chatgpt-r1")]
    assert texts == [f"r1 says {n}" for n in range(4)]


def test_an_edit_made_here_survives_the_next_import(bring, memory):
    bring(GOOD)
    chat = memory.session("chatgpt-g1")
    chat.replace(chat.items()[0].id, {"role": "user", "content": "[redacted]"})
    chat.update(title="My title")
    bring(GOOD)
    assert chat.items()[0].text == "[redacted]"
    assert chat.info().title == "My title"


def test_the_contract_holds_on_other_stores(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    for url in (f"file:{tmp_path / 'chats'}", "memory://"):
        with connect(url) as memory:
            assert import_chats(memory, tmp_path / "a.json", user="ada").messages == 4
            assert import_chats(memory, tmp_path / "a.json", user="ada").existing == 4
