"""One object per identifier, for as long as it is open."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import threadkeep
from threadkeep.errors import BackendError, ConfigError
from threadkeep.service import HistoryService


@pytest.mark.proves("A2")
def test_one_identifier_is_one_object_from_any_thread():
    start = threading.Barrier(16)

    def construct(_):
        start.wait()
        return HistoryService({"type": "memory"}, identifier="shared")

    with ThreadPoolExecutor(16) as pool:
        assert len({id(made) for made in pool.map(construct, range(16))}) == 1


@pytest.mark.proves("A2")
def test_the_same_configuration_may_be_spelled_differently():
    first = HistoryService({"max_turns": 40, "history_policy": {"retention": "policy"}}, "s")
    assert HistoryService({"type": "memory", "time_to_live": 3600.0, "module_path": "."}, "s")
    assert HistoryService({}, "s") is HistoryService(None, "s") is first


@pytest.mark.proves("A2")
@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("time_to_live", {"time_to_live": 1}),
        ("type", {"type": "none"}),
        ("max_turns", {"history_policy": {"max_turns": 3}}),
        ("max_sessions", {"max_sessions": 3}),
        ("module_path", {"type": "custom", "module_path": "tests.service.shelf"}),
    ],
)
def test_another_configuration_is_refused_by_the_key_that_differs(key, config):
    first = HistoryService({}, identifier="taken")
    with pytest.raises(ConfigError, match=r"'taken' .*close\(\) releases") as refused:
        HistoryService(config, identifier="taken")
    assert key in str(refused.value) or (key, "type") == ("module_path", "type")
    first.close()
    assert HistoryService(config, identifier="taken") is not first


@pytest.mark.proves("A2")
def test_identifiers_keep_sessions_and_files_apart(serve, tmp_path):
    config = {"type": "sqlite", "path": str(tmp_path / "shared.db")}
    one, other = serve(config, "one"), serve(config, "other")
    one.store_history("s", "user", "Hello", identity="ada")
    one.store_file("s", {"name": "a.txt"})
    assert (other.get_history("s"), other.get_files("s")) == ([], {})
    other.store_history("s", "user", "Good day", identity="bob")
    assert [info.user for info in one.memory.sessions()] == ["ada"]


@pytest.mark.proves("A2")
@pytest.mark.parametrize("name", ["a/b", "ü" * 60, "x" * 3_000, "\ud800", "a\0b", "=", "%41", "A"])
def test_any_text_is_an_identifier_of_its_own(serve, tmp_path, name):
    config = {"type": "sqlite", "path": str(tmp_path / "shared.db")}
    service, other = serve(config, name), serve(config, f"{name}a")
    service.store_history("s", "user", "Hello")
    other.store_history("s", "user", "Good day")
    assert [entry["content"] for entry in service.get_history("s")] == ["Hello"]


def test_without_an_identifier_the_sessions_are_those_of_connect(tmp_path):
    path = tmp_path / "shared.db"
    HistoryService({"type": "sqlite", "path": path}).store_history("s", "user", "Hello")
    with threadkeep.connect(path) as memory:
        assert [item.text for item in memory.session("s").items()] == ["Hello"]


def test_a_closed_service_says_so_and_its_identifier_is_free():
    service = HistoryService({}, identifier="closed")
    service.close()
    service.close()
    with pytest.raises(BackendError, match="this HistoryService is closed"):
        service.get_history("s")
    with HistoryService({"max_turns": 1}, identifier="closed") as other:
        assert other is not service
    with pytest.raises(BackendError, match="closed"):
        other.store_history("s", "user", "Hello")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on(serve, tmp_path):
    service = serve(type="sqlite", path=str(tmp_path / "shared.db"), expiration_check_interval=60)
    service.store_history("s", "user", "parent")
    if (child := os.fork()) == 0:
        service.store_history("s", "assistant", "child")
        living = [thread.name for thread in threading.enumerate()]
        service.close()
        os._exit(0 if any("threadkeep" in name for name in living) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [entry["content"] for entry in service.get_history("s")] == ["parent", "child"]


def test_without_an_identity_a_session_stands_for_itself(serve, provider):
    """No two of them share anything, nor are they anybody's."""
    service = serve(provider)
    for session in ("a", "b"):
        service.store_history(session, "user", f"I am {session}", identity=None)
        service.store_file(session, {"name": f"of {session}"})
    service.store_history("c", "user", "I am Ada", identity="ada")
    for session in ("a", "b"):
        assert service.get_history(session) == [{"role": "user", "content": f"I am {session}"}]
        assert list(service.get_files(session).keys()) == [f"of {session}"]
        assert service.memory.session(session).info().user is None
        assert service.get_facts(session, None) == []
    assert [info.id for info in service.memory.sessions(user="ada")] == ["c"]
