"""The stemmer is Porter's: Snowball's is the oracle."""

from __future__ import annotations

import snowballstemmer  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from threadkeep.longterm.recall import stemmer

ORACLE = snowballstemmer.stemmer("porter")
ENDINGS = (
    "ational", "tional", "enci", "anci", "izer", "abli", "alli", "entli", "eli", "ousli",
    "ization", "ation", "ator", "alism", "iveness", "fulness", "ousness", "aliti", "iviti",
    "biliti", "icate", "ative", "alize", "iciti", "ical", "ful", "ness", "al", "ance", "ence",
    "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "sion", "tion", "ou",
    "ism", "ate", "iti", "ous", "ive", "ize", "sses", "ies", "ss", "s", "eed", "ed", "ing", "at",
    "bl", "iz", "y", "e", "ll", "ingly", "edly", "ying", "ied", "yed",
)  # fmt: skip


@given(
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8),
    st.lists(st.sampled_from(ENDINGS), max_size=2),
)
@example("hop", ["ing"])
@example("syzyg", ["y"])
def test_words_are_cut_as_snowball_cuts_them(start, ends):
    word = start + "".join(ends)
    if len(word) > 2:
        assert stemmer.stem(word) == ORACLE.stemWord(word)


def test_very_short_words_stay():
    assert [stemmer.stem(word) for word in ("is", "as", "us", "y")] == ["is", "as", "us", "y"]
