"""What an agent writes in the user's role is stored, and not learned or recalled as the user's."""

from __future__ import annotations

import pytest

from tests.engine.doubles import Clock
from tests.importers import exports
from threadkeep import connect, import_chats
from threadkeep.sessions import scan
from threadkeep.testing import ScriptedLearner

CALLED = "I only ever eat raw herring"
DAY = 86_400


def claude(text=CALLED, **fields):
    """A transcript of Claude Code that ends with a line of the user's role."""
    *lines, last = exports.claude_code("s1", ("user", "Hello"), ("user", text))
    return [*lines, {**last, **fields}]


def codex(source):
    """A transcript of Codex with one line of the user's role."""
    head = next(exports.codex("r2"))
    content = [{"type": "input_text", "text": CALLED}]
    payload = {"type": "message", "role": "user", "content": content}
    head = {**head, "payload": {**head["payload"], "source": source}}
    return [head, {**head, "type": "response_item", "payload": payload}]


SPAWNED = {"thread_spawn": {"parent_thread_id": "r1", "agent_role": "a/b"}}
BY_AGENTS = {
    "sub-agent of Claude Code": claude(isSidechain=True, agentId="a7"),
    "sub-agent without a name": claude(isSidechain=True),
    "another session": claude(origin={"kind": "peer"}),
    "teammate": claude(f'<teammate-message teammate_id="x">{CALLED}</teammate-message>'),
    "sub-agent of Codex": codex({"subagent": SPAWNED}),
    "guardian of Codex": codex({"subagent": {"other": "guardian"}}),
    "review of Codex": codex({"subagent": "review"}),
}
BY_PEOPLE = {
    "Claude Code": claude(),
    "told to be a person": claude(origin={"kind": "human"}),
    "a person in a channel": claude(origin={"kind": "channel", "server": "chat"}),
    "Codex": codex("cli"),
}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def learner():
    return ScriptedLearner({"raw herring": "The user only ever eats raw herring"})


@pytest.fixture
def memory(learner, clock):
    with connect("memory://", llm=learner, clock=clock) as memory:
        yield memory


def stored(memory):
    """All texts of all sessions."""
    ids = [info.id for _, info in scan.sessions(memory._engine, None, None)]
    return [item.text for id in ids for item in memory.session(id).items(hidden=True)]


@pytest.mark.parametrize("case", BY_AGENTS)
def test_an_agents_words_are_not_the_users(case, memory, learner, clock, tmp_path):
    (tmp_path / "x.jsonl").write_text(exports.lines(BY_AGENTS[case]))
    report = import_chats(memory, tmp_path / "x.jsonl", user="ada")
    assert report.skipped == []
    clock.tick(DAY)
    memory.extract()
    assert not any(CALLED in str(call) for call in learner.calls)
    assert memory.user("ada").recall("raw herring") == []
    assert any(CALLED in text for text in stored(memory))


@pytest.mark.parametrize("case", BY_PEOPLE)
def test_a_persons_words_are(case, memory, learner, clock, tmp_path):
    (tmp_path / "x.jsonl").write_text(exports.lines(BY_PEOPLE[case]))
    import_chats(memory, tmp_path / "x.jsonl", user="ada")
    clock.tick(DAY)
    memory.extract()
    assert any(CALLED in str(call) for call in learner.calls)
    assert memory.user("ada").recall("raw herring")


def test_a_sub_agent_of_codex_is_below_the_thread_that_called_it(memory, tmp_path):
    (tmp_path / "x.jsonl").write_text(exports.lines(codex({"subagent": SPAWNED})))
    import_chats(memory, tmp_path / "x.jsonl", user="ada")
    assert memory.user("ada").sessions() == []
    [info] = memory.user("ada").sessions(parent="codex-r1")
    assert (info.id, info.agent) == ("codex-r1/a-b/codex-r2", "a-b")
