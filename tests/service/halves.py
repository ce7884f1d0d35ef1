"""A module whose only history provider lacks a method."""

from __future__ import annotations

from threadkeep.service import BaseHistoryProvider


class HalfProvider(BaseHistoryProvider):
    """Deletes nothing."""

    def get_all_sessions(self):
        return []

    def get_session(self, session_id):
        return {}

    def store_session(self, session_id, data):
        pass
