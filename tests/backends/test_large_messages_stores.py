"""Large parts of messages, on every store: they come back, go with their item, and are copied."""

from __future__ import annotations

import pytest

from tests.engine.large_messages import long_text, photo, pieces, references
from threadkeep import connect
from threadkeep.backends.encrypted import new_key
from threadkeep.backends.memory import MemoryBackend
from threadkeep.core import copy_streams

pytestmark = pytest.mark.proves("D4")


@pytest.mark.parametrize("options", [{}, {"key": new_key()}], ids=["plain", "encrypted"])
def test_parts_come_back_and_go(backend, options):
    memory = connect(backend, namespace=(options and "sealed") or "plain", **options)
    chat = memory.session("chat", user="ada")
    words = {alphabet: long_text(alphabet, 100_000, 3) for alphabet in ("ascii", "wide", "odd")}
    items = chat.add(photo(3_300_000), *words.values(), photo(60_000, 5), photo(60_000, 5))
    again = connect(backend, namespace=(options and "sealed") or "plain", **options)
    read = again.session("chat", user="ada").items()
    assert [item.content for item in read] == [item.content for item in items]
    assert references(memory) == 6
    assert again.session("chat").window(max_messages=2)[-1].content == items[-1].content
    chat.remove(items[0].id, items[-1].id)
    assert references(memory) == 4
    assert chat.items()[-1].content == items[-2].content
    memory.user("ada").forget(purge=False)
    assert (pieces(memory), references(memory)) == (0, 0)


def test_parts_are_copied_to_another_store(backend):
    memory = connect(backend)
    item = memory.session("chat", user="ada").add(photo(1_000_000), "hi")[0]
    target = MemoryBackend()
    outcomes = copy_streams.copy(backend, target, copy_streams.stream_names(backend, "default/"))
    assert {result.outcome for result in outcomes} == {"copied"}
    assert connect(target).session("chat", user="ada").items()[0] == item
