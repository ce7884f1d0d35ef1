"""Server-sent events, read as the official client reads them, whatever the chunks."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from threadkeep.serve.sse import EventReader

LINES = st.one_of(
    st.sampled_from(["data: {}", "data:", "data: a: b", "event: x", "event:", ": c", "id: 1", ""]),
    st.text("dat: xeé\t", max_size=8),
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
STREAMS = st.lists(st.tuples(st.lists(LINES, max_size=3), ENDS), max_size=4).map(
    lambda blocks: "".join(
        "".join(line + end for line in lines) + end for lines, end in blocks
    ).encode()
)


@settings(max_examples=300, deadline=None)
@given(stream=STREAMS, cuts=st.lists(st.integers(0, 200), max_size=5))
def test_events_are_those_of_the_official_client(stream, cuts):
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader, read = EventReader(), []
    for begin, end in itertools.pairwise(edges):
        read += reader.feed(stream[begin:end])
    decoded = [event for event in SSEDecoder().iter_bytes(iter([stream])) if event.data]
    assert [(event.name, event.data) for event in read if event.data] == [
        (event.event or "", event.data) for event in decoded
    ]
