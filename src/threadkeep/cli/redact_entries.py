"""Finds a pattern in what is stored already, and replaces it: session by session, page by page."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.cli import redact_branches
from threadkeep.longterm import summaries
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.user_stream import UserStream, for_session
from threadkeep.sessions import branches, derived, revise
from threadkeep.types import Item, Json
from threadkeep.types.knowledge import Fact, Instruction

Entry = TypeVar("Entry", Fact, Instruction)

_PAGE: Final = 500
_UNCHANGED_KEYS: Final = frozenset({"type", "id", "role", "call_id", "tool_call_id"})
_ITEM_FIELDS: Final = ("content", "name", "tool_calls", "metadata", "raw")
_RESPONSE_FIELDS: Final = ("input", "output", "tool_calls", "metadata", "extra")


class RedactedEntry(NamedTuple):
    """A stored entry with matches: which session or user it is of, its kind, its id."""

    owner: str
    kind: str
    id: str


@dataclass(frozen=True)
class Redaction:
    """What to find, and what to put in its place.

    Attributes:
        pattern: found in each text on its own.
        replacement: as `re.sub` takes it.
        dry_run: only look.
    """

    pattern: re.Pattern[str]
    replacement: str
    dry_run: bool = False

    def text(self, text: str) -> str:
        """The text with each match replaced."""
        return self.pattern.sub(self.replacement, text)

    def json(self, value: Json) -> Any:
        """JSON with each match in a text replaced; keys, ids, types and roles stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {k: v if k in _UNCHANGED_KEYS else self.json(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.json(element) for element in value]
        return value


def redact_session(memory: Memory, id: str, redaction: Redaction) -> Iterator[RedactedEntry]:
    """Redact a session's items, hidden ones too, its info, files, responses and summary."""
    chat = memory.session(id)
    branch_names = redact_branches.new_names(chat, redaction.text)
    yield from _items(chat, redaction, branch_names)
    yield from _info(chat, redaction, branch_names)
    yield from _files(chat, redaction)
    yield from _responses(memory, chat, redaction)
    if not redaction.dry_run:
        redact_branches.rename_of_responses(chat, redaction.text, branch_names)
    yield from _summary(chat, redaction)


def redact_knowledge(memory: Memory, id: str, redaction: Redaction) -> Iterator[RedactedEntry]:
    """Redact the facts and instructions of a session's user, or of the session if it has none."""
    chat = memory.session(id)
    session_info = chat.info()
    owner_id = id if session_info is None or session_info.user is None else session_info.user
    return iter(_knowledge(for_session(chat._stream), owner_id, redaction))


def _items(
    chat: Session, redaction: Redaction, branch_names: Mapping[str, str]
) -> Iterator[RedactedEntry]:
    last_seq: int | None = None
    while True:
        page = chat.items(after=last_seq, limit=_PAGE, hidden=True)
        changes = [copy for item in page if (copy := _item(item, redaction, branch_names)) != item]
        if changes and not redaction.dry_run:
            revise.replace_items(chat._stream, changes)
        yield from (RedactedEntry(chat.id, "item", item.id) for item in changes)
        if page.cursor is None:
            return
        last_seq = page.cursor


def _item(item: Item, redaction: Redaction, new_name_by_name: Mapping[str, str]) -> Item:
    if item.type == "opaque":
        return redact_branches.renamed(item, item.metadata, new_name_by_name)
    redacted_fields = {name: redaction.json(getattr(item, name)) for name in _ITEM_FIELDS}
    renamed_item = redact_branches.renamed(item, redacted_fields["metadata"], new_name_by_name)
    redacted_fields["metadata"] = renamed_item.metadata
    is_unchanged = all(getattr(item, name) == value for name, value in redacted_fields.items())
    return item if is_unchanged else dataclasses.replace(item, **redacted_fields)


def _info(
    chat: Session, redaction: Redaction, new_name_by_name: Mapping[str, str]
) -> Iterator[RedactedEntry]:
    session_info = chat.info()
    if session_info is None:
        return
    redacted_title = None if session_info.title is None else redaction.text(session_info.title)
    redacted_metadata = redaction.json(session_info.metadata)
    is_same = (redacted_title, redacted_metadata) == (session_info.title, session_info.metadata)
    if is_same and not new_name_by_name:
        return
    if not redaction.dry_run:
        if not is_same:
            chat.update(title=redacted_title, metadata=redacted_metadata)
        branches.rename(chat._stream, new_name_by_name)
    yield RedactedEntry(chat.id, "session", chat.id)


def _files(chat: Session, redaction: Redaction) -> Iterator[RedactedEntry]:
    for file in chat.files.list():
        file_data = file.to_dict()
        redacted_data = redaction.json(file_data)
        if redacted_data == file_data:
            continue
        if not redaction.dry_run:
            chat.files.remove(file.id)
            chat.files.add(redacted_data)
        yield RedactedEntry(chat.id, "file", redaction.text(file.id))


def _responses(memory: Memory, chat: Session, redaction: Redaction) -> Iterator[RedactedEntry]:
    cursor = None
    while True:
        response_page = memory.responses.list(conversation=chat.id, limit=100, cursor=cursor)
        for response in response_page:
            fields = {name: redaction.json(getattr(response, name)) for name in _RESPONSE_FIELDS}
            if all(getattr(response, name) == value for name, value in fields.items()):
                continue
            if not redaction.dry_run:
                memory.responses.add(dataclasses.replace(response, **fields), conversation=chat.id)
            yield RedactedEntry(chat.id, "response", response.id)
        cursor = response_page.cursor
        if cursor is None:
            return


def _summary(chat: Session, redaction: Redaction) -> Iterator[RedactedEntry]:
    """A summary with a match is deleted, since it is written anew from what is left."""
    if chat.summary() is None:
        return
    if any(map(redaction.pattern.search, summaries.load(chat._engine, chat.id).texts())):
        if not redaction.dry_run:
            derived.invalidate_summary(chat._engine, chat.id)
        yield RedactedEntry(chat.id, "summary", chat.id)


def _knowledge(stream: UserStream, owner: str, redaction: Redaction) -> list[RedactedEntry]:
    def changed(entries: Iterable[Entry]) -> list[Entry]:
        return [copy for entry in entries if (copy := _entry(entry, redaction)) != entry]

    def step(unit: UnitOfWork) -> list[RedactedEntry]:
        facts, instructions = changed(unit.facts.values()), changed(unit.instructions.values())
        if not redaction.dry_run:
            for fact in facts:
                unit.put_fact(fact)
            for instruction in instructions:
                unit.put_instruction(instruction)
        redacted_facts = [RedactedEntry(owner, "fact", fact.id) for fact in facts]
        return redacted_facts + [
            RedactedEntry(owner, "instruction", entry.id) for entry in instructions
        ]

    return step(stream.load()) if redaction.dry_run else stream.transact(step)


def _entry(entry: Entry, redaction: Redaction) -> Entry:
    redacted_sources = tuple(
        dataclasses.replace(source, quote=redaction.text(source.quote)) for source in entry.sources
    )
    return dataclasses.replace(entry, text=redaction.text(entry.text), sources=redacted_sources)
