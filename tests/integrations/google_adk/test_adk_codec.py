"""Events as items: exact for ADK, readable for others, and each item holds its own words only."""

from __future__ import annotations

import json

from google.adk.events.event import Event
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

import threadkeep
from google_adk_threadkeep.codec import to_events, to_items
from tests.integrations.google_adk import generated


@given(st.lists(generated.events, max_size=4))
def test_events_come_back_equal_from_a_store(events):
    items = [item for event in events for item in to_items(event)]
    with threadkeep.connect("memory://") as memory:
        chat = memory.session("chat")
        chat.add(*items)
        assert to_events(chat.items()) == events
        chat.window().to_openai()  # other frameworks can read them


@given(generated.events, st.data())
def test_a_forgotten_item_takes_its_words_along(event, data):
    items = to_items(event)
    gone = data.draw(st.sampled_from(items))
    marked = f"secret-{gone.id}"
    rest = [item for item in items if item is not gone]
    for item in rest:
        assert marked not in json.dumps(item.raw)
    events = to_events(rest)
    left = [part for e in events if e.content for part in e.content.parts or ()]
    whole = list((event.content and event.content.parts) or ())
    lost = [part for e in to_events([gone]) if e.content for part in e.content.parts or ()]
    assert len(left) == len(whole) - len(lost)


def test_parallel_results_are_items_of_their_own():
    answers = [
        types.Part(
            function_response=types.FunctionResponse(
                id=f"call_{city}", name="weather", response={"result": f"{city}: 21"}
            )
        )
        for city in ("Oslo", "Rome")
    ]
    event = Event(author="guide", content=types.Content(role="user", parts=answers))
    first, second = to_items(event)
    assert (first.tool_call_id, first.content) == ("call_Oslo", "Oslo: 21")
    assert (second.tool_call_id, second.content) == ("call_Rome", "Rome: 21")
    assert "Rome" not in json.dumps(first.raw)
    assert "Oslo" not in json.dumps(second.raw)
    assert to_events([first, second]) == [event]
