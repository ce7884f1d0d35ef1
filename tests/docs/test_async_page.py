"""The page on async names every verb that has a twin, and no other."""

from __future__ import annotations

import re

import pytest

import threadkeep
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/how-to/async.md").read_text("utf-8")
ROWS = {
    first: verbs.split()
    for first, verbs in re.findall(r"^\| (`[^|]+`) \| `([^`|]+)` \|$", PAGE, re.MULTILINE)
}
MEMORY = threadkeep.connect("memory://")
SESSION = MEMORY.session("c", user="ada")
USER = MEMORY.user("ada")
OBJECTS = {
    "`memory`": MEMORY,
    "`session`": SESSION,
    "`session.files`": SESSION.files,
    "`user`": USER,
    "`user.facts`": USER.facts,
    "`user.instructions`": USER.instructions,
    "`memory.conversations`": MEMORY.conversations,
    "`memory.responses`": MEMORY.responses,
    "`memory.feedback`": MEMORY.feedback,
}


def test_the_page_has_a_row_for_each_object() -> None:
    assert set(ROWS) == set(OBJECTS)


@pytest.mark.parametrize("name", OBJECTS)
def test_each_verb_with_a_twin_is_named(name: str) -> None:
    kind = type(OBJECTS[name])
    public = [verb for verb in dir(kind) if not verb.startswith("_")]
    assert sorted(ROWS[name]) == [verb for verb in public if f"a{verb}" in public]
