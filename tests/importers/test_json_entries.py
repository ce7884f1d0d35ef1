"""The splitter finds what `json` finds, in any chunks; and reads files of any size in parts."""

from __future__ import annotations

import io
import itertools
import json
import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importers import exports
from threadkeep import connect, import_chats
from threadkeep.importers import ImportReport, branches
from threadkeep.importers.json_array import ArraySplitter
from threadkeep.importers.json_entries import entries

scalars = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(['"', "\\", "]"])
values = st.recursive(
    scalars, lambda v: st.lists(v) | st.dictionaries(st.text(max_size=3), v), max_leaves=8
)


def split(text, size):
    splitter = ArraySplitter(10**6)
    body = text.lstrip()[1:]
    chunks = [body[n : n + size] for n in range(0, len(body), size)]
    found = [element for chunk in chunks for element in splitter.feed(chunk)]
    return [json.loads(element or "") for element in found], splitter.is_closed


@given(st.lists(values), st.integers(1, 9), st.booleans(), st.sampled_from([None, 2]))
def test_the_elements_are_those_of_json(array, size, ascii, indent):
    text = json.dumps(array, ensure_ascii=ascii, indent=indent)
    assert split(text, size) == (array, True)


@given(st.lists(values, min_size=1), st.data())
def test_a_cut_loses_the_last_element_only(array, data):
    text = json.dumps(array)
    cut = data.draw(st.integers(1, len(text) - 1))
    found, is_closed = split(text[:cut], 5)
    assert not is_closed
    assert found == array[: len(found)]


@given(st.lists(values.filter(lambda v: isinstance(v, dict)), min_size=1))
def test_arrays_lines_and_single_values_are_told_apart(objects):
    for text in (json.dumps(objects), json.dumps(objects, indent=1), exports.lines(objects)):
        report = ImportReport()
        found = entries(io.BytesIO(text.encode()), "x", report.skip)
        assert [entry.value for entry in found] == objects
        assert report.skipped == []


def test_an_element_that_is_too_long_is_given_up_and_the_next_is_read():
    splitter = ArraySplitter(10)
    assert list(splitter.feed('1, "' + "x" * 50 + '", 2]')) == ["1", None, " 2"]


@given(st.dictionaries(st.integers(0, 9).map(str), st.none() | st.integers(0, 12).map(str)))
def test_all_nodes_of_any_tree_come_once_and_parents_first(parents):
    order = [node.key for node in branches.ordered(parents, None)]
    assert sorted(order) == sorted(parents)
    shown = [node.key for node in branches.ordered(parents, None) if node.is_shown]
    for parent, child in itertools.pairwise(shown):
        assert parents[child] == parent or parents[child] not in parents or _circles(parents, child)


def _circles(parents, key):
    seen = set()
    while key in parents and key not in seen:
        seen.add(key)
        key = parents[key]
    return key in seen


def write_array(path, size):
    """A ChatGPT export of about so many bytes."""
    chat = json.dumps(exports.simple_chatgpt("{id}", turns=40))
    with path.open("w") as target:
        target.write("[")
        for n in range(size // len(chat) + 1):
            target.write(("," if n else "") + chat.replace("{id}", f"c{n}"))
        target.write("]")


def test_reading_takes_no_more_memory_than_a_few_entries(tmp_path):
    write_array(tmp_path / "big.json", 2 * 2**20)
    with (tmp_path / "big.json").open("rb") as source:
        peak, count = peak_of(lambda: sum(1 for _ in entries(source, "x", print)))
    assert count > 100
    assert peak < 2**20


@pytest.mark.soak
def test_an_export_of_a_gigabyte_in_little_memory(tmp_path):
    size = int(os.environ.get("THREADKEEP_TEST_IMPORT_BYTES", 2**30))
    write_array(tmp_path / "big.json", size)
    with connect(f"sqlite:///{tmp_path / 'big.db'}") as memory:
        peak, report = peak_of(lambda: import_chats(memory, tmp_path / "big.json", user="ada"))
    assert report.sessions > size // 30_000
    assert report.skipped == []
    assert peak < 64 * 2**20


def peak_of(act):
    """The most memory that was held at once, and what came of it."""
    tracemalloc.start()
    try:
        result = act()
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()
