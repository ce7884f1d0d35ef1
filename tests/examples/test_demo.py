"""The demo as a reader runs it: in a terminal, with neither key nor network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from threadkeep.testing import ScriptedModel

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

CHAT = [
    {"role": "user", "content": "What time is it?"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "12:00"},
    {"role": "assistant", "content": "Noon."},
]  # fmt: skip


def demo(
    tmp_path: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("OPENAI_")}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "examples.demo", *arguments],
        cwd=ROOT,
        env={**inherited, "TMPDIR": str(tmp_path), **(env or {})},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def written(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('story') / 'kept.db'}"


@pytest.fixture(scope="module")
def story(store: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    done = demo(tmp_path_factory.mktemp("folder"), "--store", store)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_story_is_told_to_its_end(story: str) -> None:
    for line in (
        r'calls weather\(city="Lisbon"\), calls train\(',
        r"a new one; it finds 7 items of 'weekend'",
        r"You are Ada, your dog is Bo",
        r"replace .*in the same place",
        r"took back the 3 items",
        r"forked from 'weekend'",
        r"bob +NotOwner: session 'weekend' belongs to another user",
        r"ended by signal 9" if os.name == "posix" else r"ended with code",
        r"\(synthetic\) No result",
        r"stored +4 items; the window has 5, 1 synthetic",
        r"LangChain +process \d+ finds 0 items",
        r"LlamaIndex +process \d+ finds 4 items",
        r"Agents SDK +process \d+ finds 6 items",
        r"assistant +Ada, Bo, Lisbon, 24 degrees",
        r"valid +8 items, for OpenAI Chat",
        r"10,000 +messages: a window of 20 takes",
        r"with step=0.5, 8\d%",
        r"Where to go next",
    ):
        assert re.search(line, story), line


def test_the_story_fits_a_terminal(story: str) -> None:
    assert [line for line in story.splitlines() if len(line) > 100 and "sqlite:" not in line] == []


def test_a_long_history_costs_what_a_short_one_costs(story: str) -> None:
    ratio = re.search(r"ratio +([\d.]+)", story)
    assert ratio
    assert float(ratio[1]) < 2


@pytest.mark.usefixtures("story")
def test_the_story_can_be_told_again_in_the_same_store(tmp_path: Path, store: str) -> None:
    again = demo(tmp_path, "--store", store)
    assert (again.returncode, again.stderr) == (0, "")
    assert "it finds 7 items" in again.stdout


def test_an_endpoint_of_the_environment_is_asked(tmp_path: Path) -> None:
    with ScriptedModel(lambda request: f"answer of {request['model']}") as model:
        env = {"OPENAI_BASE_URL": model.base_url, "OPENAI_MODEL": "some-model"}
        done = demo(tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("answer of some-model") == 9
    assert len(model.requests) == 9


def test_an_endpoint_that_refuses_is_one_line(tmp_path: Path) -> None:
    with ScriptedModel([401]) as model:
        done = demo(tmp_path, env={"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "secret"})
    assert done.returncode == 1
    assert re.fullmatch(
        r"demo: the model .* did not answer \(AuthenticationError\): .*\n", done.stderr
    )
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "text", "sessions", "items"),
    [
        ("chat.json", json.dumps(CHAT), ["chat"], 4),
        ("chat.jsonl", "\n".join(map(json.dumps, CHAT)), ["chat"], 4),
        ("two.jsonl", "\n".join([json.dumps({"messages": CHAT})] * 2), ["two-1", "two-2"], 8),
        ("nothing-said.json", '{"messages": []}', ["nothing-said"], 0),
    ],
)
def test_a_file_of_messages_becomes_sessions(
    tmp_path: Path, name: str, text: str, sessions: list[str], items: int
) -> None:
    done = demo(tmp_path, "--input", written(tmp_path, name, text))
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"\n{session}\n---" in done.stdout for session in sessions)
    stored = re.findall(r"stored +(\d+) items", done.stdout)
    assert sum(map(int, stored)) == items
    assert done.stdout.count("ok: same items, same order") == len(sessions)


def test_dates_and_speakers_are_those_of_the_file(tmp_path: Path) -> None:
    sample = {
        "sample_id": "walk",
        "conversation": {
            "speaker_a": "Kim",
            "speaker_b": "Lou",
            "session_1_date_time": "1:05 pm on 8 May, 2023",
            "session_1": [
                {"speaker": "Kim", "dia_id": "D1:1", "text": "A walk?"},
                {"speaker": "Lou", "dia_id": "D1:2", "text": "Gladly."},
            ],
        },
    }
    done = demo(tmp_path, "--input", written(tmp_path, "walk.json", json.dumps([sample])))
    assert done.returncode == 0
    assert re.search(r"speakers +Kim, Lou", done.stdout)
    assert "2023-05-08 13:05 to 2023-05-08 13:05 UTC" in done.stdout
    assert re.search(r"\n  Lou +Gladly\.", done.stdout)


def test_a_second_import_adds_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, "chat.json", json.dumps(CHAT))
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    first = demo(tmp_path, "--input", file, "--store", store)
    second = demo(tmp_path, "--input", file, "--store", store)
    assert "4 items, 4 of them new" in first.stdout
    assert "4 items, 0 of them new" in second.stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty.json", ""),
        ("no.json", "{}"),
        ("text.txt", "Dear diary"),
        ("role.json", '[{"role": "user", "content": "a"}, {"role": "wizard", "content": "b"}]'),
        ("deep.json", "[" * 100_000),
    ],
)
def test_a_bad_file_is_one_line_and_exit_2(tmp_path: Path, name: str, text: str) -> None:
    done = demo(tmp_path, "--input", written(tmp_path, name, text))
    assert done.returncode == 2
    assert re.fullmatch(r"demo: .+\n", done.stderr)


def test_a_missing_file_is_one_line_and_exit_2(tmp_path: Path) -> None:
    done = demo(tmp_path, "--input", str(tmp_path / "missing.json"))
    assert done.returncode == 2
    assert re.fullmatch(r"demo: .*missing\.json.*\n", done.stderr)


@pytest.mark.parametrize("store", ["memory://", "sqlit:///x.db", "chat.db"])
def test_a_store_that_cannot_serve_is_one_line_and_exit_2(tmp_path: Path, store: str) -> None:
    done = demo(tmp_path, "--store", store)
    assert done.returncode == 2
    assert re.fullmatch(r"demo: .+\n", done.stderr)
