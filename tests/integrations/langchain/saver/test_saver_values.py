"""Values come back as from LangGraph's serializer; long lists as they were, in every branch."""

from __future__ import annotations

import datetime
import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Send

from langchain_threadkeep.saver import references
from langchain_threadkeep.saver.list_growth import grow
from langchain_threadkeep.saver.list_values import compare
from langchain_threadkeep.saver.segments import is_last, keys_of, read_segment
from langchain_threadkeep.saver.value_decoder import Decoder
from langchain_threadkeep.saver.value_encoder import Encoder

SERDE = JsonPlusSerializer()
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
texts = names | st.text(st.sampled_from("a\ud83d\ude00é"), max_size=4)  # also halves of an emoji
scalars: Any = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts
scalars |= st.floats(allow_nan=False) | st.binary(max_size=8) | st.just(datetime.date(2026, 1, 2))
messages: Any = st.builds(HumanMessage, texts, id=texts) | st.builds(
    AIMessage,
    texts,
    id=texts,
    additional_kwargs=st.dictionaries(names, st.integers(0, 9)),
    response_metadata=st.dictionaries(names, texts, max_size=2),
)
messages |= st.builds(
    ToolMessage, texts, tool_call_id=texts, artifact=st.binary(max_size=3) | texts
)
values = st.recursive(
    scalars | messages,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(names, inner, max_size=4)
        | st.builds(Send, names, inner)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


class Shelf:
    """Keeps what an encoder refers to."""

    def __init__(self):
        self.messages, self.encoder = {}, Encoder(SERDE, self.keep)

    def keep(self, message):
        encoded = references.encode(message, SERDE)
        reference = references.reference(encoded, "item")
        typed = encoded.typed
        self.messages[reference] = (
            SERDE.loads_typed(typed) if typed else references.restore(encoded.item)
        )
        return reference

    def message(self, reference):
        return self.messages[reference].model_copy(deep=True)

    def large(self, name, parts):
        found = self.encoder.large[name]
        assert len(found) == parts
        return json.loads("".join(found))

    def text(self, name):
        return self.encoder.texts[name]


@given(values, st.booleans())
@example({"a": ["half \ud83d"], "b": "\ude00"}, False)
@example([AIMessage("", id="\ud83d", response_metadata={"a": "\ud83d"}), "\ud83d"], False)
@example([("user", "half \ud83d"), {"role": "\ud83d", "content": "\ud83d"}], True)
def test_value_comes_back_as_from_the_serializer(value, said):
    shelf = Shelf()
    form = shelf.encoder.encode_said(value) if said else shelf.encoder.encode(value)
    stored = json.loads(json.dumps(form, allow_nan=False))
    found = Decoder(SERDE, shelf).decode(stored)
    expected = SERDE.loads_typed(SERDE.dumps_typed(value))
    assert repr(found) == repr(expected)


def test_half_of_an_emoji_in_a_key_ends_no_run():
    """LangGraph's serializer refuses it."""
    shelf = Shelf()
    form = shelf.encoder.encode({"\ud83d": {"\ude00": "x"}, "y": "\ud83d"})
    found = Decoder(SERDE, shelf).decode(form)
    assert found == {"?": {"?": "x"}, "y": "?"}


steps = st.tuples(
    st.integers(0, 9),
    st.sampled_from(["add", "add", "add", "cut", "edit", "keep"]),
    st.integers(0, 50),
)


@given(st.lists(steps, max_size=60))
@example([(0, "add", 1)] * 80)
@example([(0, "add", 1)] * 40 + [(5, "add", 2), (0, "add", 1)] * 20)
def test_long_list_is_as_it_was_in_every_branch(changes):
    records, versions, numbers = {}, [(None, [])], iter(range(10**6))
    for branch, change, amount in changes:
        old, elements = versions[-1 - branch % len(versions)]
        new = changed(elements, change, amount, numbers)

        def is_tip(run, segment, old=old):
            return is_last(old.spans[0]._replace(run=run, segment=segment), records)

        keys = compare(old, new, lambda element, _: json.dumps({"e": element}), strict=False)
        growth = grow(old, new, keys, is_tip, 0.0)
        for drop in growth.drop:
            for id in drop.ids:
                records.pop(id, None)
        for record in growth.put:
            assert record.id not in records
            records[record.id] = read_segment(record)
        growth.value.group = keys_of(growth.value.spans, records)[1]
        versions.append((growth.value, new))
    for value, elements in versions[1:]:
        found, _ = keys_of(value.spans, records)
        assert [json.loads(key)["e"] for key in found] == elements


def changed(elements, change, amount, numbers):
    match change:
        case "add":
            return [*elements, *(next(numbers) for _ in range(amount % 3 + 1))]
        case "cut":
            return elements[: amount % (len(elements) + 1)]
        case "edit" if elements:
            place = amount % len(elements)
            return [*elements[:place], next(numbers), *elements[place + 1 :]]
    return list(elements)


def test_tool_calls_come_back_with_their_keys_in_order():
    call = {"name": "f", "args": {"x": 1}, "id": "c"}
    message = AIMessage("said", id="1", tool_calls=[call])
    assert repr(references.restore(references.encode(message, SERDE).item)) == repr(message)
