"""Histories of Solace Agent Mesh's own History Service, imported.

The files in `solace/` are what its `file` provider wrote in release 0.2.4, the last one to have a
History Service: two histories, with an answer that names the actions behind it, neighbours that
were merged, a dict, an action nobody has answered, and a file that has expired.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import threadkeep
from threadkeep.errors import ConfigError, NotOwner
from threadkeep.longterm import summaries
from threadkeep.service import HistoryService, import_solace
from threadkeep.types.knowledge import Summary

WRITTEN = Path(__file__).with_name("solace")
ENTRIES = json.loads((WRITTEN / "sessions_web-1_history.json").read_text("utf-8"))["history"]


class Old:
    """A history service of theirs as far as an import sees it: it goes on, and cuts its front."""

    def __init__(self, *said):
        self.data: dict[str, Any] = {
            "history": [{"role": r, "content": c} for r, c in said],
            "files": [],
        }

    def get_all_sessions(self):
        return ["s"]

    def get_session(self, session_id):
        return self.data

    def say(self, role, content, merged=False, cut=0):
        history = self.data["history"]
        if merged:
            history[-1]["content"] += "\n\n" + content
        else:
            history.append({"role": role, "content": content})
        del history[:cut]


def contents(service, session="s"):
    return [entry["content"] for entry in service.get_history(session)]


@pytest.mark.proves("C9")
def test_histories_and_files_come_over_as_they_were(service):
    for _ in range(2):  # a second import adds nothing
        assert import_solace(WRITTEN, service) == {"web-1": 4, "läufer 2": 2}
        assert service.get_history("web-1") == ENTRIES
        assert list(service.get_files("web-1").keys()) == ["amfs://reports/may.csv"]
        assert service.get_files("web-1")["amfs://reports/may.csv"]["file_size"] == 812
        assert service.get_history("läufer 2") == [
            {"role": "system", "content": {"tone": "brief", "languages": ["de", "fr"]}},
            {"role": "user", "content": "Grüße 👋"},
        ]
    item = service.memory.session("web-1").items()[0]
    assert item.created_at == datetime(2025, 6, 1, 14, 20, tzinfo=UTC)


@pytest.mark.proves("C9")
def test_the_source_is_only_read(service, tmp_path):
    copied = tmp_path / "old"
    shutil.copytree(WRITTEN, copied)
    before = {path: path.read_bytes() for path in copied.iterdir()}
    for path in copied.iterdir():
        path.chmod(0o400)
    import_solace(copied, service)
    assert {path: path.read_bytes() for path in copied.iterdir()} == before


def test_into_a_memory_of_a_user():
    with threadkeep.connect("memory://") as memory:
        import_solace(WRITTEN, memory, user_id="ada")
        assert [item.text for item in memory.session("web-1", user="ada").items()] == [
            entry["content"] for entry in ENTRIES
        ]
        with pytest.raises(NotOwner):
            import_solace(WRITTEN, memory, user_id="eve")


def test_any_provider_of_theirs_is_a_source(service):
    assert import_solace(Old(("user", "hi"), ("assistant", "hello")), service) == {"s": 2}
    assert contents(service) == ["hi", "hello"]


@pytest.mark.proves("C9")
def test_what_was_said_since_is_added(service):
    old = Old(("user", "yes"), ("assistant", "fine"), ("user", "yes"))
    import_solace(old, service)
    old.say("assistant", "fine")
    old.say("user", "yes")
    import_solace(old, service)
    assert contents(service) == ["yes", "fine", "yes", "fine", "yes"]


def test_an_entry_that_has_grown_since_is_one_entry(service):
    old = Old(("user", "one"), ("assistant", "two"))
    import_solace(old, service)
    old.say("assistant", "and more", merged=True)
    old.say("user", "three")
    import_solace(old, service)
    assert contents(service) == ["one", "two\n\nand more", "three"]


def test_where_the_old_service_has_cut_its_front_nothing_is_doubled(service):
    old = Old(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    import_solace(old, service)
    old.say("user", "e", cut=3)
    import_solace(old, service)
    assert contents(service) == list("abcde")
    old.say("assistant", "f", cut=2)  # nothing it had is left
    import_solace(old, service)
    assert contents(service) == list("abcdef")


def test_where_our_policy_has_cut_the_front_nothing_comes_back(serve, provider):
    service = serve(provider, history_policy={"max_turns": 2})
    old = Old(("user", "a"), ("assistant", "b"), ("user", "c"))
    import_solace(old, service)
    assert contents(service) == ["b", "c"]
    old.say("assistant", "d")
    import_solace(old, service)
    assert contents(service) == ["c", "d"]


def test_what_was_said_here_meanwhile_stays(service):
    old = Old(("user", "a"), ("assistant", "b"))
    import_solace(old, service)
    service.store_history("s", "user", "here")
    old.say("user", "there")
    import_solace(old, service)
    assert contents(service) == ["a", "b", "here\n\nthere"]


def test_a_history_cut_short_hides_no_other(service, tmp_path, caplog):
    shutil.copytree(WRITTEN, tmp_path / "old")
    (tmp_path / "old/sessions_web-1_history.json").write_text('{"history": [{"role": "us')
    assert import_solace(tmp_path / "old", service) == {"läufer 2": 2}
    assert "'web-1' cannot be read" in caplog.text


def test_what_is_left_behind_is_said(service, caplog):
    old = Old(("user", "a"))
    old.data.update(files=[{"size": 3}, {"name": "a.txt"}])
    import_solace(old, service)
    assert "a file of session 's' is left behind: file needs a url or a name" in caplog.text
    assert list(service.get_files("s").keys()) == ["a.txt"]


class Learned:
    """The store of their long-term memory: a session for each identity."""

    def __init__(self, **memories):
        self.memories = memories

    def get_all_sessions(self):
        return list(self.memories)

    def get_session(self, session_id):
        return {"memory": self.memories[session_id]}


ADA = {
    "facts": ["Name is Ada", "Is a software engineer", 7, ""],
    "instructions": ["Always reply in a formal tone"],
}


def texts(entries):
    return [entry.text for entry in entries]


@pytest.mark.proves("C9")
def test_facts_instructions_and_summaries_come_over_once(service, caplog):
    old = Old(("user", "hi"))
    old.data["summary"] = "They greeted."
    learned = Learned(ada=ADA, s={"facts": ["Likes tea"]}, None_={"facts": ["x"]})
    learned.memories["None"] = {"facts": ["Somebody likes coffee"], "instructions": []}
    memory, ada = service.memory, service.memory.user("ada")
    for counts in ((4, 1, 1), (0, 0, 0)):
        report = import_solace(old, service, longterm=learned)
        assert report == {"s": 1}
        assert (report.facts, report.instructions, report.summaries) == counts
        assert texts(ada.facts.list()) == ["Name is Ada", "Is a software engineer"]
        assert [fact.seen for fact in ada.facts.list()] == [1, 1]
        assert texts(ada.instructions.list()) == ["Always reply in a formal tone"]
        assert texts(memory.session("s").facts.list()) == ["Likes tea"]
        assert memory.session("s").summary().text == "They greeted."
        assert texts(memory.user("None").facts.list()) == []
    assert "one of the facts of 'ada' is not a text" in caplog.text
    assert "from all users without identity is left behind" in caplog.text
    ada.facts.forget(ada.facts.list()[0].id)
    assert import_solace(old, service, longterm=learned).facts == 0
    assert texts(ada.facts.list()) == ["Is a software engineer"]


def test_knowledge_beside_the_histories_in_one_store(service, tmp_path):
    (tmp_path / "sessions_ada_history.json").write_text(json.dumps({"memory": ADA}))
    both = {"history": [{"role": "user", "content": "hi"}], "files": [], "memory": ADA}
    (tmp_path / "sessions_web_history.json").write_text(json.dumps(both))
    report = import_solace(tmp_path, service, user_id="eve")
    assert report == {"web": 1}
    for user in ("ada", "eve"):
        assert len(service.memory.user(user).facts.list()) == 2


def test_a_summary_that_was_written_here_since_stays(service):
    old = Old(("user", "hi"))
    old.data["summary"] = "They greeted."
    import_solace(old, service)
    old.data["summary"] = "They greeted twice."
    assert import_solace(old, service).summaries == 1
    chat = service.memory.session("s")
    before = summaries.load(chat._engine, "s")
    after = Summary("s", "Ours", last_seq=chat.items()[-1].seq)
    summaries.write(chat._engine, before, after, generation=before.generation, user=None)
    assert import_solace(old, service).summaries == 0
    assert chat.summary().text == "Ours"


def test_a_folder_that_is_not_there_is_named(service, tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        import_solace(tmp_path / "nowhere", service)
    assert HistoryService is threadkeep.HistoryService
