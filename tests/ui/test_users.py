"""The page of users: those who have sessions, then those of whom only facts are known."""

from __future__ import annotations

from threadkeep import connect
from threadkeep.ui.users import find_users


def test_users_known_to_a_longterm_store_with_another_namespace_are_listed(tmp_path):
    with (
        connect(tmp_path / "known.db", namespace="shared") as longterm,
        connect(tmp_path / "chat.db", longterm=longterm) as memory,
    ):
        memory.user("ada").facts.add("Ada likes green")
        with_sessions = find_users(memory)
        known_only = find_users(memory, with_sessions.cursor)
        assert [row.id for row in [*with_sessions, *known_only]] == ["ada"]
