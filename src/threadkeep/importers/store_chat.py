"""Writes chats into a Memory: what is there already stays as it is."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.core import item_codec, names
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.redaction import redacted_info
from threadkeep.errors import InputError
from threadkeep.importers import chat_items, fields
from threadkeep.importers.report import ImportReport
from threadkeep.importers.values import Chat, Skip
from threadkeep.sessions import append
from threadkeep.sessions.read import items_query
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, SessionInfo

_BATCH: Final = 500
"""Items in one commit."""


def write(memory: Memory, chat: Chat, owner: str | None, system: str, report: ImportReport) -> None:
    """Add what is new of a chat to its session.

    Raises:
        NotOwner: the session belongs to somebody else.
        InputError: its id or title cannot be stored.
    """
    session = memory.session(chat.id, user=owner)
    stream = _stream(session, chat, system)
    is_new, count = stream.read().info is None, 0
    now = memory._engine.now()
    incoming = chat_items.items(chat, system, now, report.skip)
    while batch := list(islice(incoming, _BATCH)):
        count += len(batch)
        new = _without_existing(session, stream, batch)
        if new:
            append.add(stream, new)
        report.messages += len(new)
        report.existing += len(batch) - len(new)
    if not count:
        report.skip(chat.location, "the chat has no messages")
        return
    report.count_session(chat.id, is_new=is_new)
    report.files += _add_files(session, chat, report.skip)


def check(chat: Chat, system: str, report: ImportReport) -> None:
    """Count what `write` would add to an empty store; nothing is written."""
    names.check(chat.id, "session id")
    count = sum(1 for _ in chat_items.items(chat, system, 0.0, report.skip))
    if not count:
        report.skip(chat.location, "the chat has no messages")
        return
    report.count_session(chat.id, is_new=True)
    report.messages += count
    report.files += sum(1 for _ in chat.files)


def _stream(session: Session, chat: Chat, system: str) -> SessionStream:
    """The session's stream, which begins with the chat's own title and date."""
    info = SessionInfo(
        session.id,
        session.user,
        title=chat.title,
        metadata={"source": system, **chat.metadata},
        created_at=fields.moment(chat.created_at),
        forked_from=chat.forked_from,
    )
    return SessionStream(session._engine, redacted_info(session._engine, info))


def _without_existing(session: Session, stream: SessionStream, batch: Sequence[Item]) -> list[Item]:
    """The new ones of a batch; of the others, those whose branch is shown now change sides."""
    keys = {names.key(item.id): item for item in batch}
    snapshot = stream.read(items_query(stream, ids=list(keys)))
    stored = {record.id: record for record in snapshot.pages[0].records}
    hide, unhide = [], []
    for key, record in stored.items():
        try:
            old = item_codec.read_item(record)
        except UnreadableRecord:
            continue  # it stays as it is
        incoming = keys[key]
        was_branch = old.hidden and chat_items.BRANCH in old.metadata
        if was_branch and not incoming.hidden:
            unhide.append(incoming.id)
        elif not old.hidden and chat_items.BRANCH in incoming.metadata:
            hide.append(incoming.id)
    if hide:
        session.hide(*hide)
    if unhide:
        session.unhide(*unhide)
    return [item for key, item in keys.items() if key not in stored]


def _add_files(session: Session, chat: Chat, skip: Skip) -> int:
    return sum(1 for _ in _added_files(session, chat, skip))


def _added_files(session: Session, chat: Chat, skip: Skip) -> Iterator[None]:
    existing = {file.id for file in session.files.list()} if chat.files else set()
    for file in chat.files:
        if (file.get("url") or file.get("name")) in existing:
            continue
        try:
            session.files.add(dict(file))
        except InputError as error:
            skip(chat.location, f"a file is left behind: {error}")
        else:
            yield
