"""A module that defines exactly one history provider, as Solace Agent Mesh's page shows it."""

from __future__ import annotations

import copy

from threadkeep.service import BaseHistoryProvider

made: list = []


class DrawerProvider(BaseHistoryProvider):
    """Sessions in a dict."""

    def __init__(self, config=None):
        super().__init__(config)
        self.sessions = {}
        made.append(self)

    def get_all_sessions(self) -> list[str]:
        return list(self.sessions)

    def get_session(self, session_id: str) -> dict:
        return copy.deepcopy(self.sessions.get(session_id, {}))

    def store_session(self, session_id: str, data: dict):
        self.sessions[session_id] = copy.deepcopy(data)

    def delete_session(self, session_id: str):
        self.sessions.pop(session_id, None)


def make(**options):
    return DrawerProvider(options)
