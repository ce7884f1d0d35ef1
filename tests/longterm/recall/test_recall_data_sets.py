"""The readers of data sets of the benchmark, on files of their published shapes."""

from __future__ import annotations

import json

import pytest

from benchmarks.recall import beam, data_sets, memdaily, realtalk
from benchmarks.recall.conversations import Skipped


def _write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, ensure_ascii=False), "utf-8")


@pytest.fixture
def realtalk_folder(tmp_path):
    turns = [
        ("D1:1", "Hi, did you find a flat?", "29.12.2023, 10:00:00"),
        ("D1:2", "Yes, above the bakery in Mill Lane.", "29.12.2023, 10:01"),
        ("D1:3", "", "29.12.2023, 10:02:00"),
        ("D1:4", "Nice, fresh rolls every morning!", "yesterday"),
    ]
    chat = {
        "name": {"speaker_1": "Bo", "speaker_2": "Ann"},
        "session_1": [
            {"clean_text": text, "speaker": speaker, "date_time": time, "dia_id": id}
            for (id, text, time), speaker in zip(turns, ["Bo", "Ann", "Ann", "Bo"], strict=True)
        ],
        "session_1_date_time": "29.12.2023, 10:00:00",
        "events_session_1": {},
        "qa": [
            {"question": "Where is Ann's flat?", "evidence": ["D1:2", "D9:9"], "category": 1},
            {"question": "What is for breakfast?", "evidence": "D1:04", "category": 3},
            {"question": "Who is Carl?", "evidence": [], "category": 3},
        ],
    }
    _write(tmp_path / "realtalk/Chat_1_Bo_Ann.json", chat)
    _write(tmp_path / "realtalk/notes.json", ["no chat"])
    return tmp_path / "realtalk"


def test_realtalk_is_read_and_what_is_odd_is_counted(realtalk_folder):
    skipped = Skipped()
    [conversation] = realtalk.read(realtalk_folder, skipped)
    first, second, third = conversation.sessions[1]
    assert (second["id"], second["name"]) == ("D1:2", "Ann")
    assert f"{first['created_at']:%Y-%m-%d %H:%M}" == "2023-12-29 10:00"
    assert "created_at" not in third
    assert [(q.category, *q.evidence) for q in conversation.questions] == [(1, "D1:2"), (3, "D1:4")]
    assert str(skipped).split(", ") == [
        "1 turns without words or id",
        "1 times that cannot be read",
        "1 evidence that names no turn",
        "1 questions without evidence",
        "1 files without qa",
    ]


@pytest.fixture
def memdaily_file(tmp_path):
    def trajectory(steps, messages):
        listed = [
            {"mid": n, "message": text, "time": "2024年04月01日 周一 08:39", "place": "上海"}
            for n, text in enumerate(messages)
        ]
        return {
            "tid": 0,
            "message_list": listed,
            "QA": {"question": "谁种花?", "target_step_id": steps},
        }

    good = trajectory([1, 7], ["我爸爸在银行上班。", "我奶奶在阳台种花。"])
    good["message_list"].append({"mid": 2, "message": "", "time": "2024年04月01日 周一 08:39"})
    good["message_list"].append(
        {"mid": 3, "message": "天气很好。", "time": "2024年13月01日 周一 08:39"}
    )
    data = {
        "simple": {"roles": [good] * 21, "events": None, "items": [{"message_list": []}]},
        "noisy": {"places": [trajectory([], ["我今天很忙。"])]},
        "unheard": {},
    }
    _write(tmp_path / "memdaily.json", data)
    return tmp_path / "memdaily.json"


def test_memdaily_pools_twenty_trajectories_and_counts_what_is_odd(memdaily_file):
    skipped = Skipped()
    first, second, third = memdaily.read(memdaily_file, skipped)
    assert [len(each.sessions) for each in (first, second, third)] == [20, 1, 1]
    assert first.questions[1].evidence == {"D2:1"}
    assert first.sessions[2][1]["content"] == "我奶奶在阳台种花。"
    assert f"{first.sessions[1][0]['created_at']:%Y-%m-%d %H:%M}" == "2024-04-01 08:39"
    assert third.questions == []
    assert skipped.counts == {
        "kinds of questions that are unknown": 1,
        "trajectories without messages or a question": 1,
        "messages without words or number": 21,
        "times that cannot be read": 21,
        "evidence that names no turn": 21,
        "questions without evidence": 1,
    }


@pytest.fixture
def beam_folder(tmp_path):
    def said(id, content, **more):
        return {
            "role": "user" if id % 2 == 0 else "assistant",
            "id": id,
            "content": content,
            **more,
        }

    chat = [
        {
            "batch_number": 1,
            "turns": [
                [
                    said(0, "I keep bees. ->-> 1,1", time_anchor="March-15-2024"),
                    said(1, "How many hives?"),
                ],
                [said(2, "Two hives by the shed."), {"role": "user", "content": "no id"}],
            ],
        },
        {"batch_number": 2, "turns": [[said(4, "One swarm left.", time_anchor="someday")]]},
    ]
    questions = {
        "abstention": [{"question": "What is my age?"}],
        "knowledge_update": [
            {"question": "How many hives?", "source_chat_ids": {"old": [2], "new": [4, 99]}}
        ],
        "information_extraction": [{"question": "What do I keep?", "source_chat_ids": [0]}],
        "clairvoyance": [],
    }  # fmt: skip
    _write(tmp_path / "beam/1/chat.json", chat)
    _write(tmp_path / "beam/1/probing_questions/probing_questions.json", questions)
    (tmp_path / "beam/2").mkdir()
    return tmp_path / "beam"


def test_beam_is_read_and_what_is_odd_is_counted(beam_folder):
    skipped = Skipped()
    [conversation] = beam.read(beam_folder, skipped)
    assert [message["id"] for message in conversation.sessions[1]] == ["D1:0", "D1:1", "D1:2"]
    assert conversation.sessions[1][0]["content"] == "I keep bees."
    assert {f"{m['created_at']:%Y-%m-%d}" for m in conversation.sessions[1]} == {"2024-03-15"}
    assert {q.text: q.evidence for q in conversation.questions} == {
        "What do I keep?": {"D1:0"},
        "How many hives?": {"D1:2", "D2:4"},
    }
    assert {reason: n for reason, n in skipped.counts.items() if n} == {
        "messages without words or id": 1,
        "days that cannot be read": 1,
        "abilities that are unknown": 1,
        "evidence that names no turn": 1,
        "questions without evidence": 1,
        "folders without a chat or questions": 1,
    }


@pytest.mark.parametrize("index", range(3), ids=["realtalk", "memdaily", "beam"])
def test_each_is_measured_like_locomo(
    index, realtalk_folder, memdaily_file, beam_folder, monkeypatch, capsys
):
    data_set = data_sets.DATA_SETS[index]
    monkeypatch.setenv(data_set.variable, str((realtalk_folder, memdaily_file, beam_folder)[index]))
    data_sets.report(data_set, "memory://")
    printed = capsys.readouterr().out
    assert f"Evidence recall on {data_set.name}" in printed
    for way in ("words", "FTS5", "FTS5 + neighbours", "FTS5 -> words", "skipped: "):
        assert way in printed
    assert ("FTS5 trigram" in printed) == (data_set.name == "MemDaily")


def test_what_is_not_named_is_said(monkeypatch, capsys):
    monkeypatch.delenv("THREADKEEP_BEAM", raising=False)
    data_sets.report(beam.DATA_SET, "memory://")
    assert "No BEAM: not named; THREADKEEP_BEAM names a folder" in capsys.readouterr().out
