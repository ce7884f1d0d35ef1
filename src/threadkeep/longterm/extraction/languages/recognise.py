"""In which languages a sentence is: told by its script, and by the common words in it.

A sentence in a language without a row is known to be so, since whoever reads it with the words of
another would neither hear its hearsay nor its questions.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from threadkeep.longterm.extraction.languages.fold import fold, words
from threadkeep.longterm.extraction.languages.row import (
    CODES,
    ROLES,
    Language,
    compiled,
    language,
    uncovered,
)

_SCRIPTS: Final = {
    "Latin": re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]"),
    "Cyrillic": re.compile("[\u0400-\u04ff]"),
    "Arabic": re.compile("[\u0600-\u06ff]"),
    "Devanagari": re.compile("[\u0900-\u097f]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
    "Hangul": re.compile("[\u1100-\u11ff\uac00-\ud7af]"),
    "Kana": re.compile("[\u3040-\u30ff]"),
    "Han": re.compile("[\u3400-\u9fff\uf900-\ufaff]"),
}
_LETTER: Final = re.compile(r"[^\W\d_]")
_FOREIGN: Final = {
    "Cyrillic": re.compile(
        "[\u0456\u0457\u0454\u0491\u045e\u0458\u0452\u045b\u0459\u045a\u045f\u0453\u045c]"
    ),
    "Arabic": re.compile("[\u067e\u0686\u0698\u06af\u06a9\u06cc\u06ba\u06d2\u06c1\u0679\u0688]"),
}
"""Letters that the language with a row does not have."""

_BY_SCRIPT: Final = {
    "Latin": ("en", "de", "fr", "es", "pt"),
    "Cyrillic": ("ru",),
    "Arabic": ("ar",),
    "Devanagari": ("hi",),
    "Thai": ("th",),
    "Hangul": ("ko",),
    "Kana": ("ja",),
    "Han": ("zh",),
}
_VOTING: Final = tuple(
    role for role in ROLES if role not in ("header", "document", "calendar", "frame")
)


class Languages(NamedTuple):
    """What a text is written in.

    Attributes:
        rows: of the languages that are in it, the commonest first.
        covered: whether all of it has rows; `False` also where nobody can tell.
        unsure: whether it says too little to tell.
    """

    rows: tuple[Language, ...]
    covered: bool
    unsure: bool = False

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the rows."""
        return frozenset(row.code for row in self.rows)


@functools.lru_cache(maxsize=1_024)
def recognise(text: str, around: str = "") -> Languages:
    """The languages of a sentence; where it says too little, those of what stands around it."""
    folded = fold(text)
    scripts = _scripts(folded)
    rows: list[Language] = []
    covered, is_known = True, False
    for script, letters in scripts.most_common():
        codes = _BY_SCRIPT.get(script, ())
        if not codes:
            covered = covered and letters < 2
        elif len(codes) == 1 or script == "Latin":
            languages, is_covered = (
                _latin(folded) if script == "Latin" else _of_one(script, folded, codes[0])
            )
            if script == "Latin" and rows and not languages:
                continue  # a name among letters of another script
            rows += languages
            covered, is_known = covered and is_covered, is_known or bool(languages)
    if not is_known and around and around != text:
        return recognise(around)
    unsure = not is_known and not (_scripts(folded).keys() - {"Latin"}) and not _is_strange(folded)
    return Languages(tuple(rows), covered and is_known, unsure)


def _scripts(folded: str) -> Counter[str]:
    counts = Counter(
        {name: len(letters) for name, p in _SCRIPTS.items() if (letters := p.findall(folded))}
    )
    if counts["Kana"]:  # Han letters are Japanese beside Kana
        counts["Kana"] += counts.pop("Han", 0)
    others = len(_LETTER.findall(folded)) - sum(counts.values())
    return +(counts + Counter({"other": max(0, others)}))


def _of_one(script: str, folded: str, code: str) -> tuple[list[Language], bool]:
    """Of a script in which one language has a row."""
    foreign = _FOREIGN.get(script)
    if foreign is not None and foreign.search(folded):
        return [], False
    tokens = frozenset(words(folded))
    votes = frozenset(_votes(code, list(tokens)))
    other = max((len((tokens & common) - votes) for common in uncovered().values()), default=0)
    return ([], False) if other > len(votes) else ([language(code)], True)


def _is_strange(folded: str) -> bool:
    """Whether it has common words of a language without a row."""
    tokens = frozenset(words(folded))
    return any(tokens & common for common in uncovered().values())


def _latin(folded: str) -> tuple[list[Language], bool]:
    tokens = words(folded)
    votes = {code: _votes(code, tokens) for code in _BY_SCRIPT["Latin"]}
    best = max(votes, key=lambda code: len(votes[code]))
    foreign: Mapping[str, frozenset[str]] = {
        code: frozenset(tokens) & common for code, common in uncovered().items()
    }
    strange = max(foreign.values(), key=len, default=frozenset())
    if not votes[best] or len(strange) > len(votes[best]):
        return [], False
    rows = [language(best)]
    rows += [
        language(code)
        for code, language_votes in votes.items()
        if code != best and _adds(language_votes, votes[best])
    ]
    taken = frozenset().union(*(votes[row.code] for row in rows))
    return rows, len(strange - taken) < 2


def _adds(votes: frozenset[str], best: frozenset[str]) -> bool:
    """Whether words are of a language of their own: as many as the best has, or two apart."""
    return len(votes) == len(best) or len(votes - best) >= 2


def _votes(code: str, tokens: list[str]) -> frozenset[str]:
    pattern = _vocabulary(code)
    return frozenset(token for token in tokens if pattern.fullmatch(token))


@functools.lru_cache(maxsize=16)
def _vocabulary(code: str) -> re.Pattern[str]:
    """The single words of a row, and the words of its phrases that are no common word elsewhere."""
    row = language(code)
    entries = {word for role in _VOTING for word in row.words[role] if " " not in word}
    entries |= {
        part
        for role in ("lasting", "polite", "first", "question")
        for phrase in row.words[role]
        for part in phrase.split()
        if part != ".."
    }
    entries |= {word for group in row.same for word in group if word.isalpha()}
    return compiled([*sorted(entries), *row.numbers], spaced=True)


def all_rows() -> tuple[Language, ...]:
    """Every row."""
    return tuple(language(code) for code in CODES)
