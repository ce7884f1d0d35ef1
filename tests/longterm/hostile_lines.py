"""Exports that somebody changed: any key of any line, to any JSON, and lines of other people."""

from __future__ import annotations

import json

from hypothesis import strategies as st

RAW = {  # what `json.dumps` cannot write
    "<1e999>": "1e999",
    "<-1e999>": "-1e999",
    "<nan>": "NaN",
    "<10**400>": "1" + "0" * 400,
    "<10**5000>": "1" + "0" * 5_000,
    "<nested>": "[" * 100_000 + "]" * 100_000,
    "<nested 300>": '{"a":' * 300 + "1" + "}" * 300,
}
TIMES = [1e300, -1e300, 1e18, -1e12, 0, -0.5, 253402300800, True, "now"]
WORDS = ["", "ada", "bob", "session", "item", "bobs", "s", "\0", "\ud800", "x" * 600, "=", "=a"]
_KEYS = """
id user agent title metadata created_at forked_from role content type name tool_calls args
tool_call_id status model usage raw format data seq url previous safety_identifier tokens
previous_response_id input output rating comment response author item text sources session
quote namespace confidence pinned seen observed_at valid_to superseded_by priority extractor
expires at kind body conversation expires_at
"""
KEYS = _KEYS.split()

leaves = st.one_of(
    st.sampled_from([*RAW, *WORDS, *TIMES]),
    st.none(),
    st.integers(-5, 5),
    st.sampled_from([0.5, "text", "function", "openai-chat/1", "openai-responses/1"]),
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(value, before=()):
    """Every place in a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        yield (*before, key)
        if isinstance(child, (dict, list)):
            yield from paths(child, (*before, key))


def set_at(value, path, new):
    """The value with another one at a place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = set_at(copy[path[0]], path[1:], new)
    return copy


def change_key(line, draw):
    path = draw(st.sampled_from(sorted(paths(line), key=repr)))
    return set_at(line, path, draw(values))


def add_key(line, draw):
    key, value = draw(st.sampled_from(KEYS)), draw(values)
    if draw(st.booleans()) and isinstance(line.get("body"), dict):
        return {**line, "body": {**line["body"], key: value}}
    return {**line, key: value}


def drop_key(line, draw):
    if draw(st.booleans()) and isinstance(line.get("body"), dict) and line["body"]:
        key = draw(st.sampled_from(sorted(line["body"])))
        return {**line, "body": {k: v for k, v in line["body"].items() if k != key}}
    key = draw(st.sampled_from(sorted(line)))
    return {k: v for k, v in line.items() if k != key}


def to_text(line, draw):
    """The body as a text, alone or beside itself, perhaps of another owner or no JSON."""
    body = line.get("body", {})
    if draw(st.booleans()) and isinstance(body, dict):
        key = draw(st.sampled_from(["user", "id", "role", "metadata", *sorted(body)]))
        body = {**body, key: draw(values)}
    text = draw(st.sampled_from([raw(body), "{", "", "?", "a\0b", '"\ud800', "null", "[]"]))
    without = {k: v for k, v in line.items() if k != "body" or draw(st.booleans())}
    return {**without, "text": text}


def foreign(line, draw):
    """Somebody else's name in one of the places that could name an owner."""
    body = line.get("body") if isinstance(line.get("body"), dict) else {}
    theirs = {**body, "user": "bob"}
    return draw(
        st.sampled_from(
            [
                {**line, "user": "bob"},
                {**line, "body": theirs},
                {**line, "text": json.dumps(theirs)},
                {**line, "body": {k: v for k, v in body.items() if k != "user"}},
                {**{k: v for k, v in line.items() if k != "body"}, "text": json.dumps(theirs)},
                {**line, "session": "bobs", "body": {**body, "id": "bobs"}},
            ]
        )
    )


def repeat_session(line, draw):
    """A second record of the session's own, behind the first."""
    own = {"id": line.get("session", "s"), "user": "bob", "created_at": 1}
    return {"session": line.get("session", "s"), "kind": "session", "id": "session", "at": 1.0} | {
        "body": own
    }


CHANGES = [change_key, change_key, change_key, add_key, drop_key, to_text, foreign]


@st.composite
def exports(draw, lines):
    """The lines of an export, one or two of them changed, as a text."""
    changed = list(lines)
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0 if draw(st.integers(0, 9)) == 0 else 1, len(changed) - 1))
        line = draw(st.sampled_from(CHANGES))(changed[place], draw)
        changed[place] = line
        if draw(st.integers(0, 5)) == 0:
            changed.insert(place + 1, repeat_session(line, draw))
    return "\n".join(map(raw, changed))


def raw(value):
    """As JSON, with what `json.dumps` cannot write."""
    text = json.dumps(value)
    for word, literal in RAW.items():
        text = text.replace(json.dumps(word), literal)
    return text
