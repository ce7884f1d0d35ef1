"""How errors quote values from outside: bounded, on one line, printable, without secrets."""

from __future__ import annotations

import ast
import inspect
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import threadkeep
from tests.engine.anything import Odd, anything
from tests.engine.test_anything import VERBS, opened, verbs
from threadkeep import connect
from threadkeep.errors import ThreadkeepError
from threadkeep.printable import MAX_SHOWN, counted, shown

SOURCES = Path(threadkeep.__file__).parent
ROOT = Path(__file__).parents[1]


class Failing:
    def __repr__(self):
        raise RuntimeError("no repr")


class Endless:
    def __repr__(self):
        return repr(self)


class Wide(dict):
    def __len__(self):
        raise ValueError("no length")


LOOP: list[object] = []
LOOP.append(LOOP)

EVIL = {
    "ten megabytes": "x" * 10_000_000,
    "a megabyte of escapes": "\x1b[2J" * 250_000,
    "a terminal's escapes": "\x1b]0;pwned\x07\x9b2J\x7f",
    "bidi": "a\u202eb\u2066c\u200b\ufeff",
    "a line break": "a\nb\rc\u2028d\x85e",
    "half a character": "\ud800",
    "NUL": "\0",
    "5,000 digits": 10**5_000,
    "-5,000 digits": -(10**5_000),
    "a megabyte of bytes": b"\xff" * 1_000_000,
    "a failing repr": Failing(),
    "an endless repr": Endless(),
    "a list in itself": LOOP,
    "a wide list": list(range(1_000_000)),
    "a failing length": Wide(a=1),
    "a deep list": [[[[[[[["x" * 1_000]]]]]]]],
    "long keys": {"k" * 100_000: {"k\x1b" * 100_000: 1}},
    "an object": Odd(),
}


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def is_safe(text):
    """By the tables of Unicode: nothing that a terminal obeys, and no line break."""
    return not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in BIDI
        for character in text
    )


@pytest.mark.parametrize("name", EVIL)
def test_any_value_is_one_short_printable_line(name):
    text = shown(EVIL[name])
    assert is_safe(text)
    assert len(text) <= 6 * MAX_SHOWN + 40  # escapes take up to six characters


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("chat", "'chat'"),
        ("it's", '"it\'s"'),
        (5, "5"),
        (None, "None"),
        (True, "True"),
        (2.5, "2.5"),
        (float("nan"), "nan"),
        (b"abc", "bytes of length 3"),
        (["a", 1], "['a', 1]"),
        (("a",), "('a')"),
        ({"a": None}, "{'a': None}"),
        ({}, "{}"),
        ("a\x1bb", "'a\\x1bb'"),
        ("x" * 81, "'" + "x" * 80 + "...' (81 characters)"),
        (list(range(100)), "a list of 100"),
    ],
)
def test_ordinary_values_look_as_they_are_written(value, text):
    assert shown(value) == text


SECRET = "zq7x?k9w1"
URLS = [
    f"postgresql://u:{SECRET}@host/db",
    f"mongodb://u:{SECRET}@127.0.0.1:1/0",
    f"redis://:{SECRET}@host",
    f"mysql://u:a@{SECRET}@host/db",
    f"postgresql://host/db?user=u&password={SECRET}",
    f"https://host/x?api_key={SECRET}&y=1",
    f"see sqlite://x?a=1&token={SECRET};",
    f"password={SECRET}",
    "postgresql://u:" + "p" * 20_000 + SECRET + "@host/db",
]


@pytest.mark.parametrize("wrap", [str, lambda url: [url], lambda url: {"url": url}, Exception])
@pytest.mark.parametrize("url", URLS, ids=range(len(URLS)))
def test_no_part_of_a_password_in_a_url_is_shown(url, wrap):
    text = shown(wrap(url), 400)
    assert not any(SECRET[start : start + 4] in text for start in range(len(SECRET) - 3))
    assert "ppp" not in text


@pytest.mark.parametrize("key", ["password", "api_key", "db_password", "TOKEN", "pwd", "key"])
def test_what_stands_under_a_telling_key_is_not_shown(key):
    assert SECRET not in shown({key: SECRET, "host": "h"})
    assert "'h'" in shown({key: SECRET, "host": "h"})


@settings(max_examples=int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "300")))
@given(st.one_of(st.text(st.characters(codec=None)), anything, st.binary(), st.floats()))
def test_shown_never_raises(value):
    assert is_safe(shown(value))


VALUES = [value for value in EVIL.values() if not isinstance(value, Wide)]
EXEMPT = {"__repr__", "__getattr__", "_repr_html_"}


def unbounded_quotes(path):
    """The lines of f-strings that quote with !r, but in a repr or of a module's own names."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name in EXEMPT
        for node in ast.walk(function)
    }
    return [
        f"{path}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FormattedValue) and node.conversion == ord("r")
        if node not in inside and path.name != "errors.py"
    ]


def test_no_error_quotes_a_value_without_a_bound():
    adapters = ROOT.glob("integrations/*/src/**/*.py")
    paths = [path for path in (*SOURCES.rglob("*.py"), *adapters) if "testing" not in path.parts]
    assert [line for path in paths for line in unbounded_quotes(path)] == []


@pytest.mark.parametrize("path", VERBS)
def test_errors_of_every_verb_are_bounded_whatever_is_passed(path):
    """One evil value in the place of each argument of each verb."""
    refusals = 0
    with connect("memory://") as memory:
        target = opened(memory, path)
        for name in verbs(path):
            verb = getattr(target, name)
            for value in VALUES:
                for given, named in calls(verb, value):
                    refusals += refused(verb, given, named)
    assert refusals > 20


def calls(verb, value):
    """Calls with the value as each one of the parameters."""
    parameters = inspect.signature(verb).parameters.values()
    for chosen in parameters:
        given, named = [], {}
        for parameter in parameters:
            needed = parameter.default is parameter.empty
            filler = value if parameter is chosen else "x"
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            if parameter.kind is parameter.KEYWORD_ONLY:
                if needed or parameter is chosen:
                    named[parameter.name] = filler
            elif parameter is chosen or needed:
                given.append(filler)
        yield given, named


def refused(verb, given, named):
    try:
        verb(*given, **named)
    except ThreadkeepError as error:
        text = str(error)
        assert len(text) < 1_200, (verb, text[:300])
        assert is_safe(text), (verb, text)
        return 1
    return 0


def test_a_count_of_one_has_the_singular():
    assert [counted(n, "session") for n in (0, 1, 1_200)] == [
        "0 sessions",
        "1 session",
        "1,200 sessions",
    ]
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]
