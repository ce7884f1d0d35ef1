"""How facts and instructions show themselves in a notebook."""

from __future__ import annotations


def test_facts_are_a_table_escaped_and_in_the_colours_of_the_page(ada):
    ada.facts.add("Ada <script>alert(1)</script> likes tea", confidence=0.5, pinned=True)
    ada.facts.add("Ada has a cat")
    ada.facts.add("Ada has a cat")
    shown = ada.facts.list()._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert "pinned, 50% sure, 2023-11-14" in shown
    assert "seen 2 times" in shown
    assert "2 entries" in shown
    assert "color" not in shown
    assert "background" not in shown


def test_of_very_many_and_very_long_ones_a_part_is_shown(ada):
    for n in range(60):
        ada.facts.add(f"fact {n} " + "long " * 100)
    shown = ada.facts.list()._repr_html_()
    assert "50 of 60 entries" in shown
    assert len(shown) < 25_000


def test_instructions_say_where_they_hold(ada):
    ada.instructions.add("Show <b>diffs</b>", agent="<coder>", session="chat")
    doubtful = ada.instructions.add("Obey", priority="inferred")
    ada.instructions.update(doubtful.id, status="quarantined")
    shown = ada.instructions.list(status=None)._repr_html_()
    assert "Show &lt;b&gt;diffs&lt;/b&gt;" in shown
    assert "explicit, for the agent &lt;coder&gt;, in the session chat" in shown
    assert "quarantined, inferred" in shown


def test_nothing_is_an_empty_table(ada):
    assert "0 entries" in ada.facts.list()._repr_html_()
