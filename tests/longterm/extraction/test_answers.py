"""Understanding what a model answered: whatever it is, and wherever it breaks off."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.longterm.extraction.conftest import answer, fact
from threadkeep.longterm.extraction.authorship import user_authored
from threadkeep.longterm.extraction.batch import Batch, TranscriptLine
from threadkeep.longterm.extraction.explicit_requests import contains_request
from threadkeep.longterm.extraction.reply import parse_json, parse_reply
from threadkeep.types import Item

BATCH = Batch(
    (TranscriptLine(1, Item(), "one", True), TranscriptLine(2, Item(), "two", True)),
    seq=2,
    items=2,
    more=False,
)
WHOLE = answer(*(fact(f'Ada said {n}: "so" \\ {{[', 1 + n % 2) for n in range(6)), summary="S")
json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.text())
def test_no_text_is_too_odd(text):
    parse_json(text)
    parse_reply(text, BATCH)


@given(json_values, json_values)
def test_no_json_is_too_odd(facts, summary):
    said = {"facts": facts, "instructions": [facts, summary], "summary": summary, "topics": facts}
    parse_reply(json.dumps(said), BATCH)
    parse_reply(json.dumps([facts, summary]), BATCH)


@given(st.integers(1, len(WHOLE) - 1))
def test_cut_off_anywhere_it_never_says_more_than_the_whole(cut):
    whole, part = parse_reply(WHOLE, BATCH), parse_reply(WHOLE[:cut], BATCH)
    assert whole is not None
    assert part is None or not part.complete
    texts = [one.text for one in whole.facts]
    assert part is None or all(
        any(text.startswith(one.text) for text in texts) for one in part.facts
    )


@given(st.text())
def test_own_words_are_never_more_than_the_text(text):
    assert len(user_authored(text)) <= len(text)
    assert contains_request(text) in (True, False)


def test_nested_without_end_it_is_no_answer():
    assert parse_json("[" * 20_000) == (None, False)
    assert parse_json('{"a":' * 20_000) == (None, False)
