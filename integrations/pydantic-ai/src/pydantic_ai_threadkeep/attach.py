"""Where new entries of a conversation follow: its head, an older entry, or another conversation.

The start of a fork is pinned in its source before the fork is written.
"""

from __future__ import annotations

import enum
from typing import Final, Literal

from pydantic_ai.conversation_store import ConversationConflict

from pydantic_ai_threadkeep import forks
from pydantic_ai_threadkeep.conversation_log import ConversationLog, State
from pydantic_ai_threadkeep.current_record import record_of
from pydantic_ai_threadkeep.entry_history import history
from pydantic_ai_threadkeep.finder import Finder
from pydantic_ai_threadkeep.tree import Base, Cut, Tree
from pydantic_ai_threadkeep.write_document import item_at


class _Head(enum.Enum):
    """The type of `HEAD`."""

    HEAD = "head"


HEAD: Final = _Head.HEAD
"""Behind the head: no new branch."""

Parent = Cut | Literal[_Head.HEAD]
"""What new entries follow."""


def attach(finder: Finder, log: ConversationLog, state: State, parent: str | None) -> Parent:
    """What entries whose first one names a parent follow; a fork's start is pinned.

    Raises:
        ConversationConflict: that entry is gone.
    """
    record = record_of(log, state)
    if parent == (None if record is None else record.head_id):
        return HEAD
    if parent is None:
        return None
    if records := state.extra():
        return records[0].seq
    source, seq = _locate(finder, log, parent)
    if source.id == log.id:
        return seq
    base = forks.pin(source, log.id, seq, item_at(source, seq))
    if base is None:
        raise ConversationConflict(log.id)
    return base


def tree_behind(state: State, parent: Parent) -> Tree:
    """The branches with one for entries that follow a parent, if they need one."""
    if isinstance(parent, _Head):
        return state.tree
    return state.tree.switched(state.newest_seq, parent)


def check_base(log: ConversationLog, parent: Parent) -> None:
    """Take back a fork whose source was deleted while it was made.

    Raises:
        ConversationConflict: it was.
    """
    if isinstance(parent, Base) and not forks.is_pinned(log.open(parent.conversation), log.id):
        log.chat.delete()
        raise ConversationConflict(log.id)


def unpin(log: ConversationLog, parent: Parent) -> None:
    """Take a fork that was not written off its source, unless another branch begins there."""
    if not isinstance(parent, Base):
        return
    document = log.state().document
    bases = [] if document is None else document.tree.bases()
    if parent.conversation not in [base.conversation for base in bases]:
        forks.unpin(log.open(parent.conversation), log.id)


def _locate(finder: Finder, log: ConversationLog, entry: str) -> tuple[ConversationLog, int]:
    """The conversation that holds the last item of an entry, and its seq there.

    Raises:
        ConversationConflict: the entry is gone.
    """
    try:
        source_log, state, seq = finder.locate(entry)
    except LookupError:
        raise ConversationConflict(log.id) from None
    if seq is not None:
        return source_log, seq
    last_entry = history(source_log, state, limit=1)[-1]
    return log.open(last_entry.conversation), last_entry.seq
