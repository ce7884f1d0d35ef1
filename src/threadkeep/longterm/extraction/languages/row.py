"""One row of the table of languages: the words of each role, and patterns made of them."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from threadkeep.longterm.extraction.languages.fold import LETTER, fold

CODES: Final = ("en", "de", "fr", "es", "zh", "pt", "ru", "ar", "hi", "ja", "ko", "th")

ROLES: Final = (
    "function",
    "user",
    "first",
    "indefinite",
    "negation",
    "lasting",
    "wish",
    "command",
    "polite",
    "question",
    "hearsay",
    "others",
    "speech",
    "own_speech",
    "assistant",
    "must",
    "ask",
    "override",
    "task",
    "document",
    "header",
    "remember",
    "forget",
    "yes",
    "calendar",
    "frame",
)
"""What a row says about its language:

function: words without a sense of their own; they also tell the language.
user: how a model names the user.
first: how the user speaks of themself.
indefinite: "a", "some": before a noun it means none that is here.
negation: what turns a sentence round.
lasting: from now on, always, never.
wish: what asks for something.
command: how an order to the assistant begins.
polite: what makes a request of a question.
question: how a question begins.
hearsay: others say, others want.
others, speech: who says things, and how it is said of them; both in one sentence are hearsay.
own_speech: the same said of oneself.
assistant: what assistants are called.
must: what makes an order of a statement on one.
ask: what somebody does who wants to be served in a way.
override: what no harmless text asks for.
task: what is to be done with a text that follows.
document: what such a text is called.
header: how the head of a mail begins, or a quotation.
remember, forget: how a request to memory begins.
yes: how one agrees.
calendar: words of dates.
frame: what models say in the place of "I am" and "I have".
"""


@dataclass(frozen=True, slots=True, eq=False)  # one of each: told apart by identity
class Language:
    """The words of one language.

    Attributes:
        code: as in ISO 639-1.
        name: in English.
        spaced: whether words stand between spaces.
        prefixes: what a word may begin with and still be the same.
        words: by role, folded, as phrases with `*` for any ending and `..` for a gap.
        numbers: what number words mean.
        same: groups of words that one may say for another.
        topics: groups of words that speak of the same thing of a life.
    """

    code: str
    name: str
    spaced: bool
    prefixes: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, int]
    same: tuple[tuple[str, ...], ...]
    topics: tuple[tuple[str, ...], ...]

    def finds(self, role: str, folded: str) -> re.Match[str] | None:
        """The first place in a folded text with words of a role."""
        return _pattern(self.code, role).search(folded)

    def begins(self, role: str, folded: str) -> re.Match[str] | None:
        """The words of a role at the beginning of a folded text."""
        return _pattern(self.code, role).match(folded)

    def without(self, role: str, folded: str) -> str:
        """A folded text without the words of a role."""
        return _pattern(self.code, role).sub(" ", folded)

    def is_word(self, role: str, word: str) -> bool:
        """Whether a folded word is one of a role."""
        return _pattern(self.code, role).fullmatch(word) is not None

    def places(self, role: str, folded: str) -> list[tuple[int, int]]:
        """Where words of a role stand in a folded text."""
        return [match.span() for match in _pattern(self.code, role).finditer(folded)]


@functools.lru_cache(maxsize=32)
def language(code: str) -> Language:
    """The row of a language."""
    language_table = _read(f"{code}.toml")
    return Language(
        code,
        language_table["name"],
        language_table["spaced"],
        phrases(language_table["prefixes"]),
        {word_role: phrases(language_table[word_role]) for word_role in ROLES},
        {fold(word): number_value for word, number_value in language_table["numbers"].items()},
        tuple(phrases(word_group) for word_group in language_table["same"]),
        tuple(phrases(word_group) for word_group in language_table["topics"]),
    )


@functools.lru_cache(maxsize=1)
def uncovered() -> Mapping[str, frozenset[str]]:
    """Common words of languages that have no row, by language: what tells them apart."""
    return {
        language_code: frozenset(fold(word_list).split())
        for language_code, word_list in _read("uncovered.toml").items()
    }


@functools.lru_cache(maxsize=8)
def common(name: str) -> frozenset[str]:
    """Small words of all languages: greetings, articles, fillers, links."""
    return frozenset(phrases(_read("common.toml")[name]))


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a cell, folded."""
    phrase_texts = (" ".join(fold(phrase_text).split()) for phrase_text in text.split(","))
    return tuple(phrase_text for phrase_text in phrase_texts if phrase_text)


def _read(name: str) -> dict[str, Any]:
    table_file = resources.files("threadkeep.longterm.extraction.languages") / "rows" / name
    return tomllib.loads(table_file.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=512)
def _pattern(code: str, role: str) -> re.Pattern[str]:
    language_row = language(code)
    return compiled(
        language_row.words[role], spaced=language_row.spaced, prefixes=language_row.prefixes
    )


def compiled(
    entries: Iterable[str], *, spaced: bool, prefixes: Iterable[str] = ()
) -> re.Pattern[str]:
    """A pattern that finds any of some phrases in a folded text, the longest first."""
    sorted_entries = sorted(entries, key=len, reverse=True)
    entry_alternatives = "|".join(_phrase(entry, spaced) for entry in sorted_entries)
    if not spaced:
        return re.compile(f"(?:{entry_alternatives})")
    prefix_alternatives = "|".join(sorted(prefixes, key=len, reverse=True))
    optional_prefix = f"(?:{prefix_alternatives})?" if prefix_alternatives else ""
    return re.compile(f"(?<!{LETTER}){optional_prefix}(?:{entry_alternatives})(?!{LETTER})")


def _phrase(entry: str, spaced: bool) -> str:
    phrase_pattern = re.escape(entry).replace(r"\ ", r"\s+").replace(r"\*", f"{LETTER}*")
    is_ascii_word = not spaced and entry.isascii() and entry.isalpha()
    if is_ascii_word:  # "AI" in a script without spaces
        phrase_pattern = f"(?<![a-z]){phrase_pattern}(?![a-z])"
    return phrase_pattern.replace(r"\.\.", r"[^\n]{0,40}?")
