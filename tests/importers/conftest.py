"""Exports of real shape, made here; and a memory that they are imported into."""

from __future__ import annotations

import json

import pytest

from threadkeep import connect, import_chats


@pytest.fixture
def memory(tmp_path):
    with connect(f"sqlite:///{tmp_path / 'target.db'}") as memory:
        yield memory


@pytest.fixture
def bring(memory, tmp_path):
    """Writes a value as JSON and imports it: `bring(value, name="a.json")`."""

    def call(value, *, name="export.json", user="ada", **options):
        path = tmp_path / name
        text = value if isinstance(value, str) else json.dumps(value)
        path.write_text(text, "utf-8")
        return import_chats(memory, path, user=user, **options)

    return call


def said(memory, session, *, hidden=False):
    """The conversation as pairs of role and text."""
    return [(item.role, item.text) for item in memory.session(session).items(hidden=hidden)]
