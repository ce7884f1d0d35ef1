"""A policy that shows the items of a session as a model request has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar

from langchain_core.messages import BaseMessage

from langchain_threadkeep.codec import to_item
from langchain_threadkeep.state_marks import checksum, lineage_of
from langchain_threadkeep.turn import AgentTurn
from threadkeep import Item
from threadkeep.adapters.edited_results import cut_edited_results
from threadkeep.adapters.windows import Policies
from threadkeep.policies import PolicyTraits


class RequestView:
    """The first policy of a window: what the request changed or removed, policies see so.

    A tool result that the request changed is cut as a stored one.

    Of the state's messages it shows those that the request has; of other items, those that were
    stored before the run, unless they belong to another branch of the state. Runs that share a
    thread interleave, and no run should answer another run's question.

    Args:
        turn: the current turn; the store is in step with its state.
        request: the messages of the request.
        policies: the other policies of the window.
    """

    traits: ClassVar[PolicyTraits] = PolicyTraits(filters=True)

    def __init__(
        self, turn: AgentTurn, request: Sequence[BaseMessage], policies: Policies = ()
    ) -> None:
        self._turn, self._policies = turn, policies
        message_by_id = {message.id: message for message in request if message.id}
        self._messages: Mapping[str, BaseMessage | None] = {
            held_message.record: message_by_id.get(message_id)
            for message_id, held_message in turn.held.items()
        }
        self._parts = {
            part_id: message_id in message_by_id
            for message_id, part_ids in turn.parts.items()
            for part_id in part_ids
        }
        self._checksums = {
            held_message.record: held_message.checksum for held_message in turn.held.values()
        }
        self.shown: dict[str, Item] = {}
        self.stored_ids: set[str] = set()
        self.edited: set[str] = set()

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        """Return the items as the request has them."""
        self.stored_ids = {item.id for item in items}
        item_views = [item_view for item in items if (item_view := self._view(item)) is not None]
        self.shown = {item.id: item for item in item_views}
        return cut_edited_results(item_views, self.edited, self._policies)

    def is_changed(self, item: Item) -> bool:
        """Return True if another policy changed what an item says."""
        item_view = self.shown.get(item.id)
        return item_view is None or (item_view.content, item_view.tool_calls, item_view.role) != (
            item.content, item.tool_calls, item.role,
        )  # fmt: skip

    def _view(self, item: Item) -> Item | None:
        if item.metadata.get("synthetic"):
            return item
        if item.id in self._parts:
            return item if self._parts[item.id] else None
        if item.id not in self._messages:
            is_other_branch = self._turn.lineage and lineage_of(item) == self._turn.lineage
            return item if item.seq < self._turn.since and not is_other_branch else None
        message = self._messages[item.id]
        if message is None:
            return None
        if checksum(message) == self._checksums[item.id]:
            return item
        self.edited.add(item.id)
        return dataclasses.replace(
            to_item(message), id=item.id, seq=item.seq, created_at=item.created_at
        )
