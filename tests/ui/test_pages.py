"""What the pages say: the window as the providers get it, what is known of a user, and usage."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ui import fetch
from threadkeep import connect
from threadkeep.printable import counted
from threadkeep.testing import ScriptedLearner
from threadkeep.types import Item
from threadkeep.ui.entries import entry_of
from threadkeep.ui.item import passages
from threadkeep.ui.window import rows_of


def page(url, path):
    answer = fetch.get(url + path)
    assert answer.status_code == 200, answer.text
    return answer.text


def readable(text):
    """The words of a page."""
    return html.unescape(re.sub(r"(<[^>]+>|\s)+", " ", text))


REQUESTS = {
    "openai": lambda w: {"messages": w.to_openai()},
    "responses": lambda w: {"input": w.to_responses()},
    "anthropic": lambda w: {"system": w.to_anthropic().system, "messages": [*w.to_anthropic()]},
    "gemini": lambda w: {
        "system_instruction": {"parts": [{"text": w.to_gemini().system_instruction}]},
        "contents": [*w.to_gemini()],
    },
}


@pytest.mark.proves("D19")
@pytest.mark.parametrize("provider", REQUESTS)
def test_the_window_is_what_the_provider_gets(open_pages, trip, provider):
    for limit in (
        "max_tokens=2000",
        "max_tokens=60",
        "max_messages=2",
        "max_turns=1",
        "max_tokens=",
    ):
        text = page(open_pages, f"/session/window?id=trip&provider={provider}&{limit}")
        payload = json.loads(
            html.unescape(re.findall(r"<pre[^>]*>(.*?)</pre>", text, re.DOTALL)[-1])
        )
        name, _, number = limit.partition("=")
        window = trip.window(**({name: int(number)} if number else {}))
        expected = {key: body for key, body in REQUESTS[provider](window).items() if body}
        if expected.get("system_instruction") == {"parts": [{"text": ""}]}:
            del expected["system_instruction"]
        assert payload == json.loads(json.dumps(expected))
        assert f"<strong>{counted(len(window), 'item')}</strong>" in text
        assert f"<strong>{counted(window.tokens, 'token')}</strong>" in text


def test_what_a_window_leaves_out_is_named_and_linked(open_pages, memory):
    chat = memory.session("long", user="ada")
    chat.add(*({"role": ("user", "assistant")[n % 2], "content": f"word {n}"} for n in range(40)))
    window = chat.window(max_messages=4)
    text = page(open_pages, "/session/window?id=long&max_messages=4")
    gap = window.left_out.ranges[0]
    assert f"{gap.items} left out by max_messages" in readable(text)
    assert f"after={gap.first - 1}" in text
    over = chat.window(max_tokens=1)
    assert over.over
    text = page(open_pages, "/session/window?id=long&max_tokens=1")
    assert f"{over.over} over the budget" in readable(text)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    roles=st.lists(st.sampled_from(["user", "assistant", "system"]), min_size=1, max_size=40),
    limit=st.integers(1, 60),
)
def test_every_item_is_in_the_window_or_in_a_gap(roles, limit):
    with connect("memory://") as memory:
        chat = memory.session("chat")
        chat.add(*({"role": role, "content": f"words {n}"} for n, role in enumerate(roles)))
        window = chat.window(max_tokens=limit * 10, lookback=1_000)
        seqs = [
            seq
            for row in rows_of(window)
            for seq in ([row.item.seq] if hasattr(row, "item") else range(row.first, row.last + 1))
        ]
        unread = window.left_out.unread_before or 0
        assert sorted(seqs) == [item.seq for item in chat.items() if item.seq >= unread]
        assert seqs == sorted(seqs)


@pytest.mark.proves("D19")
def test_facts_and_messages_lead_to_each_other(open_pages, trip, memory):
    ada = memory.user("ada")
    fact = ada.facts.list()[0]
    source = trip.items()[1]
    link = html.escape(f"/item?session=trip&id={source.id}")
    listed = page(open_pages, "/user?id=ada")
    assert "Ada is allergic to nuts" in listed
    assert "quarantined" in listed
    text = page(open_pages, f"/user/fact?user=ada&id={fact.id}")
    assert link in text
    assert "diet" in text
    back = page(open_pages, f"/item?session=trip&id={source.id}")
    assert html.escape(f"/user/fact?user=ada&id={fact.id}") in back
    assert "Answer briefly" in back
    assert "2 learned" in page(open_pages, "/session?id=trip")
    trip.remove(source.id)
    text = page(open_pages, f"/user/fact?user=ada&id={fact.id}")
    assert link not in text
    assert "No message" in text


def test_a_fact_whose_message_is_gone_says_so(open_pages, trip, memory):
    fact = memory.user("ada").facts.list()[0]
    trip.delete()
    text = page(open_pages, f"/user/fact?user=ada&id={fact.id}")
    assert "the message is gone, or says something else now" in text


def test_a_chain_of_facts_is_shown(open_pages, memory):
    ada = memory.user("ada")
    old = ada.facts.add("Ada lives in Oslo")
    new = ada.facts.add("Ada lives in Lisbon", replaces=old.id)
    for id in (old.id, new.id):
        text = page(open_pages, f"/user/fact?user=ada&id={id}")
        assert "Ada lives in Oslo" in text
        assert "Ada lives in Lisbon" in text
    assert "superseded" in page(open_pages, "/user?id=ada")


def test_what_learning_refused_and_summed_up(tmp_path):
    from tests.serve.running import serving
    from threadkeep.serve import Loopback
    from threadkeep.ui import app

    script = ScriptedLearner(
        {"tabby": "Ada owns 7 dogs in Paris", "Oslo": "The user lives in Oslo"}
    )
    with connect(tmp_path / "chat.db", llm=script) as memory:
        memory.session("cats", user="ada").add("I have a tabby", "I live in Oslo")
        memory.extract()
        refused = memory.user("ada").refused()
        assert [refusal.status for refusal in refused] == ["dropped"]
        summary = memory.session("cats", user="ada").summary()
        with serving(app(memory, keys=Loopback())) as url:
            text = page(url, "/user/refused?id=ada")
            assert refused[0].text in text
            assert refused[0].reason in text
            assert "/item?session=cats" in text
            source = memory.session("cats").items()[0]
            assert f"refused: {refused[0].reason}" in page(
                url, f"/item?session=cats&id={source.id}"
            )
            cited = memory.session("cats").items()[1]
            assert "<mark>I live in Oslo</mark>" in page(url, f"/item?session=cats&id={cited.id}")
            for path in ("/user/summaries?id=ada", "/session?id=cats"):
                assert html.escape(summary.text) in page(url, path)


def test_recall_says_that_older_items_were_not_searched(reads_thirty, open_pages, memory):
    for n in range(50):
        memory.session(f"s{n}", user="ada").add(f"kite{n}", f"string{n}")
    first, *_, last = [page(open_pages, "/user/recall?id=ada&q=nothing") for _ in range(8)]
    assert "Older items were not searched yet" in first
    assert "not searched" not in last


def test_recall_says_what_found_it(open_pages, trip, memory):
    text = page(open_pages, f"/user/recall?id=ada&q={quote('a flight to Lisbon')}")
    hits = memory.user("ada").recall("a flight to Lisbon")
    assert text.count("<article") == len(hits) > 0
    for hit in hits:
        for reason in hit.why:
            assert f"{reason.share:.0%} by" in text
            assert html.escape(" ".join(reason.words)) in text
    only = page(open_pages, "/user/recall?id=ada&q=nuts&kind=fact")
    assert only.count("<article") == only.count("a fact</a>") == 1


def test_usage_by_day_and_model(open_pages, trip, memory):
    for number, day in enumerate((1_790_000_000, 1_790_000_000, 1_790_100_000)):
        memory.responses.add(
            {
                "id": f"resp_{number}",
                "model": "gpt-5",
                "output": [],
                "usage": {"input_tokens": 1_000 + number, "output_tokens": 10},
                "created_at": day,
            },
            user="ada",
            conversation="trip",
        )
    memory.feedback.add("resp_0", rating="negative", comment="too <i>long</i>")
    assert "negative: too &lt;i&gt;long" in page(open_pages, "/session?id=trip")
    text = readable(page(open_pages, "/user/usage?id=ada"))
    usage = memory.responses.usage(by="day", user="ada")
    for day, counts in usage.items():
        assert f"{day} {counts.responses} {counts.input_tokens:,} {counts.output_tokens}" in text
    assert "gpt-5 3 3,003 30 3,033 0 1" in text


def test_a_store_that_fails_is_said_without_its_words(memory, open_pages, trip):
    memory.close()
    answer = fetch.get(f"{open_pages}/session?id=trip")
    assert answer.status_code in {500, 503}
    assert "chat.db" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/?cursor=x",
        "/?since=soon",
        "/session?id=trip&after=x",
        "/session?id=",
        "/session/window?id=trip&max_tokens=many",
        "/session/window?id=trip&provider=x",
        "/user?id=ada&status=x",
        "/user?id=ada&start=-1",
        "/user/recall?id=ada&q=x&since=soon",
        "/user/recall?id=ada&q=x&k=101",
        "/user/recall?id=ada&q=" + "x" * 4_001,
        "/users?cursor=WzUsbnVsbF0",
    ],
)
def test_a_wrong_parameter_is_named(open_pages, trip, path):
    answer = fetch.get(open_pages + path)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


@given(st.text("ab c", max_size=30), st.sets(st.text("ab c", min_size=1, max_size=5), max_size=4))
def test_cited_passages_make_up_the_text(text, quotes):
    pieces = passages(text, quotes)
    assert "".join(piece for piece, _ in pieces) == text
    assert {piece for piece, is_cited in pieces if is_cited} <= quotes
    assert not any(quote in piece for piece, is_cited in pieces if not is_cited for quote in quotes)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    content=st.text(max_size=50)
    | st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["image", "json", "x"])}, optional={"data": JSON}
        )
    ),
    args=JSON,
    role=st.text(min_size=1, max_size=9),
)
def test_any_item_can_be_shown_within_bounds(content, args, role):
    item = Item(
        content=content, role=role, tool_calls=[{"id": "c", "name": "f", "args": args}] * 60
    )
    entry = entry_of(item, limit=10, with_tokens=True)
    assert len(entry.text.text) <= 10
    assert all(len(part.body.text) <= 20 for part in entry.parts)
    assert len(entry.parts) <= 101
