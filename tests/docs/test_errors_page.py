"""The page on errors has every class, and messages as they are raised."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import threadkeep
from tests.docs.pages import ROOT
from threadkeep import errors
from threadkeep.backends.encrypted import new_key

PAGE = (ROOT / "docs/how-to/errors.md").read_text("utf-8")
CLASSES = re.findall(r"^\| `(\w+)`", PAGE.partition("## By message")[0], re.MULTILINE)
MESSAGES = PAGE.partition("## By message")[2].partition("## In code")[0]


def test_each_class_is_in_the_table_once() -> None:
    assert sorted(CLASSES) == sorted(errors.__all__)


def test_each_class_has_the_standard_base_that_the_table_names() -> None:
    for name, base in re.findall(r"^\| `(\w+)` \(`(\w+)`\)", PAGE, re.MULTILINE):
        assert base in {parent.__name__ for parent in getattr(errors, name).__mro__}, name


def no_scheme() -> object:
    return threadkeep.connect("chat.db")


def unknown_option() -> object:
    return threadkeep.connect("memory://", tll=3600)


def unknown_role() -> object:
    return threadkeep.connect("memory://").session("c").add({"role": "bot", "content": "x"})


def other_user() -> object:
    memory = threadkeep.connect("memory://")
    memory.session("c", user="ada").add("Hello")
    return memory.session("c", user="bob").items()


def no_user() -> object:
    return threadkeep.connect("memory://", require_user=True).session("c")


def existing_fork() -> object:
    chat = threadkeep.connect("memory://").session("c")
    chat.add("Hello")
    return chat.fork("c")


def closed() -> object:
    with threadkeep.connect("memory://") as memory:
        pass
    return memory.session("c").items()


def no_key() -> object:
    with threadkeep.connect("sqlite:///keyed.db", key=new_key()) as memory:
        memory.session("c").add("Hello")
    with threadkeep.connect("sqlite:///keyed.db") as memory:
        return memory.session("c").items()


RAISED: list[Callable[[], object]] = [
    no_scheme, unknown_option, unknown_role, other_user, no_user, existing_fork, closed, no_key,
]  # fmt: skip


@pytest.mark.parametrize("call", RAISED, ids=lambda call: call.__name__)
def test_the_page_quotes_what_is_raised(call, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.ThreadkeepError) as raised:
        call()
    assert f"`{raised.value}`" in MESSAGES
