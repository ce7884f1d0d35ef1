"""Which part of a user's message is the user's own words.

What is quoted, forwarded, pasted or between delimiters was written by somebody else, as far as its
form tells; what cannot be told by its form is the limit of this.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from threadkeep.longterm.extraction.languages.fold import fold, words
from threadkeep.longterm.extraction.languages.recognise import all_rows, recognise
from threadkeep.longterm.extraction.languages.row import Language, compiled

_MAX_LINE: Final = 600
"""Characters that one types; a longer line is pasted."""

_DELIMITED: Final = (
    re.compile(r"(`{3,}|~{3,}).*?(?:\1|\Z)", re.DOTALL),
    re.compile(r'("{3}|\'{3}).*?(?:\1|\Z)', re.DOTALL),
    re.compile(r"<<+.*?(?:>>+|\Z)", re.DOTALL),
    re.compile(r"\[\[+.*?(?:\]\]+|\Z)", re.DOTALL),
    re.compile(r"<([A-Za-z][\w:.-]*)[^>]*>.*?(?:</\1\s*>|\Z)", re.DOTALL),
    re.compile(r"<\|.*?\|>.*", re.DOTALL),
    re.compile(
        r"^[^\w\n]*\b(?:BEGIN|START)\b.*?(?:^[^\w\n]*\bEND\b[^\n]*|\Z)", re.DOTALL | re.MULTILINE
    ),
    re.compile(r"^[ \t]*\{.*\}[ \t]*$", re.DOTALL | re.MULTILINE),
)
"""Between delimiters; one that is never closed takes everything after it."""

_FOREIGN_START: Final = re.compile(
    r"""(?:
        ^[ \t]*(?:[-_=*\#~]{3,})[^\n]*$                             # a ruler, or a heading
        | \bforwarded\ message\b | \boriginal\ message\b | \bfwd?:
        | ^[^\n]*[:\uff1a][ \t]*\n                                  # "Summarise this:"
        | ^[^\n]*\b(?:this|the|following|below|attached|here(?:'s|\ is|\ are)|my|an?)\b[^\n]{0,80}
            \b(?:e-?mails?|mails?|messages?|texts?|letters?|articles?|documents?|docs?|pages?
            |posts?|reviews?|transcripts?|logs?|outputs?|results?|notes?|tickets?|comments?
            |contracts?|files?|snippets?|code|prompts?|website|readme|pdf|invite|chat)\b
            [^\n]{0,60}:
        | ^[ \t\[(<*\#]*(?:system|assistant|developer|tool|function|ai|admin(?:istrator)?
            |human|user|instructions?|prompt|notice|memory|summary|note\ to\ (?:ai|assistant))
            \b[^\n:]{0,40}[\])>*]*[ \t]*:
        | ^[ \t]*\[(?:system|assistant|developer|tool|inst|admin)[^\]\n]*\]
    )""",
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
"""Where what follows, to the end, is another's, in any language."""

_QUOTES: Final = re.compile(
    r'"[^"\n]*\s[^"\n]*\s[^"\n]*"|\u201c[^\u201d\n]*\u201d|\u201e[^\u201c\u201d\n]*[\u201c\u201d]'
    r"|\u00ab[^\u00bb\n]*\u00bb|\u00bb[^\u00ab\n]*\u00ab|\u2039[^\u203a\n]*\u203a"
    r"|[\u300c\u300e\ufe41\ufe43][^\u300d\u300f\ufe42\ufe44\n]*[\u300d\u300f\ufe42\ufe44]"
    r"|[\u300a\u3008\u3010][^\u300b\u3009\u3011\n]*[\u300b\u3009\u3011]|\uff02[^\uff02\n]*\uff02"
    r"|\u2018[^\u2019\n]*\s[^\u2019\n]*\s[^\u2019\n]*\u2019(?!\w)"
    r"|(?<!\w)'[^'\n]*\s[^'\n]*\s[^'\n]*'(?!\w)"
    r"|\"[^\"\n]*[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{6}[^\"\n]*\""
)

_SENTENCE: Final = re.compile(
    r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f\u061f\u0964])\s*|\n+|[;\uff1b\u061b]\s*"
)
_COLON: Final = re.compile("[:\uff1a]")
_SPACES: Final = re.compile(r"[^\S\n]+")
_GAP: Final = re.compile(r"\n\s*\n")
_HEAD_WORDS: Final = 9
_HEAD_LETTERS: Final = 30
"""How long what asks for something to be done with a text is, at most."""


@functools.lru_cache(maxsize=256)  # asked for with each thing that a model made of it
def user_authored(text: str) -> str:
    """The part of a user's message that is not visibly another's."""
    text = _GAP.sub("\n\n", _SPACES.sub(" ", text))  # long gaps would cost much time below
    for delimited_pattern in _DELIMITED:
        text = delimited_pattern.sub("\n", text)
    foreign_match = _FOREIGN_START.search(text)
    if foreign_match is not None:
        text = text[: foreign_match.start()]
    own_lines = _before_pasted(_QUOTES.sub(" ", text)).split("\n")
    return "\n".join(line for line in own_lines if len(line) <= _MAX_LINE and not _is_quoted(line))


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [sentence.strip() for sentence in _SENTENCE.split(text) if sentence.strip()]


def _before_pasted(text: str) -> str:
    """What stands before the head of a mail, or before what is to be translated or summed up."""
    languages = recognise(text).rows
    own_lines: list[str] = []
    for line_text in text.split("\n"):
        if _is_header(line_text):
            return "\n".join(own_lines)
        own_sentences: list[str] = []
        for sentence in sentences(line_text):
            colon_match = _COLON.search(sentence)
            text_before_colon = sentence[: colon_match.start()] if colon_match else sentence
            if any(
                _hands_over(text_before_colon, language, colon=colon_match is not None)
                for language in languages
            ):
                return "\n".join([*own_lines, " ".join(own_sentences)])
            own_sentences.append(sentence)
        own_lines.append(line_text)
    return "\n".join(own_lines)


def _hands_over(opening: str, row: Language, *, colon: bool) -> bool:
    """Whether words ask for something to be done with a text that follows them."""
    folded_opening = fold(opening)
    is_short = len(words(opening)) <= _HEAD_WORDS if row.spaced else len(opening) <= _HEAD_LETTERS
    if not is_short or row.finds("task", folded_opening) is None:
        return False
    return colon or row.finds("document", folded_opening) is not None


def _is_header(line: str) -> bool:
    colon_match = _COLON.search(line)
    if colon_match is None:
        return False
    header_name = fold(line[: colon_match.start()]).strip(" \t>*")
    header_value = line[colon_match.end() :]
    return _headers().fullmatch(header_name) is not None or (
        not header_value.strip() and _headers().search(header_name) is not None
    )


@functools.lru_cache(maxsize=1)
def _headers() -> re.Pattern[str]:
    header_words = {word for language in all_rows() for word in language.words["header"]}
    return compiled(sorted(header_words), spaced=True)


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith((">", "|", "\uff1e"))
