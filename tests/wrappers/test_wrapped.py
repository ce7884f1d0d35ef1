"""Wrappers by a setting of `connect`: what a Memory does on them, and in which order they lie."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.wrappers.conftest import STREAM, stored
from threadkeep import connect
from threadkeep.backends.encrypted import EncryptedBackend, new_key
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.observed import ObservedBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.errors import ConfigError, WrongKey
from threadkeep.types import Record

KEY = new_key()
STORES = {
    "url": lambda path: f"sqlite:///{path}",
    "dict": lambda path: {"type": "sqlite", "path": path},
    "path": lambda path: path,
}


@pytest.mark.parametrize("spelling", STORES)
def test_a_key_encrypts_whatever_is_said_of_a_session(spelling, tmp_path):
    path = tmp_path / "chat.db"
    store = STORES[spelling](path)
    with connect(store, key=KEY) as memory:
        chat = memory.session("chat", user="ada", metadata={"about": "eagles"})
        chat.add("the eagle lands at noon")
        chat.files.add({"url": "https://example.com/eagle.png"})
        chat.update(title="eagle")
    assert b"eagle" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    with connect(store, key=[new_key(), KEY]) as memory:
        chat = memory.session("chat", user="ada")
        assert [item.text for item in chat.items()] == ["the eagle lands at noon"]
        assert chat.files.list()[0].url == "https://example.com/eagle.png"
        assert memory.sessions(user="ada")[0].title == "eagle"
    with connect(store, key=new_key()) as memory, pytest.raises(WrongKey):
        memory.session("chat").items()


def test_a_forged_message_hides_no_other(tmp_path):
    inner = MemoryBackend()
    chat = connect(inner, key=KEY).session("chat")
    first, second = chat.add("one", "two")
    plain = connect(forger := MemoryBackend()).session("chat")
    plain.add({"id": first.id, "role": "user", "content": "forged"})
    body = next(r.body for r in stored(forger, STREAM) if r.id == first.id)
    inner.commit(STREAM, put=[Record("item", first.id, body, 1.0)], now=1.0)
    found = chat.items()
    assert "forged" not in found[0].text
    assert found[1] == second


def test_telemetry_lies_inside_and_measures_the_store(tmp_path):
    with connect(f"sqlite:///{tmp_path}/chat.db", key=KEY, observe=True) as memory:
        outer = memory._engine.backend
        assert isinstance(outer, EncryptedBackend)
        assert isinstance(outer.inner, ObservedBackend)
        assert isinstance(outer.inner.inner, SqliteBackend)
        assert "AES" in outer.describe()["encryption"]
        assert outer.describe()["path"].endswith("chat.db")
        memory.session("chat").add("x")
        assert outer.inner.in_use == 0


def test_a_backend_of_the_applications_own_stays_open():
    inner = MemoryBackend()
    with connect(inner, key=KEY, observe=True) as memory:
        memory.session("chat").add("x")
    assert stored(inner, STREAM)


def test_settings_say_nothing_of_the_key():
    memory = connect("memory://", key=KEY)
    assert KEY not in repr(memory) + repr(memory._engine.settings)
    with pytest.raises(ConfigError, match="twice") as error:
        connect({"type": "memory", "key": KEY}, key="hunter2")
    assert KEY not in str(error.value)
    assert "hunter2" not in str(error.value)


def test_observe_is_yes_or_no():
    with pytest.raises(ConfigError, match="observe"):
        connect("memory://", observe="perhaps")


@pytest.mark.parametrize(
    ("package", "option", "extra"),
    [("cryptography", f"key={KEY!r}", "crypto"), ("opentelemetry", "observe=True", "otel")],
    ids=["crypto", "otel"],
)
def test_without_its_package_the_error_names_the_extra(package, option, extra):
    script = f"""
import sys
sys.modules[{package!r}] = None
import threadkeep
threadkeep.connect("memory://").session("chat").add("x")
try:
    threadkeep.connect("memory://", {option})
except threadkeep.errors.MissingExtra as error:
    assert "threadkeep[{extra}]" in str(error), error
else:
    raise AssertionError("it was not missed")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
