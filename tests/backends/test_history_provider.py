"""Stores of four methods keep the contract in one process, those of five in any number."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import threadkeep
from tests.backends.history_providers import (
    DictProvider,
    FolderProvider,
    Incomplete,
    TableProvider,
)
from threadkeep.backends.history_provider import HistoryProviderBackend, session_data
from threadkeep.config import plugins
from threadkeep.errors import BackendError, ConfigError, CorruptRecord
from threadkeep.service import BaseHistoryProvider
from threadkeep.testing import BackendContract
from threadkeep.testing.concurrency import (
    append_batches,
    check_acks,
    run_in_threads,
)
from threadkeep.testing.contract.common import HOSTILE, NOW, item, read

S = "test/session/provider"


def open_table(path):
    return HistoryProviderBackend(TableProvider({"path": path}))


def open_folder(path):
    return HistoryProviderBackend(FolderProvider({"path": path}))


class TestDictProvider(BackendContract):
    @pytest.fixture
    def backend(self):
        backend = HistoryProviderBackend(DictProvider())
        yield backend
        backend.close()


@pytest.mark.slow
class TestTableProvider(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path):
        backend = open_table(str(tmp_path / "history.db"))
        yield backend
        backend.close()

    @pytest.fixture
    def reopen(self, tmp_path):
        return partial(open_table, str(tmp_path / "history.db"))

    @pytest.fixture
    def share(self):
        return 0.02


def test_two_backends_over_one_folder_take_turns(tmp_path):
    backends = [open_folder(str(tmp_path)) for _ in range(2)]
    writers = [
        partial(append_batches, backends[n % 2], S, f"t{n}", commits=20, seconds=1, now=NOW)
        for n in range(8)
    ]
    acks = [ack for acks_of_writer in run_in_threads(*writers) for ack in acks_of_writer]
    check_acks(acks, read(backends[0], S).records)


def test_only_the_fifth_method_sees_a_write_of_another_process(tmp_path, monkeypatch):
    """The limit is real: what is documented as unsafe loses a write, the other does not."""

    class TableOfFour(TableProvider):
        compare_and_set: Any = None

    for cls, expected in ((TableProvider, ["theirs", "ours"]), (TableOfFour, ["ours"])):
        path = str(tmp_path / f"{cls.__name__}.db")
        other = open_table(path)
        provider = cls({"path": path})
        interrupted = _interrupted(provider.get_session, partial(_put, other, "theirs"))
        monkeypatch.setattr(provider, "get_session", interrupted)
        _put(HistoryProviderBackend(provider), "ours")
        assert [record.id for record in read(other, S).records] == expected


def _interrupted(get_session, interrupt):
    """The method, with another writer's commit after its first answer."""
    interrupts = [interrupt]

    def get(session_id):
        data = get_session(session_id)
        while interrupts:
            interrupts.pop()()
        return data

    return get


def _put(backend, id):
    backend.commit(S, put=[item(id)], now=NOW)


def test_a_provider_describes_how_many_may_write(tmp_path):
    assert HistoryProviderBackend(DictProvider()).describe() == {
        "engine": "history provider DictProvider",
        "writers": "one: no compare_and_set",
    }
    assert open_table(str(tmp_path / "t.db")).describe()["writers"] == "any number"


def test_connect_takes_a_provider_and_leaves_it_open():
    class Closable(DictProvider):
        closed = False

        def close(self):
            self.closed = True

    provider = Closable()
    with threadkeep.connect(provider) as memory:
        memory.session("a", user="ada").add("Hello")
        memory.user("ada").facts.add("Ada likes tea")
    assert not provider.closed
    with threadkeep.connect(provider) as memory:
        assert memory.session("a").items()[0].text == "Hello"
        assert [fact.text for fact in memory.user("ada").facts.list()] == ["Ada likes tea"]


def test_an_incomplete_provider_is_refused_by_name_of_what_it_lacks():
    class Half:
        def get_session(self, session_id):
            return {}

        async def get_all_sessions(self):
            return []

        def delete_session(self, session_id):
            pass

    with pytest.raises(ConfigError, match=r"Half .* lacks get_all_sessions, store_session"):
        threadkeep.connect(Half())
    with pytest.raises(ConfigError, match="delete_session"):
        plugins.build(Incomplete, {})
    assert set(BaseHistoryProvider.__abstractmethods__) == {
        "get_all_sessions",
        "get_session",
        "store_session",
        "delete_session",
    }


def test_other_sessions_of_the_provider_are_left_alone():
    provider = DictProvider()
    provider.store_session("web-1", {"history": [{"role": "user", "content": "Hi"}]})
    backend = HistoryProviderBackend(provider)
    backend.commit("t/a", put=[item("x")], ttl=1, now=NOW)
    assert backend.streams("")[0] == ["t/a"]
    assert backend.sweep(NOW + 2) == 1
    assert provider.get_all_sessions() == ["web-1"]


def test_what_a_provider_raises_or_damages_is_an_error_of_ours(monkeypatch):
    provider = DictProvider()
    backend = HistoryProviderBackend(provider)
    backend.commit(S, put=[item("x")], now=NOW)
    provider.sessions[session_data.session_id(S)]["history"] = []
    with pytest.raises(CorruptRecord, match="does not hold what threadkeep stored"):
        read(backend, S)
    monkeypatch.setattr(provider, "get_session", lambda session_id: 1 // 0)
    with pytest.raises(BackendError, match=r"DictProvider failed in .*ZeroDivisionError"):
        read(backend, S)


def test_session_ids_are_file_names_and_distinct_without_case():
    streams = ["t/" + name for name in HOSTILE if len(name.encode()) < 500]
    sessions = [session_data.session_id(stream) for stream in streams]
    assert all(session.isascii() and len(session) <= 180 for session in sessions)
    assert all(
        not set(session) - set("abcdefghijklmnopqrstuvwxyz0123456789_-.") for session in sessions
    )
    assert len({session.casefold().strip() for session in sessions}) == len(streams)
    assert all(
        session_data.stream_name(session) in (stream, None)
        for session, stream in zip(sessions, streams, strict=True)
    )
