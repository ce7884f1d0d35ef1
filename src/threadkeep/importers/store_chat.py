"""Writes chats into a Memory: what is there already stays as it is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.core import item_codec, names
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.json_values import as_json
from threadkeep.core.redaction import HasSettings, redacted_info, redacted_item
from threadkeep.errors import InputError
from threadkeep.importers import chat_items, fields
from threadkeep.importers.chat_items import ItemIds
from threadkeep.importers.report import ImportReport
from threadkeep.importers.secrets import redact_named
from threadkeep.importers.values import Chat, Skip
from threadkeep.sessions import append
from threadkeep.sessions.read import items_query
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, Json, SessionInfo

_BATCH: Final = 500
"""Items in one commit."""


class Continuation:
    """What is remembered of a document's chats where they come in several parts."""

    def __init__(self, system: str) -> None:
        self._system = system
        self._ids: dict[str, ItemIds] = {}
        self._first: dict[str, Chat] = {}

    def ids(self, chat: Chat) -> ItemIds:
        """The ids of the chat's earlier messages."""
        return self._ids.setdefault(chat.id, ItemIds(self._system))

    def begun(self, chat: Chat) -> Chat:
        """The chat with the title, date and metadata of its first part."""
        opening = self._first.setdefault(chat.id, replace(chat, messages=()))
        return replace(
            chat, title=opening.title, created_at=opening.created_at, metadata=opening.metadata
        )


def write(
    memory: Memory,
    chat: Chat,
    owner: str | None,
    system: str,
    report: ImportReport,
    *,
    earlier: Continuation | None = None,
    redactor: HasSettings | None = None,
) -> None:
    """Add what is new of a chat to its session.

    Args:
        memory: where it goes.
        chat: its messages are read once.
        owner: whose session it becomes.
        system: the name of its format.
        report: counts what happens.
        earlier: the earlier parts of the document's chats; then a part may have no messages.
        redactor: redacts items beside the Memory's own redactor.

    Raises:
        NotOwner: the session belongs to somebody else.
        InputError: its id or title cannot be stored.
    """
    session = memory.session(chat.id, user=owner, agent=chat.agent)
    if earlier is not None:
        chat = earlier.begun(chat)
    stream = _stream(session, chat, system, redactor)
    is_new, item_count = stream.read().info is None, 0
    now = memory._engine.now()
    item_ids = None if earlier is None else earlier.ids(chat)
    incoming_items = chat_items.items(chat, system, now, report.skip, item_ids)
    while item_batch := list(islice(incoming_items, _BATCH)):
        item_count += len(item_batch)
        new_items = _without_existing(session, stream, item_batch)
        if new_items:
            append.add(stream, new_items if redactor is None else _redacted(redactor, new_items))
        report.messages += len(new_items)
        report.existing += len(item_batch) - len(new_items)
    if not item_count:
        if earlier is None:
            report.skip(chat.location, "the chat has no messages")
        return
    report.count_session(chat.id, is_new=is_new)
    report.files += _add_files(session, chat, report.skip)


def _redacted(redactor: HasSettings, items: Sequence[Item]) -> list[Item]:
    return [redacted_item(redactor, _without_named_secrets(item)) for item in items]


def _without_named_secrets(item: Item) -> Item:
    """The item without what stands under names such as `password` in its calls and blocks."""
    redacted_calls, redacted_content = redact_named(item.tool_calls), redact_named(item.content)
    if (redacted_calls, redacted_content) == (item.tool_calls, item.content):
        return item
    return replace(item, tool_calls=redacted_calls, content=redacted_content, raw=None)


def _stream(
    session: Session, chat: Chat, system: str, redactor: HasSettings | None
) -> SessionStream:
    """The session's stream, which begins with the chat's own title and date."""
    session_info = SessionInfo(
        session.id,
        session.user,
        session.agent,
        title=chat.title,
        metadata=_metadata(chat, system),
        created_at=fields.moment(chat.created_at),
        forked_from=chat.forked_from,
    )
    if redactor is not None:
        session_info = redacted_info(redactor, session_info)
    return SessionStream(session._engine, redacted_info(session._engine, session_info))


def _metadata(chat: Chat, system: str) -> dict[str, Json]:
    """What the source knows of the chat; numbers that JSON does not have are texts."""
    return {"source": system, **dict(as_json(chat.metadata, any_type=True))}


def _without_existing(session: Session, stream: SessionStream, batch: Sequence[Item]) -> list[Item]:
    """The new ones of a batch; of the others, those whose branch is shown now change sides."""
    item_by_key: dict[str, Item] = {}
    for item in batch:
        item_by_key.setdefault(names.key(item.id), item)  # the first stays, as if each came alone
    snapshot = stream.read(items_query(stream, ids=list(item_by_key)))
    record_by_key = {record.id: record for record in snapshot.pages[0].records}
    to_hide, to_unhide = [], []
    for record_key, record in record_by_key.items():
        try:
            stored_item = item_codec.read_item(record)
        except UnreadableRecord:
            continue  # it stays as it is
        new_item = item_by_key[record_key]
        was_branch = stored_item.hidden and chat_items.BRANCH in stored_item.metadata
        if was_branch and not new_item.hidden:
            to_unhide.append(new_item.id)
        elif not stored_item.hidden and chat_items.BRANCH in new_item.metadata:
            to_hide.append(new_item.id)
    if to_hide:
        session.hide(*to_hide)
    if to_unhide:
        session.unhide(*to_unhide)
    return [item for record_key, item in item_by_key.items() if record_key not in record_by_key]


def _add_files(session: Session, chat: Chat, skip: Skip) -> int:
    return sum(1 for _ in _added_files(session, chat, skip))


def _added_files(session: Session, chat: Chat, skip: Skip) -> Iterator[None]:
    existing_files = {file.id for file in session.files.list()} if chat.files else set()
    for file in chat.files:
        file_id = file.get("url") or file.get("name")
        if fields.is_one_of(file_id, existing_files):
            continue
        try:
            session.files.add(dict(file))
        except InputError as error:
            skip(chat.location, f"a file is left behind: {error}")
        else:
            existing_files.add(str(file_id))
            yield
