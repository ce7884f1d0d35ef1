"""History providers of other people: two of four methods, one that has the fifth."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from threadkeep.service import BaseHistoryProvider


class DictProvider:
    """Inherits from nothing, hands out its own dicts, and merges what is stored into them."""

    def __init__(self, config=None):
        self.config = config or {}
        self.sessions = {}

    def get_all_sessions(self):
        return list(self.sessions)

    def get_session(self, session_id):
        return self.sessions.get(session_id, {})

    def store_session(self, session_id, data):
        self.sessions.setdefault(session_id, {}).update(data)

    def delete_session(self, session_id):
        self.sessions.pop(session_id, None)


class FolderProvider(BaseHistoryProvider):
    """A file for each session, written in place: a reader beside a writer may find half of it."""

    def _path(self, session_id):
        return Path(self.config["path"]) / f"sessions_{session_id}_history.json"

    def get_all_sessions(self):
        names = (path.name for path in Path(self.config["path"]).glob("sessions_*_history.json"))
        return [name[len("sessions_") : -len("_history.json")] for name in names]

    def get_session(self, session_id):
        path = self._path(session_id)
        try:
            return json.loads(path.read_text("utf-8")) if path.exists() else {}
        except ValueError:
            return {}

    def store_session(self, session_id, data):
        self._path(session_id).write_text(json.dumps(data), "utf-8")

    def delete_session(self, session_id):
        self._path(session_id).unlink(missing_ok=True)


class TableProvider(BaseHistoryProvider):
    """A row for each session, with the fifth method."""

    def __init__(self, config):
        super().__init__(config)
        self._run("PRAGMA journal_mode=WAL")
        self._run(
            "CREATE TABLE IF NOT EXISTS history "
            "(session_id TEXT PRIMARY KEY COLLATE NOCASE, data TEXT, version TEXT)"
        )

    def get_all_sessions(self):
        return [row[0] for row in self._run("SELECT session_id FROM history")[0]]

    def get_session(self, session_id):
        rows, _ = self._run("SELECT data FROM history WHERE session_id = ?", session_id)
        return json.loads(rows[0][0]) if rows else {}

    def store_session(self, session_id, data):
        row = session_id, json.dumps(data), data["version"]
        self._run("INSERT OR REPLACE INTO history VALUES (?, ?, ?)", *row)

    def delete_session(self, session_id):
        self._run("DELETE FROM history WHERE session_id = ?", session_id)

    def compare_and_set(self, session_id, data, expected):
        if data is None:
            change = "DELETE FROM history WHERE session_id = ? AND version IS ?"
            return self._run(change, session_id, expected)[1] == 1
        row = json.dumps(data), data["version"]
        if expected is None:
            change = "INSERT INTO history VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            return self._run(change, session_id, *row)[1] == 1
        change = "UPDATE history SET data = ?, version = ? WHERE session_id = ? AND version = ?"
        return self._run(change, *row, session_id, expected)[1] == 1

    def _run(self, statement, *values):
        database = sqlite3.connect(self.config["path"], timeout=60, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous=OFF")
            cursor = database.execute(statement, values)
            return cursor.fetchall(), cursor.rowcount
        finally:
            database.close()


class Incomplete(BaseHistoryProvider):
    """Lacks one method."""

    def get_all_sessions(self):
        return []

    def get_session(self, session_id):
        return {}

    def store_session(self, session_id, data):
        pass
