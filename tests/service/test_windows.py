"""What of a history is read: merged first, then counted in turns, then in characters."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from threadkeep.service import HistoryService


def told(service, *entries):
    for role, content in entries:
        service.store_history("s", role, content)
    return [(entry["role"], entry["content"]) for entry in service.get_history("s")]


def alternating(*contents):
    return [(("user", "assistant")[n % 2], content) for n, content in enumerate(contents)]


@pytest.mark.proves("A7")
@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_exactly_so_many_turns_are_kept(serve, provider, n):
    entries = alternating(*(f"number {k}" for k in range(45)))
    assert told(serve(provider, max_turns=n), *entries) == entries[-n:]


@pytest.mark.proves("A7")
def test_turns_are_counted_after_merging(serve, provider):
    service = serve(provider, max_turns=2)
    entries = [("user", "a"), ("user", "b"), ("assistant", "c"), ("assistant", "d")]
    assert told(service, *entries) == [("user", "a\n\nb"), ("assistant", "c\n\nd")]
    assert told(service, ("user", "e")) == [("assistant", "c\n\nd"), ("user", "e")]


@pytest.mark.proves("A6", "A7")
def test_the_defaults_are_forty_turns_and_fifty_thousand_characters(serve):
    entries = alternating(*(str(n) for n in range(50)))
    assert told(serve(), *entries) == entries[-40:]
    assert told(serve(), *alternating("a" * 25_000, "b" * 25_000))[0][1] == "a" * 25_000
    assert len(told(serve(), *alternating("a" * 25_001, "b" * 25_000))) == 1


@pytest.mark.proves("A6", "A7")
@pytest.mark.parametrize("none", [None, 0])
def test_null_is_no_limit(serve, none):
    service = serve(max_turns=None, max_characters=none)
    entries = alternating(*(f"{n} " + "x" * 1_000 for n in range(2_100)))
    service.memory.session("s").add(
        *({"role": role, "content": content} for role, content in entries)
    )
    assert told(service) == entries


@pytest.mark.proves("A6")
def test_the_newest_turn_stays_whatever_its_size(serve, provider):
    service = serve(provider, max_characters=5)
    assert told(service, ("user", "far too long")) == [("user", "far too long")]
    assert told(service, ("assistant", "me too, as it is")) == [("assistant", "me too, as it is")]
    assert told(service, ("user", "four")) == [("user", "four")]


@pytest.mark.proves("A6", "A8")
@pytest.mark.parametrize(("limit", "kept"), [(12, 2), (11, 1)])
def test_the_blank_line_between_merged_entries_counts(serve, limit, kept):
    entries = [("user", "aaaa"), ("user", "bbbb"), ("assistant", "cc")]
    found = told(serve(max_characters=limit), *entries)
    assert found == [("user", "aaaa\n\nbbbb"), ("assistant", "cc")][-kept:]


@pytest.mark.proves("A8")
def test_neighbours_of_one_role_are_merged_in_the_view_only(service):
    entries = [("user", "one"), ("user", "two"), ("system", "three"), ("user", "four")]
    assert told(service, *entries) == [
        ("user", "one\n\ntwo"),
        ("system", "three"),
        ("user", "four"),
    ]
    stored = [(item.role, item.content) for item in service.memory.session("s").items()]
    assert stored == entries


@pytest.mark.proves("A8")
def test_merging_can_be_switched_off(serve, provider):
    service = serve(provider, enforce_alternate_message_roles=False, max_turns=3)
    entries = [("user", "a"), ("user", "b"), ("user", "c"), ("user", "d")]
    assert told(service, *entries) == entries[-3:]


@pytest.mark.proves("A8")
def test_dicts_are_merged_as_a_list_of_parts(service):
    said = told(service, ("user", {"a": 1}), ("user", "and"), ("user", {"b": [2]}))
    assert said == [
        (
            "user",
            [
                {"type": "json", "value": {"a": 1}},
                {"type": "text", "text": "and"},
                {"type": "json", "value": {"b": [2]}},
            ],
        )
    ]


@pytest.mark.proves("A6")
@pytest.mark.parametrize(("limit", "kept"), [(9, 2), (8, 1)])
def test_a_dict_counts_as_its_json(serve, limit, kept):
    assert len(told(serve(max_characters=limit), ("user", {"a": 1}), ("assistant", "ok"))) == kept


def test_a_tool_entry_without_a_call_comes_back_too(service):
    entries = [("user", "2+2"), ("tool", "4"), ("function", "4"), ("assistant", "four")]
    assert told(service, *entries) == entries


def test_calls_and_results_of_frameworks_are_not_entries(serve):
    service = serve(max_turns=2)
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    service.memory.session("s").add(
        "2+2",
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "4"},
        {"role": "assistant", "content": "four"},
    )
    assert told(service) == [("user", "2+2"), ("assistant", "four")]


CONTENTS = st.one_of(st.text("ab", min_size=1, max_size=6), st.just({"k": "vv"}))
ENTRIES = st.lists(
    st.tuples(st.sampled_from(["user", "assistant", "system", "tool"]), CONTENTS), max_size=14
)


@pytest.mark.proves("A6", "A7", "A8", "A16")
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    ENTRIES,
    st.none() | st.integers(1, 5),
    st.none() | st.integers(1, 30),
    st.booleans(),
    st.sampled_from(["policy", "all"]),
)
def test_any_history_is_what_a_simple_reading_of_the_rules_says(
    entries, max_turns, max_characters, merge, retention
):
    keys = {"max_turns": max_turns, "max_characters": max_characters, "retention": retention}
    with HistoryService({**keys, "enforce_alternate_message_roles": merge}, "oracle") as service:
        assert told(service, *entries) == expected(entries, max_turns, max_characters, merge)


def expected(entries, max_turns, max_characters, merge):
    runs: list = []
    for role, content in entries:
        if merge and runs and runs[-1][0] == role:
            runs[-1][1].append(content)
        else:
            runs.append((role, [content]))
    runs = runs[len(runs) - max_turns :] if max_turns and len(runs) > max_turns else runs
    while max_characters and len(runs) > 1 and sum(length(c) for _, c in runs) > max_characters:
        runs = runs[1:]
    return [(role, joined(contents)) for role, contents in runs]


def length(contents):
    if all(isinstance(content, str) for content in contents):
        return len("\n\n".join(contents))
    return sum(
        len(c if isinstance(c, str) else json.dumps(c, separators=(",", ":"))) for c in contents
    )


def joined(contents):
    if len(contents) == 1:
        return contents[0]
    if all(isinstance(content, str) for content in contents):
        return "\n\n".join(contents)
    return [
        {"type": "text", "text": c} if isinstance(c, str) else {"type": "json", "value": c}
        for c in contents
    ]
