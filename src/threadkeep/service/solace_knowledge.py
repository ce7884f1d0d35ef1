"""Imports what Solace Agent Mesh has learned: facts and instructions of users, and summaries."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.api.user import User
from threadkeep.errors import InputError
from threadkeep.longterm import summaries
from threadkeep.longterm.store.codec import identity
from threadkeep.longterm.store.user_stream import UserStream, for_session
from threadkeep.types.knowledge import Summary
from threadkeep.types.versions import generation_of

_EXTRACTOR: Final = "solace-agent-mesh"
_NOBODY: Final = "None"  # where it keeps together what it learned from everybody without identity

_log = logging.getLogger("threadkeep.service")


def import_memory(memory: Memory, owner: User | Session, data: Any) -> tuple[int, int]:
    """Import what is known of a user, or of a session without one; counts facts, instructions.

    What is known here already, or was forgotten here, is left as it is.
    """
    known_ids = _known_ids(memory, owner)
    fact_count = instruction_count = 0
    for entry_text in _texts(data, "facts", owner.id):
        if identity("fact", entry_text) not in known_ids:
            fact_count += _add(owner, "facts", entry_text)
    for entry_text in _texts(data, "instructions", owner.id):
        if identity("instruction", entry_text, None, None) not in known_ids:
            instruction_count += _add(owner, "instructions", entry_text)
    return fact_count, instruction_count


def is_shared_by_strangers(identity: str) -> bool:
    """Whether the old service kept what it learned from all anonymous users there."""
    if identity == _NOBODY:
        _log.warning("what was learned from all users without identity is left behind")
    return identity == _NOBODY


def import_summary(chat: Session, text: object) -> int:
    """Import the summary of a session, of what was said before the entries that are imported.

    One that was written here already is left as it is. Returns how many were imported.
    """
    if not isinstance(text, str) or not text:
        return 0
    engine, snapshot = chat._engine, chat._stream.read()
    existing = summaries.load(engine, chat.id)
    if existing.summary is not None and (
        existing.summary.last_seq or existing.summary.text == text
    ):
        return 0
    owner_id = chat.user if snapshot.info is None else snapshot.info.user
    generation = generation_of(snapshot.version)
    summary = Summary(chat.id, text)
    return int(summaries.write(engine, existing, summary, generation=generation, user=owner_id) > 0)


def _known_ids(memory: Memory, owner: User | Session) -> set[str]:
    if isinstance(owner, Session):
        user_memory = for_session(owner._stream).load()
    else:
        user_memory = UserStream(memory._engine, user=owner.id).load()
    return {*user_memory.facts, *user_memory.instructions, *user_memory.forgotten}


def _texts(memory_data: Any, key: str, owner: str) -> Iterator[str]:
    raw_texts = memory_data.get(key) if isinstance(memory_data, dict) else None
    for raw_text in raw_texts if isinstance(raw_texts, list) else ():
        if isinstance(raw_text, str) and raw_text.strip():
            yield raw_text
        else:
            _log.warning("one of the %s of %r is not a text and left behind", key, owner)


def _add(owner: User | Session, kind: str, text: str) -> int:
    collection = owner.facts if kind == "facts" else owner.instructions
    try:
        collection.add(text, extractor=_EXTRACTOR)
    except InputError as error:
        _log.warning("one of the %s of %r is left behind: %s", kind, owner.id, error)
        return 0
    return 1
