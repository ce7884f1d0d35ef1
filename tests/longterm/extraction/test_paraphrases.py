"""Ordinary sentences and what any model makes of them; and pairs that only look the same."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.longterm.extraction.spoken_table import knowing, learned, proposal
from threadkeep import connect

TABLE = tomllib.loads((Path(__file__).parent / "paraphrases.toml").read_text(encoding="utf-8"))
OPPOSITES = TABLE.pop("opposites")
PARAPHRASES = TABLE


@pytest.mark.parametrize("quoted", [False, True], ids=["found", "cited"])
def test_nine_in_ten_ordinary_paraphrases_are_learned(quoted):
    missed = [
        (said, meant)
        for pairs in PARAPHRASES.values()
        for said, meant in pairs
        if learned([said], knowing([meant], quote=said if quoted else ""))[0] != [meant]
    ]
    total = sum(map(len, PARAPHRASES.values()))
    assert total == 60
    assert len(missed) <= total // 10, missed


@pytest.mark.parametrize("name", OPPOSITES)
@pytest.mark.parametrize("relation", ["updates", "contradicts", "same", "new"])
def test_what_only_looks_the_same_is_never_merged(name, relation):
    first, known, then, new = OPPOSITES[name]
    answers = [
        {"facts": [proposal(known, [1], first)]},
        {"facts": [{**proposal(new, [1], then), "relation": relation, "known": 1}]},
    ]
    with connect("memory://", llm=lambda messages: json.dumps(answers.pop(0))) as memory:
        ada = memory.user("ada")
        for said in (first, then):
            ada.session("chat").add(said)
            memory.extract()
        assert new in [fact.text for fact in ada.facts.list()]
        older = next(fact for fact in ada.facts.list(status=None) if fact.text == known)
        replaced = relation in ("updates", "contradicts")
        assert older.status == ("superseded" if replaced else "active")
