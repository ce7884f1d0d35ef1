"""`connect(retain=)`: what is deleted, and what never is."""

from __future__ import annotations

import pytest

from tests.engine.doubles import Meddling
from threadkeep.errors import ConfigError
from threadkeep.policies import keep_system, max_messages


def texts(chat):
    return "".join(item.content for item in chat.items())


def test_without_it_everything_stays(opened):
    chat = opened(window={"max_messages": 2}).session("chat", user="ada")
    for n in range(9):
        chat.add(f"{n}")
    assert texts(chat) == "012345678"


@pytest.mark.parametrize("retain", [max_messages(3), [max_messages(3)], {"max_messages": 3}])
def test_what_no_policy_keeps_is_deleted_at_the_next_write(opened, retain):
    chat = opened(retain=retain).session("chat", user="ada")
    for n in range(9):
        chat.add({"role": "user" if n % 2 else "assistant", "content": f"{n}"})
        assert len(chat.items()) <= 3
    assert texts(chat) == "678"
    chat.update(title="t")
    assert (texts(chat), chat.info().title) == ("678", "t")


def test_the_newest_user_message_always_stays(opened):
    chat = opened(retain={"max_characters": 5}).session("chat", user="ada")
    chat.add("old", {"role": "assistant", "content": "older"}, "x" * 100)
    assert texts(chat) == "x" * 100


def test_files_stay(opened):
    chat = opened(retain={"max_messages": 1}).session("chat", user="ada")
    chat.files.add({"url": "u"})
    chat.add("a", {"role": "assistant", "content": "b"}, "c")
    assert len(chat.files.list()) == 1


def test_nothing_is_deleted_that_was_never_looked_at(opened):
    """Another writer in between: the next write deletes instead."""
    memory = opened(Meddling, retain={"max_messages": 2})
    chat = memory.session("chat", user="ada")
    chat.add("a", {"role": "assistant", "content": "b"})
    others = opened().session("chat", user="ada")
    meddler = memory._engine.backend
    meddler.before_commit = [lambda: None, lambda: others.add("other")]
    chat.add("c")
    assert texts(chat).endswith("cother")
    chat.add({"role": "assistant", "content": "d"})
    assert texts(chat) in ("otherd", "cotherd")


def test_a_pinned_beginning_keeps_what_follows(opened):
    chat = opened(retain=[keep_system(), max_messages(1)]).session("chat", user="ada")
    chat.add({"role": "system", "content": "s"})
    for n in range(5):
        chat.add(f"{n}", {"role": "assistant", "content": "-"})
    assert texts(chat).startswith("s")


def numbered(opened, n, **options):
    """A session of so many items, the first ones user's and assistant's in turn."""
    roles = ("user", "assistant")
    opened().session("chat", user="ada").add(
        *({"role": roles[k % 2], "content": f"{k} "} for k in range(n))
    )
    return opened(**options).session("chat", user="ada")


def keep_the_first_and_the_newest(items):
    return [item for item in items if item.text in ("0 ", "last")]


def newest_ten(items):
    return items[-10:]


@pytest.mark.parametrize(
    ("retain", "left"),
    [
        ({"max_messages": 2_400}, 2_400),
        ({"max_messages": 5}, 5),
        ({"max_turns": 2_400}, 2_400),
        ([max_messages(2_450), max_messages(2_400)], 2_400),
        (newest_ten, 10),
        (keep_the_first_and_the_newest, 2_501),
    ],
)
@pytest.mark.slow
def test_what_a_policy_keeps_stays_however_far_back_it_lies(opened, retain, left):
    chat = numbered(opened, 2_500, retain=retain)
    chat.add("last")
    assert len(chat.items()) == left
    assert chat.items()[-1].text == "last"


@pytest.mark.parametrize("bad", [5, "all", [5], {"max_mesages": 3}, {"max_messages": -1}])
def test_bad_policies_are_named(opened, bad):
    with pytest.raises(ConfigError):
        opened(retain=bad)
