"""How things show themselves in a notebook, and that a cell may be run again."""

from __future__ import annotations

import threadkeep
from threadkeep import Item


def test_a_session_shows_its_newest_items_escaped(chat):
    assert "0 items" in chat._repr_html_()
    chat.add(*(f"m{n}" for n in range(30)), "<script>alert(1)</script>")
    shown = chat._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert "m29" in shown
    assert "m5<" not in shown
    assert len(shown) < 10_000


def test_it_takes_the_colours_of_the_page_and_is_compact(chat):
    chat.add("x" * 5_000, Item(role="assistant", tool_calls=[{"id": "c", "name": "n", "args": {}}]))
    shown = chat._repr_html_()
    assert "color" not in shown
    assert "background" not in shown
    assert "n(…)" in shown
    assert len(shown) < 2_000


def test_a_session_that_cannot_be_read_shows_its_plain_text(memory, chat):
    chat.add("x")
    assert memory.session("chat", user="eve")._repr_html_() is None


def test_a_cell_run_again_does_no_harm(tmp_path):
    for _ in range(3):
        memory = threadkeep.connect(f"sqlite:///{tmp_path}/chat.db")
        chat = memory.session("chat", user="ada")
        chat.add({"role": "user", "content": "Hello", "id": "hello"})
        assert [item.text for item in chat.items()] == ["Hello"]
        memory.close()
