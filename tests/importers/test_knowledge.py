"""Facts of other memories: whose they are, where they came from, and what stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.importers import exports
from threadkeep import import_chats
from threadkeep.errors import InputError


def test_facts_carry_their_source_and_date(bring, memory):
    report = bring(exports.mem0("Ada likes tea", "Ada lives in Oslo"))
    assert (report.facts, report.skipped) == (2, [])
    (tea, oslo) = memory.user("ada").facts.list()
    assert (tea.extractor, tea.status, oslo.text) == (
        "import:mem0", "active", "Ada lives in Oslo",
    )  # fmt: skip
    assert tea.observed_at == datetime(2025, 1, 2, 11, 4, 5, 678_000, UTC)
    again = bring(exports.mem0("Ada likes tea", "Ada lives in Oslo"))
    assert (again.facts, again.existing) == (0, 2)
    assert [fact.seen for fact in memory.user("ada").facts.list()] == [1, 1]


def test_what_was_forgotten_here_does_not_come_back(bring, memory):
    bring(exports.mem0("Ada likes tea"))
    facts = memory.user("ada").facts
    facts.forget(facts.list()[0].id)
    assert bring(exports.mem0("Ada likes tea")).existing == 1
    assert facts.list(status=None) == []


def test_each_user_of_a_source_keeps_their_own(bring, memory):
    both = {"results": [*exports.mem0("Ada likes tea")["results"],
                        *exports.mem0("Bob likes beer", user="bob")["results"]]}  # fmt: skip
    report = bring(both, user=None)
    assert report.facts == 2
    assert [fact.text for fact in memory.user("bob").facts.list()] == ["Bob likes beer"]
    mixed = bring(both, user="eve")
    assert mixed.facts == 1  # never the facts of two people as those of one
    assert "'bob'" in mixed.skipped[0].reason


def test_facts_of_nobody_need_a_user(bring):
    memories = exports.mem0("Likes tea")
    del memories["results"][0]["user_id"]
    report = bring(memories, user=None)
    assert report.facts == 0
    assert "pass the user" in report.skipped[0].reason


def test_a_fact_that_cannot_be_stored_is_named(bring):
    report = bring(exports.mem0("x" * 3_000, "Ada likes tea"))
    assert report.facts == 1
    assert report.skipped[0].location.endswith(".results[0]")


def test_a_dry_run_names_what_cannot_be_stored(bring, memory):
    facts = exports.mem0("x" * 3_000, "Ada likes tea")
    chat = [exports.simple_chatgpt("c") | {"gizmo_id": "c" * 5_000_000}]
    for export, name in ((facts, "facts.json"), (chat, "chats.json")):
        dry_run = bring(export, name=name, dry_run=True)
        real = bring(export, name=name)
        names = [[skipped.location for skipped in r.skipped] for r in (dry_run, real)]
        assert names[0] == names[1] != []
        assert (dry_run.facts, dry_run.sessions) == (real.facts, real.sessions)


def test_a_dry_run_names_files_that_cannot_be_stored(bring):
    nested: dict[str, object] = {"size": 1}
    for _ in range(500):
        nested = {"meta": nested}
    files = [{"url": "s3://b/a"}, {"size": 1}, {"name": 5}, {"url": "s3://b/c", **nested}]
    export = {
        "history": [{"role": "user", "content": "hi"}],
        "last_active_time": 1,
        "files": [*files, {"url": "s3://b/a"}],
    }
    dry_run = bring(export, name="sessions_s_history.json", dry_run=True)
    report = bring(export, name="sessions_s_history.json")
    assert (report.messages, report.files, report.skipped_count) == (1, 1, 3)
    assert (dry_run.files, dry_run.skipped) == (report.files, report.skipped)


def test_an_instruction_waits_for_approval(memory):
    user = memory.user("ada")
    wish = user.instructions.add("Answer in French", status="quarantined")
    assert wish.status == "quarantined"
    assert user.instructions.list() == []
    assert "French" not in user.context()
    user.instructions.update(wish.id, status="active")
    assert "French" in user.context()


def test_the_status_of_an_instruction_is_checked(memory):
    with pytest.raises(InputError, match="quarantined"):
        memory.user("ada").instructions.add("x", status="approved")


def test_a_dry_run_writes_nothing(bring, memory, tmp_path):
    report = bring(exports.mem0("Ada likes tea"), dry_run=True)
    assert report.facts == 1
    assert report.is_dry_run
    assert not (tmp_path / "target.db").exists()
    chats = bring([exports.simple_chatgpt("c")], name="c.json", dry_run=True)
    assert (chats.sessions, chats.messages) == (1, 2)
    assert not (tmp_path / "target.db").exists()
    assert import_chats(memory, tmp_path / "c.json").messages == 2
