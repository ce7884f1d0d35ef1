"""Hidden items on every store."""

from __future__ import annotations

import threadkeep


def test_hidden_items_stay_hidden_on_every_store(backend):
    with threadkeep.Memory(backend) as memory:
        chat = memory.session("s", user="ada")
        chat.add(*({"role": "assistant", "content": name, "id": name} for name in "abcd"))
        assert chat.hide("b", "c") == 2
    with threadkeep.Memory(backend) as memory:
        chat = memory.session("s", user="ada")
        assert [item.text for item in chat.items()] == ["a", "d"]
        assert [item.text for item in chat.window(max_messages=2)] == ["a", "d"]
        assert [item.hidden for item in chat.items(hidden=True)] == [False, True, True, False]
        assert chat.unhide("b") == 1
        assert [item.text for item in chat.items(last=2)] == ["b", "d"]
