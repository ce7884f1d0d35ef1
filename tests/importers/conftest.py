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
    """Writes a value as JSON and imports it: `bring(value, name="a.json")`.

    A dry run before it must report the same as an import into an empty store.
    """

    def call(value, *, name="export.json", user="ada", **options):
        path = tmp_path / name
        text = value if isinstance(value, str) else json.dumps(value)
        path.write_text(text, "utf-8")
        if options.get("dry_run"):
            return import_chats(memory, path, user=user, **options)
        dry_run = import_chats(memory, path, user=user, **options, dry_run=True)
        is_empty = memory.backend.streams("")[0] == []
        report = import_chats(memory, path, user=user, **options)
        if is_empty:
            assert {**dry_run.to_dict(), "is_dry_run": False} == report.to_dict()
        return report

    return call


def said(memory, session, *, hidden=False):
    """The conversation as pairs of role and text."""
    return [(item.role, item.text) for item in memory.session(session).items(hidden=hidden)]
