"""Named branches on every store."""

from __future__ import annotations

import threadkeep


def test_branches_outlive_the_process_on_every_store(backend):
    with threadkeep.Memory(backend) as memory:
        chat = memory.session("s", user="ada")
        chat.add(*({"role": "assistant", "content": name, "id": name} for name in "abc"))
        chat.branch("other", at="a")
        chat.add({"role": "assistant", "content": "d", "id": "d"})
    with threadkeep.Memory(backend) as memory:
        chat = memory.session("s", user="ada")
        assert [(b.name, b.at, b.is_shown) for b in chat.branches()] == [
            ("main", None, False), ("other", "a", True),
        ]  # fmt: skip
        assert [item.text for item in chat.items()] == ["a", "d"]
        assert [item.text for item in chat.window(branch="main")] == ["a", "b", "c"]
        chat.branch("main")
        assert [item.text for item in chat.window(max_messages=2)] == ["b", "c"]
        assert [item.hidden for item in chat.items(hidden=True)] == [False, False, False, True]
