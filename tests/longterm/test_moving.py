"""A whole user as JSON Lines, and back."""

from __future__ import annotations

import json
import re

import pytest

from tests.longterm.test_forgetting import filled
from tests.responses.conftest import streams
from threadkeep import connect
from threadkeep.errors import InputError


def exported(user):
    return [json.loads(line) for line in user.export().splitlines()]


def test_an_export_says_what_it_is_and_holds_everything_of_the_user(memory):
    filled(memory, "bob")
    lines = exported(filled(memory, "ada"))
    assert lines[0] == {"threadkeep": "export", "schema": 2}
    kinds = {line["kind"] for line in lines[1:]}
    assert kinds >= {"fact", "instruction", "session", "item", "file", "response", "feedback"}
    assert {line["session"] for line in lines if "session" in line} == {
        "ada 0",
        "ada 1",
        "ada 2",
        "ada 0/helper",
    }
    assert "bob" not in memory.user("ada").export()


def test_it_is_exact_in_another_store(memory, clock):
    ada = filled(memory, "ada")
    old = ada.facts.add("Ada lives in Lisbon", expires_at=clock.now + 1000)
    ada.facts.add("Ada lives in Porto", replaces=old.id, pinned=True)
    text = ada.export()
    with connect("memory://", clock=clock) as other:
        assert other.user("ada").restore(text) == 4 + 5 + 1
        assert other.user("ada").export() == text
        assert other.user("ada").restore(text) == 0
        assert other.user("ada").export() == text
        found = other.user("ada").facts.list(status=None)
        assert [fact.status for fact in found[-2:]] == ["superseded", "active"]
        assert other.responses.get("ada r0", user="ada") is not None
        clock.tick(1000)
        assert "Lisbon" not in other.user("ada").export()


def test_a_forgotten_user_can_be_brought_back_from_an_export(memory):
    ada = filled(memory, "ada")
    text = ada.export()
    ada.forget()
    ada.restore(text)
    assert ada.export() == text


def test_lines_may_come_one_by_one(memory):
    text = filled(memory, "ada").export()
    with connect("memory://") as other:
        assert other.user("ada").restore(iter(text.splitlines(keepends=True))) == 8


def bad(text):
    head, *lines = text.splitlines()
    fact = next(line for line in lines if '"fact"' in line)
    named_user = re.sub('"id":"[^"]*"', '"id":"user"', fact, count=1)
    hers = fact.replace('"user":"ada"', '"user":"eve"')
    return {
        "not an export": "\n".join(lines),
        "the export has schema 9": head.replace("2", "9") + "\n" + fact,
        "line 3 must be JSON, found": f"{head}\n{fact}\nfact",
        "line 3 must be a JSON object, found": f"{head}\n{fact}\n5",
        "line 2: kind must be one of": head + "\n" + fact.replace('"fact"', '"item"'),
        "line 2: fact.text must be present": head + "\n" + fact.replace('"text"', '"txet"'),
        "line 2: no fact can have the id 'user'": f"{head}\n{named_user}",
        "line 3 is of another user": f"{head}\n{fact}\n{hers}",
        "line 3 names no session": f'{head}\n{fact}\n{{"kind":"item"}}',
    }


@pytest.mark.parametrize("message", bad('{"a": 2}\n"fact"'))
def test_a_bad_line_is_numbered_and_nothing_is_written(memory, message):
    text = bad(filled(memory, "ada").export())[message]
    with connect("memory://") as other:
        with pytest.raises(InputError, match=message):
            other.user("ada").restore(text)
        assert streams(other) == []


def test_a_session_of_somebody_else_is_refused(memory):
    text = filled(memory, "ada").export()
    with connect("memory://") as other:
        with pytest.raises(InputError, match="of another user"):
            other.user("eve").restore(text)
        lines = [line for line in text.splitlines() if '"user":"ada","kind"' not in line]
        with pytest.raises(InputError, match="of another user"):
            other.user("eve").restore(lines)
        assert streams(other) == []
