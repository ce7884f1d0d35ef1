"""Whatever way a transcript grows, watching it stores what one import of the whole stores."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.durations import within
from tests.engine.doubles import Clock, Wrapper
from tests.importers import exports, transcripts
from threadkeep import connect, import_chats
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import BackendError, ConfigError
from threadkeep.importers import Watcher
from threadkeep.testing import ScriptedModel

TOOL_USE = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "cat x"}}


class Failing(Wrapper):
    """A store that fails at some commits, before they are made or behind."""

    def __init__(self, inner):
        super().__init__(inner)
        self.countdown, self.is_before = -1, True

    def commit(self, stream, **how):
        self.countdown -= 1
        if self.countdown == 0 and self.is_before:
            raise BackendError("the store went away")
        committed = self.inner.commit(stream, **how)
        if self.countdown == 0:
            raise BackendError("the answer was lost")
        return committed


def contents(memory):
    """All sessions with all of their items, also hidden ones."""
    found, cursor = {}, None
    while True:
        page = memory.sessions(cursor=cursor, limit=100)
        for info in page:
            for one in (info, *memory.sessions(parent=info.id)):
                items = memory.session(one.id).items(hidden=True)
                found[one.id] = (one.metadata, one.created_at, [(*fields(item),) for item in items])
        cursor = page.cursor
        if cursor is None:
            return found


def fields(item):
    return (
        item.id, item.role, item.type, item.content, item.tool_calls, item.tool_call_id,
        item.model, item.usage, item.metadata, item.hidden, item.created_at,
    )  # fmt: skip


def imported(folder, whole):
    path = folder / "once" / "rollout-r1.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(whole)
    memory = connect("memory://", clock=Clock())
    import_chats(memory, path.parent, user="ada")
    return contents(memory)


def test_any_schedule_of_appends_and_kills_stores_what_one_import_does(tmp_path):
    numbers = itertools.count()

    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(schedule=transcripts.schedules(), data=st.data())
    def compared(schedule, data):
        whole, pieces = schedule
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        store = Failing(MemoryBackend())
        memory = connect(store, clock=Clock())
        path, state = folder / "rollout-r1.jsonl", folder / "state"
        watcher = Watcher(memory, [folder], user="ada", state=state)
        for piece, kill in pieces:
            with path.open("ab") as file:
                file.write(piece)
            if kill == "fail":
                store.countdown = data.draw(st.integers(1, 3))
                store.is_before = data.draw(st.booleans())
            with suppress(BackendError):
                watcher.poll()
            store.countdown = -1
            if kill:
                watcher = Watcher(memory, [folder], user="ada", state=state)
        watcher.poll()
        again = watcher.poll()
        assert (again.messages, again.existing) == (0, 0)
        path.unlink()
        once = imported(tmp_path, whole)
        assert contents(memory) == once

    compared()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "projects"
    made.mkdir()
    return made


@pytest.fixture
def memory(tmp_path):
    with connect(tmp_path / "chat.db") as opened:
        yield opened


def lines(*turns, session="s1", **fields):
    return [
        json.dumps(line | fields).encode() + b"\n" for line in exports.claude_code(session, *turns)
    ]


def texts(memory, session="s1"):
    return [item.text for item in memory.session(session).items()]


def watching(memory, folder, **options):
    return Watcher(memory, [folder], **{"user": "ada", "state": False, **options})


def test_a_line_written_in_part_is_waited_for(memory, folder):
    first, second = lines(("user", "Hi"), ("user", "Grüße 🧵"))[1:]
    path = folder / "s1.jsonl"
    watcher = watching(memory, folder)
    path.write_bytes(first + second[:-9])
    assert watcher.poll().skipped_count == 0
    assert texts(memory) == ["Hi"]
    path.write_bytes(first + second)
    assert watcher.poll().messages == 1
    assert texts(memory) == ["Hi", "Grüße 🧵"]


def test_a_file_that_was_cut_off_is_read_again_and_nothing_is_stored_twice(memory, folder):
    whole = lines(("user", "one"), ("user", "two"), ("user", "three"))
    path = folder / "s1.jsonl"
    watcher = watching(memory, folder)
    path.write_bytes(b"".join(whole))
    watcher.poll()
    path.write_bytes(b"".join(whole[:2]))
    report = watcher.poll()
    assert "cut off" in report.skipped[0].reason
    path.write_bytes(b"".join(whole[:2]) + lines(*[("user", "x")] * 4)[-1])
    assert watcher.poll().messages == 1
    assert texts(memory) == ["one", "two", "three", "x"]


def test_another_file_under_the_same_name_is_noticed(memory, folder):
    path = folder / "s1.jsonl"
    watcher = watching(memory, folder)
    path.write_bytes(b"".join(lines(("user", "one"), ("user", "two"))))
    watcher.poll()
    replacement = folder / "new"
    replacement.write_bytes(b"".join(lines(("user", "other" * 200), session="s2")))
    replacement.replace(path)
    report = watcher.poll()
    assert report.messages == 1
    assert texts(memory, "s2") == ["other" * 200]


def test_what_was_deleted_here_stays_deleted(memory, folder, tmp_path):
    path = folder / "s1.jsonl"
    whole = lines(("user", "one"), ("user", "two"), ("user", "three"))
    path.write_bytes(b"".join(whole[:3]))
    (folder / "s2.jsonl").write_bytes(b"".join(lines(("user", "stays"), session="s2")))
    watching(memory, folder, state=tmp_path / "state").poll()
    memory.session("s1").delete()
    with path.open("ab") as file:
        file.write(whole[3])
    watching(memory, folder, state=tmp_path / "state").poll()
    assert texts(memory) == ["three"]


def test_a_new_store_gets_everything_whatever_the_state_says(folder, tmp_path):
    (folder / "s1.jsonl").write_bytes(b"".join(lines(("user", "one"))))
    for _ in range(2):  # the second one takes the place of the first
        with connect("memory://") as memory:
            watching(memory, folder, state=tmp_path / "state").poll()
            assert texts(memory) == ["one"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 1, "files": {"x": 1}}'])
def test_a_damaged_state_only_means_reading_again(memory, folder, tmp_path, damage):
    (folder / "s1.jsonl").write_bytes(b"".join(lines(("user", "one"))))
    watching(memory, folder, state=tmp_path / "state").poll()
    (tmp_path / "state").write_bytes(damage)
    report = watching(memory, folder, state=tmp_path / "state").poll()
    assert (report.messages, report.existing) == (0, 1)


def test_a_start_reads_nothing_of_what_did_not_change(memory, folder, tmp_path):
    (folder / "s1.jsonl").write_bytes(b"".join(lines(*[("user", "one")] * 50)))
    watching(memory, folder, state=tmp_path / "state").poll()
    report = watching(memory, folder, state=tmp_path / "state").poll()
    assert (report.messages, report.existing) == (0, 0)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


def test_what_the_program_says_in_the_users_name_is_hidden(memory, folder):
    path = folder / "s1.jsonl"
    spoken = lines(("user", "I live in Rome"))
    output = "<local-command-stdout>I live in Oslo</local-command-stdout>"
    notes = [
        lines(("user", output))[1].replace(b"s1-0", b"n1"),
        lines(("user", "The user lives in Paris"), isCompactSummary=True)[1].replace(
            b"s1-0", b"n2"
        ),
    ]
    path.write_bytes(b"".join([*spoken, *notes]))
    watching(memory, folder).poll()
    assert texts(memory) == ["I live in Rome"]
    assert len(memory.session("s1").items(hidden=True)) == 3


def test_what_tools_say_is_stored_and_never_learnt_from(folder, tmp_path):
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "Ada hates Oslo"}
    turns = [("user", "I live in Rome"), ("assistant", [TOOL_USE]), ("user", [result]),
             ("assistant", "Noted.")]  # fmt: skip
    (folder / "s1.jsonl").write_bytes(b"".join(lines(*turns)))
    with ScriptedModel(lambda request: '{"facts": [], "instructions": []}') as model:
        llm = {"model": "m", "api_key": "k", "base_url": model.base_url}
        with connect(tmp_path / "learn.db", llm=llm) as memory:
            watching(memory, folder).poll()
            memory.extract()
            assert "Ada hates Oslo" in texts(memory)
    asked = json.dumps(model.requests, default=str)
    assert "I live in Rome" in asked
    assert "Oslo" not in asked


def test_usage_of_both_programs_is_counted_once_for_each_call(memory, folder):
    shared = {"usage": {"input_tokens": 3, "cache_read_input_tokens": 40, "output_tokens": 5}}
    turns = [("user", "Hi"), ("assistant", "a"), ("assistant", [TOOL_USE])]
    claude = [json.loads(line) for line in lines(*turns)]
    for line in claude[2:]:
        line["message"] |= {"id": "msg_1", **shared}
    (folder / "s1.jsonl").write_text(exports.lines(claude))
    rollout = list(exports.codex("r1"))
    usage = {"input_tokens": 9, "cached_input_tokens": 4, "output_tokens": 2, "total_tokens": 11}
    info = {"total_token_usage": {"total_tokens": 11}, "last_token_usage": usage}
    event = {"type": "event_msg", "payload": {"type": "token_count", "info": info}}
    rollout[7:7] = [event, event]  # behind the call and its output; the program repeats itself
    (folder / "rollout.jsonl").write_text(exports.lines(rollout))
    watching(memory, folder).poll()
    rows = {row.key: row for row in memory.usage(by="session")}
    assert (rows["s1"].calls, rows["s1"].input_tokens, rows["s1"].cached_tokens) == (1, 43, 40)
    counted = rows["codex-r1"]
    assert (counted.calls, counted.unmetered, counted.total_tokens) == (2, 1, 11)


def test_sessions_carry_their_project(memory, folder):
    (folder / "s1.jsonl").write_bytes(b"".join(lines(("user", "one"))))
    watching(memory, folder).poll()
    assert memory.session("s1").info().metadata["cwd"] == "/src"


def test_wrong_folders_are_named(memory, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="no folder"):
        Watcher(memory, [tmp_path / "none"])
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="pass the folder"):
        Watcher(memory)


def read_line(process):
    assert process.stdout is not None
    return process.stdout.readline()


def hear_interrupts():
    """As in a terminal: a shell that runs the tests in the background ignores them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_the_command_follows_until_it_is_interrupted(folder, tmp_path):
    path = folder / "s1.jsonl"
    first, second = lines(("user", "my password=hunter2 is bad"), ("user", "two"))[1:]
    path.write_bytes(first)
    env = {key: value for key, value in os.environ.items() if not key.startswith("THREADKEEP_")}
    env["XDG_STATE_HOME"] = str(tmp_path / "state")
    command = [sys.executable, "-m", "threadkeep", "watch", str(folder), "--user", "ada",
               "--interval", "0.1", "--url", f"sqlite:///{tmp_path}/chat.db"]  # fmt: skip
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=hear_interrupts,
    )  # fmt: skip
    try:
        assert "1 message" in read_line(process)
        with path.open("ab") as file:
            file.write(second)
        assert "1 message" in read_line(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert err.splitlines()[-1] == "stopped"
    assert "Traceback" not in err
    with connect(tmp_path / "chat.db") as memory:
        assert texts(memory) == ["my password=[secret removed] is bad", "two"]
    with within(60):
        once = subprocess.run(
            [*command, "--once"], env=env, capture_output=True, text=True, check=True
        )
        assert "0 messages" in once.stdout
