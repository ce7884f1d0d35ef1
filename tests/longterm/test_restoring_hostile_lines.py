"""Whatever the lines of an import say: all of it is refused, or what is stored can be read.

And it is nobody's but theirs who restored it.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import sys
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine import anything
from tests.engine.doubles import Clock
from tests.longterm.hostile_lines import exports, raw
from tests.longterm.test_forgetting import filled
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.cli.app import run
from threadkeep.errors import InputError
from threadkeep.types import Query
from threadkeep.types.record_kinds import KINDS

many = settings(
    max_examples=int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "75")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def exported():
    """A user with one of everything, as the lines of their export."""
    with connect(MemoryBackend(), clock=Clock()) as memory:
        ada = filled(memory, "ada")
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        ada.session("ada 0").add(
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "42"}]},
        )
        ada.session("ada 1").files.add({"url": "u", "expiration_timestamp": 9e9})
        return [json.loads(line) for line in ada.export().splitlines()]


NUMBERS = itertools.count()
LINES = exported()
HEAD = LINES[0]


def stored(memory):
    """Every record of the store, by stream."""
    names = sorted(set(memory._engine.backend.streams("")[0]))
    read = memory._engine.backend.read
    found = {}
    for name in names:
        pages = read(*(Query(name, kind) for kind in KINDS), now=memory._engine.now())
        found[name] = [record for page in pages for record in page.records]
    return {name: records for name, records in found.items() if records}


def target():
    """A store where others have something, under names that lines may use."""
    memory = connect(MemoryBackend(), clock=Clock())
    filled(memory, "bob")
    memory.user("bob").session("bobs").add("mine")
    memory.responses.add({"id": "ada r0", "output": []}, user="bob", conversation="bobs")
    memory.user("ada").session("ada 2").add("there already")
    return memory


def read_all(memory, user):
    """Every reading verb, on everything of a user."""
    ada = memory.user(user)
    for info in [*ada.sessions(limit=100), *memory.sessions(limit=100)]:
        chat = memory.session(info.id)
        assert not [item for item in chat.items() if item.metadata.get("unreadable") == "TypeError"]
        window = chat.window()
        for form in (window.to_openai, window.to_responses, window.to_anthropic):
            form()
        chat.files.list()
        chat.context("text", window=window)
        chat.info()
    for book in (ada.responses, ada.feedback):
        book.list(limit=100)
    ada.responses.usage()
    ada.facts.list(status=None)
    ada.instructions.list(status=None)
    ada.recall("text says likes 42")
    ada.context("text")
    with connect(MemoryBackend(), clock=Clock()) as other:
        text = ada.export()
        other.user(user).restore(text)
        assert len(other.user(user).export().splitlines()) == len(text.splitlines())


@many
@given(text=exports(LINES))
def test_restore_writes_nothing_or_what_the_user_can_read(text):
    with target() as memory:
        before = stored(memory)
        ada = memory.user("ada")
        try:
            ada.restore(text)
        except InputError:
            assert stored(memory) == before
            return
        after = stored(memory)
        fresh = {name: records for name, records in after.items() if name not in before}
        for name, records in before.items():
            if "sessions/ada" not in name:
                assert after[name] == records, name
        for name, records in fresh.items():
            noun = name.split("/")[1]
            assert noun in ("session", "user", "response", "sessions"), name
            assert "bob" not in name or noun in ("session", "response"), name
            for record in records:
                if noun == "session" and record.kind == "session":
                    assert json.loads(record.body)["user"] == "ada"
        read_all(memory, "ada")
        ada.forget()
        left = {name: records for name, records in stored(memory).items() if name in before}
        assert stored(memory).keys() <= before.keys()
        assert all(before[name] == records for name, records in left.items())


POISON = [
    ("text beside body", {"body": {"user": "ada"}, "text": '{"id":"s","user":"bob"}'}),
    ("another owner", {"body": {"id": "s", "user": "bob", "created_at": 1}}),
    ("another owner as text", {"text": '{"id":"s","user":"bob","created_at":1}'}),
    ("metadata of a list", {"body": {"id": "s", "user": "ada", "created_at": 1, "metadata": [1]}}),
    ("no date", {"body": {"id": "s", "user": "ada"}}),
    ("a user that is none", {"body": {"id": "s", "user": ["ada"], "created_at": 1}}),
    ("an empty user", {"body": {"id": "s", "user": "", "created_at": 1}}),
    ("a late date", {"body": {"id": "s", "user": "ada", "created_at": 1e300}}),
    ("an endless date", {"body": {"id": "s", "user": "ada", "created_at": "<1e999>"}}),
    ("a long date", {"body": {"id": "s", "user": "ada", "created_at": "<10**400>"}}),
    ("late", {"at": 1e300}),
    ("endless", {"at": "<1e999>"}),
    ("long", {"at": "<10**400>"}),
    ("longer", {"at": "<10**5000>"}),
    ("not a number", {"at": "<nan>"}),
    ("nested", {"body": "<nested>"}),
    ("nested by 300", {"body": "<nested 300>"}),
    ("no JSON", {"text": "{"}),
    ("its own end", {"expires": 9e9}),
    ("half a character", {"text": '{"id":"s","created_at":1,"title":"\ud800"}'}),
    ("no body", {"body": None}),
]
OWN = {"session": "s", "kind": "session", "id": "session", "at": 1.0}
GOOD = {"body": {"id": "s", "user": "ada", "created_at": 1}}


def poisoned(change):
    given = {**GOOD, **change} if "at" in change or "expires" in change else change
    good = {**OWN, "session": "good", "body": {"id": "good", "user": "ada", "created_at": 1}}
    item = {"session": "s", "kind": "item", "id": "i", "at": 1.0}
    item["body"] = {"role": "user", "content": "planted"}
    return "\n".join(map(raw, [HEAD, good, {**OWN, **given}, item]))


@pytest.mark.parametrize("change", [c for _, c in POISON], ids=[name for name, _ in POISON])
def test_restore_refuses_a_poisoned_session_by_its_line(change):
    with target() as memory:
        before = stored(memory)
        with pytest.raises(InputError, match=r"line 3\b"):
            memory.user("ada").restore(poisoned(change))
        assert stored(memory) == before


def item(**body):
    return {**OWN, "kind": "item", "id": "i", "body": {"role": "user", "content": "x", **body}}


RECORDS = [
    item(role=["x"]),
    item(tool_calls=[1]),
    item(tool_calls=[{"id": 1, "name": "f", "args": {}}]),
    item(raw="x"),
    item(name=["x"]),
    item(content=[{"type": "text"}]),
    item(content=5),
    item(metadata=[1]),
    item(created_at=1e300),
    item(created_at="<10**400>"),
    item(id="another"),
    {**OWN, "kind": "response_entry", "id": "mine", "body": {"id": "ada r0", "tokens": [1, 1, 1]}},
    {**OWN, "kind": "response", "id": "r", "body": {"id": "r", "created_at": 1, "user": "bob"}},
    {**OWN, "kind": "feedback", "id": "f", "body": {"id": "f", "rating": "so so"}},
    {**OWN, "kind": "file", "id": "f", "body": {"id": "f", "url": 1, "name": None, "metadata": {}}},
    {**OWN, **GOOD},
]


@pytest.mark.parametrize("line", RECORDS, ids=repr)
def test_restore_refuses_a_record_that_readers_would_stumble_over(line):
    with target() as memory:
        before = stored(memory)
        with pytest.raises(InputError, match=r"line 3\b"):
            memory.user("ada").restore("\n".join(map(raw, [HEAD, {**OWN, **GOOD}, line])))
        assert stored(memory) == before


def test_restore_gives_a_session_without_an_owner_to_who_restores():
    body = {"id": "s", "created_at": 1, "title": "T", "later": "a field"}
    own = {**OWN, "body": body}
    with target() as memory:
        assert memory.user("ada").restore("\n".join(map(raw, [HEAD, own, item()]))) == 1
        info = memory.session("s").info()
        assert (info.user, info.title) == ("ada", "T")
        assert "s" in [info.id for info in memory.user("ada").sessions()]
        record = stored(memory)["default/session/s"][0]
        assert json.loads(record.body) == {**body, "user": "ada"}


def test_a_line_too_long_to_be_one_is_refused():
    with target() as memory, pytest.raises(InputError, match="line 2 is longer"):
        memory.user("ada").restore([raw(HEAD), "x" * 40_000_000])


@many
@given(text=exports(LINES))
def test_the_command_line_ends_in_one_line_and_writes_all_or_nothing(text, tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/{next(NUMBERS)}.db"
    with connect(url, clock=Clock()) as memory:
        memory.session("there").add("x")
        before = stored(memory)
        code, err = imported(text, url, capsys)
        if code:
            assert (code, err.count("\n")) == (2, 1), err
            assert stored(memory) == before
        else:
            read_all(memory, "ada")


@pytest.mark.parametrize("change", [c for n, c in POISON if "owner" not in n], ids=repr)
def test_the_command_line_names_the_poisoned_line(change, tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/chat.db"
    with connect(url, clock=Clock()) as memory:
        code, err = imported(poisoned(change), url, capsys)
        assert (code, err.count("\n")) == (2, 1), err
        assert "line 3" in err
        assert stored(memory) == {}


def imported(text, url, capsys):
    patch = pytest.MonkeyPatch()
    patch.setattr(sys, "argv", ["threadkeep", "import", "--url", url])
    stdin = io.BytesIO(text.encode("utf-8", "surrogatepass"))
    patch.setattr(sys, "stdin", io.TextIOWrapper(stdin))
    capsys.readouterr()
    try:
        code = run()
    finally:
        patch.undo()
    return code, capsys.readouterr().err


@many
@given(messages=st.lists(anything.messages, max_size=4), metadata=anything.json)
def test_whatever_add_takes_can_be_exported_and_restored(messages, metadata):
    with connect(MemoryBackend()) as memory, connect(MemoryBackend()) as other:
        ada = memory.user("ada")
        for message in messages:
            with suppress(InputError):
                ada.session("s").add(message)
            with suppress(InputError):
                ada.responses.add({"output": [message], "input": metadata}, conversation="s")
            with suppress(InputError):
                ada.session("s").update(metadata={"k": metadata})
        text = ada.export()
        other.user("ada").restore(text)
        assert other.user("ada").export() == text
