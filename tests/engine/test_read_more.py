"""`read_more`: handles resolve in their own session only, and pages are never stored twice."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.window.looking import many
from threadkeep import Item, connect, policies
from threadkeep.adapters import windows
from threadkeep.adapters.conditional_append import Addition, add_if
from threadkeep.adapters.read_more import ReadMore
from threadkeep.window import tokens

LINES = "\n".join(f"line {number}: the sea is calm" for number in range(2_000))
WINDOW = [policies.max_tokens(2_000, tokens.estimate)]
HANDLE = re.compile(r'read_more\(handle="([^"]+)", start=(\d+)\)')


@pytest.fixture
def memory():
    with connect("memory://") as opened:
        yield opened


def obtain(chat, content, id="c", name="read"):
    """A call of a tool, with its result."""
    call = {"id": id, "name": name, "args": {}}
    result = {"role": "tool", "tool_call_id": id, "content": content}
    return chat.add({"role": "assistant", "content": None, "tool_calls": [call]}, result)[-1]


def opened(memory, id="s"):
    chat = memory.session(id)
    chat.add("what is in the file?")
    obtain(chat, LINES)
    return chat


def marked(chat):
    """The handle and the start that the newest cut result names."""
    window = chat.window(policy=windows.readable(WINDOW))
    found = next(match for item in reversed(window) if (match := HANDLE.search(item.text)))
    return found[1], int(found[2])


def body(page):
    return page.partition("\n")[2]


@pytest.mark.proves("D2")
def test_pages_from_the_marker_on_are_the_whole_rest(memory):
    chat = opened(memory)
    handle, start = marked(chat)
    pages, tool = [], ReadMore(chat, WINDOW)
    while start < len(LINES):
        pages.append(tool.read(handle, start))
        start += len(body(pages[-1]))
    head = chat.window(policy=windows.readable(WINDOW))[-1].text.partition("\n[... ")[0]
    assert f"{head}\n".startswith(LINES[: len(head)])
    assert "".join(map(body, pages)) == LINES[len(LINES) - sum(len(body(p)) for p in pages) :]
    assert max(map(tokens.estimate, pages)) <= 500


def test_without_the_tool_no_handle_is_named(memory):
    chat = opened(memory)
    assert HANDLE.search(chat.window(policy=WINDOW)[-1].text) is None


@pytest.mark.proves("D2")
def test_a_handle_resolves_in_its_own_session_only(memory):
    handle, _ = marked(opened(memory))
    other = opened(memory, "other")
    assert marked(other)[0] != handle
    assert ReadMore(other, WINDOW).read(handle).startswith("There is no such handle")
    assert ReadMore(memory.session("empty"), WINDOW).read(handle).startswith("There is no")


@many
@given(st.text(max_size=40) | st.from_regex(r"[0-9a-f]{1,3}-[0-9a-f]{16}", fullmatch=True))
def test_no_made_up_handle_resolves(handle):
    with connect("memory://") as memory:
        chat = opened(memory)
        assert ReadMore(chat, WINDOW).read(handle).startswith("There is no such handle")


def test_a_result_that_was_taken_back_is_not_read(memory):
    chat = opened(memory)
    handle, start = marked(chat)
    chat.rewind(last=1)
    assert ReadMore(chat, WINDOW).read(handle, start).startswith("There is no such handle")


@pytest.mark.parametrize("start", [-1, 10**9, "5", None])
def test_a_start_beyond_the_text_is_explained(memory, start):
    chat = opened(memory)
    assert ReadMore(chat, WINDOW).read(marked(chat)[0], start).startswith("start must be")


@pytest.mark.proves("D2")
def test_a_page_is_stored_as_a_reference_and_shown_in_full(memory):
    chat = opened(memory)
    handle, start = marked(chat)
    page = ReadMore(chat, WINDOW).read(handle, start)
    stored = obtain(chat, page, "p", "read_more")
    assert stored.text == page.partition("\n")[0]
    assert chat.items()[-1].text == stored.text
    assert chat.window(policy=windows.readable(WINDOW))[-1].text == page


def test_a_page_that_an_adapter_appends_is_stored_as_a_reference(memory):
    chat = opened(memory)
    page = ReadMore(chat, WINDOW).read(*marked(chat))
    call = Item(role="assistant", tool_calls=[{"id": "p", "name": "read_more", "args": {}}])
    result = Item(role="tool", tool_call_id="p", name="read_more", content=page)
    stored = add_if(chat, (), lambda tail: Addition([call, result]))
    assert stored is not None
    assert stored[-1].text == page.partition("\n")[0]
    assert chat.window(policy=windows.readable(WINDOW))[-1].text == page


def test_a_page_of_a_result_that_is_gone_stays_a_reference(memory):
    chat = opened(memory)
    source = chat.items()[-1]
    page = ReadMore(chat, WINDOW).read(*marked(chat))
    stored = obtain(chat, page, "p", "read_more")
    chat.remove(source.id)
    assert chat.window(policy=windows.readable(WINDOW))[-1].text == stored.text


def test_what_only_looks_like_a_page_is_stored_as_it_is(memory):
    chat = opened(memory)
    page = ReadMore(chat, WINDOW).read(*marked(chat))
    forged = f"{page} and more"
    assert obtain(chat, forged, "p").text == forged
    foreign = page.replace("-", "-0", 1)
    assert obtain(chat, foreign, "q").text == foreign
