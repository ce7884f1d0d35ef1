"""Text that would command a terminal, or mislead its reader, and a store that is full of it."""

from __future__ import annotations

import contextlib
import re
import unicodedata

from hypothesis import strategies as st

from tests.longterm.extraction.conftest import answer, fact
from threadkeep import connect
from threadkeep.errors import InputError

VISIBLE = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
"""Of category Cf, and yet seen: signs of Arabic and Syriac."""

TITLE, CLEAR, RED = "\x1b]0;pwned\x07", "\x1b[2J\x1b[H", "\x1b[31m"
HOSTILE = {
    "C0": "".join(map(chr, range(1, 32))),
    "NUL": "a\0b",
    "ESC": f"{TITLE}{CLEAR}{RED}\x1bc\x1bP$q\x1b\\",
    "DEL and C1": "".join(map(chr, range(0x7F, 0xA0))),
    "bidi": "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
    "invisible": "\u200b\u2060\ufeff\u00ad\u180e\u3164\u115f\U000e0041\U000e0001a\u200db",
    "surrogates": "\ud800x\udfff",
    "breaks": "a\r\nthreadkeep: all is well\nb\u2028c\u2029d\x85e\x0bf\x0cg",
}

ALL = "".join(HOSTILE.values())

SGR = re.compile("\x1b\\[[0-9;]*m")

texts = st.text(
    st.one_of(
        st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"]),
        st.sampled_from("".join(HOSTILE.values())),
        st.characters(categories=["L", "So", "P"]),
    ),
    min_size=1,
    max_size=12,
)


def unsafe(printed):
    """What of it should not have been printed, by an oracle of its own: Unicode's categories."""
    chars = []
    for before, char in zip(f" {printed}", printed, strict=False):
        if char in "\n\t" or char in VISIBLE or (char in "\u200c\u200d" and before > "\x7f"):
            continue
        category = unicodedata.category(char)
        joined = category == "Cf" and ord(char) in (0x110BD, 0x110CD)
        if category in {"Cc", "Cf", "Cs", "Zl", "Zp"} and not joined:
            chars.append(char)
    return chars


def plant(url, hostile):
    """A store with the text in every field that takes it; the names of session and user."""
    session, user = f"s{hostile}", f"u{hostile}"
    with connect(url) as memory:
        chat = memory.session(session, user=user, agent=f"a{hostile}")
        chat.add("x")
        call = {"name": f"f{hostile}", "arguments": f'{{"k": "{"v"}"}}'}
        for attempt in (
            lambda: chat.add({"role": "user", "content": f"t{hostile}"}),
            lambda: chat.add({"role": f"r{hostile}", "content": "x"}),
            lambda: chat.add({"role": "user", "content": "x", "name": f"n{hostile}"}),
            lambda: chat.add({"role": "user", "content": "x", "id": f"i{hostile}"}),
            lambda: chat.add({"role": "user", "content": [{"type": f"b{hostile}", "x": "y"}]}),
            lambda: chat.add(
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": f"c{hostile}", "type": "function", "function": call}],
                }
            ),
            lambda: chat.add({"role": "tool", "tool_call_id": f"d{hostile}", "content": "42"}),
            lambda: chat.update(title=f"t{hostile}"),
            lambda: chat.update(metadata={f"k{hostile}": f"v{hostile}"}),
            lambda: chat.files.add({"name": f"f{hostile}", "url": f"https://e/{hostile}"}),
            lambda: memory.user(user).facts.add(f"the fact {hostile} is known"),
            lambda: memory.user(user).instructions.add(f"answer {hostile} briefly"),
            lambda: respond(memory, session, user, hostile),
        ):
            with contextlib.suppress(InputError):
                attempt()
    return session, user


def respond(memory, session, user, hostile):
    reply = {"id": f"r{hostile}", "model": f"m{hostile}", "output": [], "conversation": session}
    memory.responses.add(reply, user=user)
    about = {"author": f"a{hostile}", "comment": f"c{hostile}", "user": user}
    memory.feedback.add(f"r{hostile}", rating="positive", **about)


def learned(hostile):
    """What a model says that read the session."""
    return answer(fact(f"Ada likes {hostile}", 1), summary=f"About {hostile}")


def as_argument(text):
    """As a program can be called: without NUL, and bytes that are no UTF-8 (CSI) as surrogates."""
    return re.sub("[\ud800-\udfff]", "\udc9b", text.replace("\0", ""))


def commands(session, user, hostile):
    """Every command over that store, and each argument and option with such a text."""
    return [
        ["doctor"],
        ["doctor", "--json"],
        ["sessions"],
        ["sessions", "--user", user],
        ["sessions", "--json"],
        ["sessions", "--limit", hostile],
        ["stats"],
        ["stats", "--json"],
        ["stats", "--by", hostile],
        ["usage"],
        ["usage", "--json"],
        ["usage", "--by", "run", "--user", user],
        ["usage", "--since", hostile],
        ["usage", "--session", hostile],
        ["feedback"],
        ["feedback", "--json"],
        ["feedback", "--jsonl"],
        ["feedback", "--by", "model"],
        ["feedback", "--by", "response", "--json"],
        ["feedback", "--since", hostile],
        ["show", session],
        ["show", session, "--max-tokens", "2000"],
        ["show", session, "--json"],
        ["show", hostile],
        ["recall", user, "fact"],
        ["recall", user, "fact", "--json"],
        ["recall", user, "fact", "--role", hostile, "--since", hostile],
        ["repair"],
        ["repair", session],
        ["repair", session, "--fix"],
        ["redact", "no such word", "--dry-run"],
        ["redact", hostile, "--dry-run", "--session", hostile],
        ["export", "--all"],
        ["export", "--user", user],
        ["export", hostile],
        ["export", "--all", "--output", f"no/{as_argument(hostile)}"],
        ["import", f"no{as_argument(hostile)}"],
        ["import", session, "--as", hostile],
        ["watch", f"no/{as_argument(hostile)}", "--once"],
        ["users"],
        ["users", "--json"],
        ["users", "--since", hostile],
        ["sessions", "--since", "2001-01-01"],
        ["facts", user, "--status", "all"],
        ["facts", user, "--json"],
        ["facts", user, "--approve", hostile],
        ["instructions", user, "--status", "all"],
        ["instructions", user, "--forget", hostile],
        ["files", session],
        ["files", session, "--json"],
        ["files", hostile],
        ["export", session, "--format", "markdown"],
        ["export", session, "--format", "html"],
        ["export", "--all", "--format", "csv"],
        ["views", "show"],
        ["views", hostile],
        ["sweep"],
        ["rekey"],
        ["extract"],
        ["extract", "--model", hostile, "--longterm", hostile],
        ["forget", hostile],
        ["forget", user, "--yes"],
        [hostile],
        ["sessions", f"--{hostile}"],
        ["serve", "--help"],
        ["ui", "--help"],
        ["mcp", "--help"],
        ["--version"],
        ["--help"],
        ["show", "--help"],
    ]
