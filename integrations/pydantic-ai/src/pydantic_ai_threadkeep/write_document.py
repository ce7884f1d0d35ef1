"""Writes a conversation's document together with items, and hides what leaves the history."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from pydantic_ai.conversation_store import ConversationRecord

from pydantic_ai_threadkeep.conversation_log import ConversationLog, State
from pydantic_ai_threadkeep.document import CONVERSATION, Document
from pydantic_ai_threadkeep.tree import Range, Tree, minus
from threadkeep import Item
from threadkeep.adapters.session_log import Change, key, life_of


def write_document(
    log: ConversationLog,
    state: State,
    record: ConversationRecord | None,
    tree: Tree,
    items: Sequence[Item] = (),
) -> None:
    """Write the framework's record, the branches and new items if nothing changed meanwhile.

    Args:
        log: the conversation.
        state: of it, as the document is made of.
        record: `None` = deleted, and the items are there for forks alone.
        tree: the branches from now on.
        items: new ones.

    Raises:
        Conflict: the session changed since the state was read.
        InputError: an item cannot be stored; nothing was written.
    """
    document = Document(
        token=str(uuid4()) if state.document is None else state.document.token,
        record=record,
        last=_newest_id(state, items),
        tree=tree,
        items=_items_named(log, state, tree),
        life=life_of(state.snapshot),
    )
    old_ranges, new_ranges = _stored_ranges(state, state.tree), _stored_ranges(state, tree)
    change = Change(
        items,
        [log.log.record(CONVERSATION, CONVERSATION, document.to_fields())],
        hide=log.seqs(minus(old_ranges, new_ranges)),
        show=log.seqs(minus(new_ranges, old_ranges)),
    )
    log.log.commit(state.snapshot, change)


def item_at(log: ConversationLog, seq: int) -> str | None:
    """The record id of the item with a seq."""
    records = log.seqs([Range(seq - 1, seq)])
    return records[0].id if records else None


def _newest_id(state: State, items: Sequence[Item]) -> str | None:
    """The record id of the newest item once items are written."""
    if items:
        return key(items[-1].id)
    return None if state.newest is None else state.newest.id


def _items_named(log: ConversationLog, state: State, tree: Tree) -> dict[int, str]:
    """The record ids of the items at the seqs that a tree names, where there is one."""
    stored_id_by_seq = {} if state.document is None else state.document.items
    item_id_by_seq = {seq: stored_id_by_seq.get(seq) or item_at(log, seq) for seq in tree.seqs()}
    return {seq: item_id for seq, item_id in item_id_by_seq.items() if item_id is not None}


def _stored_ranges(state: State, tree: Tree) -> list[Range]:
    """The ranges of a tree's current history that hold items by now."""
    ranges = [Range(span.after, min(span.upto, state.newest_seq)) for span in tree.ranges()]
    return [span for span in ranges if span.after < span.upto]
