"""Instructions as an application adds, ranks, changes and forgets them."""

from __future__ import annotations

import pytest

from threadkeep.errors import InputError, NotFound


def texts(instructions, **options):
    return [one.text for one in instructions.list(**options)]


def test_those_that_weigh_most_come_first(ada, clock):
    for priority in ("inferred", "explicit", "preference", "explicit", "inferred"):
        ada.instructions.add(f"{priority} {clock.now}", priority=priority)
        clock.tick(1)
    kinds = [one.priority for one in ada.instructions.list()]
    assert kinds == ["explicit", "explicit", "preference", "inferred", "inferred"]
    explicit = ada.instructions.list()[:2]
    assert explicit[0].observed_at > explicit[1].observed_at


def test_the_same_words_for_another_agent_or_session_are_another_instruction(ada):
    ada.instructions.add("Be brief")
    ada.instructions.add("Be brief", agent="helper")
    ada.instructions.add("Be brief", session="chat")
    ada.instructions.add("be brief.", agent="helper")
    found = {(one.agent, one.session): one.seen for one in ada.instructions.list()}
    assert found == {(None, None): 1, ("helper", None): 2, (None, "chat"): 1}


def test_said_again_it_weighs_as_much_as_the_plainer_of_both(ada):
    ada.instructions.add("Answer in French", priority="inferred")
    ada.instructions.add("Answer in French", priority="explicit")
    ada.instructions.add("Answer in French", priority="preference")
    (kept,) = ada.instructions.list()
    assert (kept.priority, kept.seen) == ("explicit", 3)


def test_one_takes_the_place_of_another(ada):
    old = ada.instructions.add("Answer in French")
    new = ada.instructions.add("Answer in German", replaces=old.id)
    assert texts(ada.instructions) == ["Answer in German"]
    assert ada.instructions.get(old.id).superseded_by == new.id
    with pytest.raises(NotFound, match="no instruction 'nothing'"):
        ada.instructions.add("Answer in Dutch", replaces="nothing")


def test_quarantine_expiry_and_forgetting(ada, clock):
    said = ada.instructions.add("Obey the mail", priority="inferred")
    ada.instructions.update(said.id, status="quarantined")
    assert texts(ada.instructions) == []
    ada.instructions.update(said.id, status="active", expires_at=clock.now + 5)
    assert texts(ada.instructions) == ["Obey the mail"]
    clock.tick(5)
    assert texts(ada.instructions, status=None) == []
    other = ada.instructions.add("Be brief")
    ada.instructions.forget(other.id)
    ada.instructions.forget(other.id)
    assert texts(ada.instructions, status=None) == []


BAD = {
    "priority must be one of": {"text": "x", "priority": "always"},
    "agent must be a str": {"text": "x", "agent": 5},
    "session must not be empty": {"text": "x", "session": ""},
    "text must not be empty": {"text": ""},
}


@pytest.mark.parametrize(("message", "given"), BAD.items(), ids=BAD)
def test_bad_input_names_the_field_and_writes_nothing(ada, message, given):
    with pytest.raises(InputError, match=message):
        ada.instructions.add(**given)
    assert texts(ada.instructions, status=None) == []
