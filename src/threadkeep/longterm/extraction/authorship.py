"""Which part of a user's message is the user's own words, and whether it is a wish of theirs.

What is quoted, forwarded, pasted or between delimiters was written by somebody else, as far as its
form tells; what cannot be told by its form is the limit of this.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from threadkeep.longterm.extraction.text_features import containment, content_stems, is_negated

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
        | ^[ \t>]*(?:from|to|cc|bcc|subject|sent|date|reply-to|von|an|betreff|de|objet|asunto)
            [ \t]*:[ \t]
        | ^[^\n]{0,120}\b(?:wrote|schrieb|a\ \u00e9crit|escribi\u00f3)[ \t]*:[ \t]*$
        | \bforwarded\ message\b | \boriginal\ message\b | \bfwd?:
        | ^[^\n]*:[ \t]*\n                                           # "Summarise this:"
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
"""Where what follows, to the end, is another's."""

_QUOTES: Final = re.compile(
    r'"[^"\n]*\s[^"\n]*\s[^"\n]*"|\u201c[^\u201d\n]*\u201d|\u201e[^\u201c\n]*\u201c'
    r"|\u00ab[^\u00bb\n]*\u00bb|(?<!\w)'[^'\n]*\s[^'\n]*\s[^'\n]*'(?!\w)"
)

_REPORTED_SPEECH: Final = re.compile(
    r"""\b(?:according\ to | as\ (?:stated|instructed|required|requested|told)\ (?:by|in)
        | on\ behalf\ of | instructions?\ (?:from|of|in) | policy\ (?:of|from|says)
        | (?:he|she|they|it|someone|somebody|admins?|administrators?|boss|managers?|bosses
            |developers?|systems?|assistant|bot|ai|model|chatgpt|openai|anthropic|google|support|staff|team
            |company|website|page|e-?mail|mail|message|document|file|tool|plugin|article|text|note
            |letter|colleague|friend|wife|husband|teacher|doctor|bank|police|security|it|provider
            |vendor|author|sender|ceo|operator|owner|moderator|root|superuser|guy|man|woman|person)
          (?:\ (?:just|also|has|have|had|already|always|there|here|now))*
          \ (?:said|says|say|told|tells|tell|wrote|writes|wants|wanted|asked|asks|ordered|orders
            |instructed|instructs|requires|required|demanded|demands|insists|insisted|decided
            |announced|claims|claimed|mentioned|requested|requests|states|stated|confirmed|reads
            |sent|recommended|recommends|suggests|suggested|approved|authorized|authorised))\b""",
    re.VERBOSE | re.IGNORECASE,
)

_DIRECTIVE_WORDS: Final = re.compile(
    r"""\b(?:always|never|from\ now\ on|in\ (?:the\ )?future|every\ time|whenever|please|don't
        |do\ not|stop|avoid|make\ sure|remember|keep\ in\ mind|call\ me|address\ me
        |i\ (?:always\ )?prefer
        |i'd\ (?:like|prefer|rather)|i\ would\ (?:like|prefer)|i\ (?:don't\ )?want|i\ like\ (?:it|my
        |your|when)|i\ need\ you|i\ hate\ (?:it|when)|no\ more
        |only\ (?:use|answer|reply|write|speak)
        |answer|reply|respond|speak|talk|write|use|explain|keep|give|show|format|translate|be
        |skip|leave\ out|sign|start|begin|end|nenn|bitte|immer|nie|niemals|ab\ jetzt|toujours
        |jamais|siempre|nunca|d\u00e9sormais)\b""",
    re.VERBOSE | re.IGNORECASE,
)

_LASTING_WORDS: Final = re.compile(
    r"""\b(?:always|never|from\ now\ on|in\ (?:the\ )?future|every\ time|whenever|remember
        |keep\ in\ mind|don't\ ever|do\ not\ ever|immer|niemals|ab\ jetzt|toujours|jamais|siempre
        |nunca|d\u00e9sormais)\b""",
    re.VERBOSE | re.IGNORECASE,
)

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+|;\s+")
_SPACES: Final = re.compile(r"[^\S\n]+")
_GAP: Final = re.compile(r"\n\s*\n")
_MIN_SHARE: Final = 0.75


@functools.lru_cache(maxsize=256)  # asked for with each thing that a model made of it
def user_authored(text: str) -> str:
    """The part of a user's message that is not visibly another's."""
    text = _GAP.sub("\n\n", _SPACES.sub(" ", text))  # long gaps would cost much time below
    for block in _DELIMITED:
        text = block.sub("\n", text)
    foreign = _FOREIGN_START.search(text)
    if foreign is not None:
        text = text[: foreign.start()]
    text = _QUOTES.sub(" ", text)
    lines = text.split("\n")
    return "\n".join(line for line in lines if len(line) <= _MAX_LINE and not _is_quoted(line))


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [sentence.strip() for sentence in _SENTENCE.split(text) if sentence.strip()]


def is_reported_speech(text: str) -> bool:
    """Whether a text hands on what somebody else said or wants."""
    return _REPORTED_SPEECH.search(text) is not None


def supporting_sentence(text: str, instruction: str) -> str | None:
    """The user's own sentence that asks for what an instruction says, or `None`.

    Args:
        text: a message of the user, as it was written.
        instruction: what a model made of it.
    """
    required = content_stems(instruction)
    user_sentences = sentences(user_authored(text))
    for count in (1, 2):
        for start in range(len(user_sentences) - count + 1):
            passage = " ".join(user_sentences[start : start + count])
            if _supports(passage, required, instruction):
                return passage
    return None


def is_explicit(sentence: str) -> bool:
    """Whether a wish is said to hold from now on."""
    return _LASTING_WORDS.search(sentence) is not None


def _supports(passage: str, required: frozenset[str], instruction: str) -> bool:
    if not _DIRECTIVE_WORDS.search(passage) or is_reported_speech(passage) or _is_question(passage):
        return False
    if is_negated(passage) != is_negated(instruction):
        return False
    return (
        bool(required)
        and containment(required - _BOILERPLATE, content_stems(passage)) >= _MIN_SHARE
    )


def _is_question(passage: str) -> bool:
    """Whether it is a question, and none that asks to do something."""
    return passage.endswith("?") and not _POLITE_REQUEST.search(passage)


_POLITE_REQUEST: Final = re.compile(r"\b(?:can|could|would|will) you\b|\bplease\b", re.IGNORECASE)

_BOILERPLATE: Final = content_stems(
    "always never prefers preferred asks asked wishes reply answer respond response responses "
    "answers replies assistant should addressed address keep when whenever future"
)
"""How a model puts an instruction, whatever it is."""


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith((">", "|"))
