"""What the upstream is asked: the stored context in a window, and what is new behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from threadkeep.adapters.windows import Policies
from threadkeep.api.memory import Memory
from threadkeep.api.user import User
from threadkeep.core.engine import Engine
from threadkeep.errors import NotFound
from threadkeep.messages import parse
from threadkeep.serve.errors import ApiError
from threadkeep.serve.responses import IN_CONVERSATION
from threadkeep.types import Item
from threadkeep.types.responses import Response
from threadkeep.window import Window, choose

MAX_CHAIN: Final = 200
"""Responses of a chain that are read for one request; the window usually holds fewer."""

MAX_CONTEXT: Final = 500
"""Items of a conversation that are read to go on from one of its responses."""

LAST_ITEM: Final = "threadkeep_last_item"
"""The extra of a response in a conversation: the id of the last item of its turn."""

_PINNED: Final = 8
Owner = Memory | User


def conversation_window(
    owner: Owner, id: str, new: Sequence[Item], policies: Policies, *, must_exist: bool
) -> Window:
    """The newest of a conversation with what is new behind it, valid for every provider.

    Raises:
        NotFound: there is no such conversation.
        NotOwner: it belongs to another user.
    """
    chat = owner.session(id)
    stored_window = chat.window(policy=list(policies))
    if must_exist and not stored_window and owner.conversations.get(id) is None:
        raise NotFound("there is no such conversation")
    return window_of(owner._engine, stored_window, new, policies)


def chain_window(owner: Owner, previous: str, new: Sequence[Item], policies: Policies) -> Window:
    """What was asked and answered up to a response, with what is new behind it.

    Raises:
        ApiError: there is no such response, or it is another user's.
    """
    try:
        responses = owner.responses.chain(previous, depth=MAX_CHAIN)
    except (NotFound, PermissionError) as error:
        raise ApiError(
            400,
            "the previous response was not found",
            code="previous_response_not_found",
            param="previous_response_id",
        ) from error
    context = _opening(owner, responses[0]) if responses else []
    for response in responses if not context else responses[1:]:
        context += exchanged(response)
    return window_of(owner._engine, context, new, policies)


def window_of(
    engine: Engine, context: Sequence[Item], new: Sequence[Item], policies: Policies
) -> Window:
    """A window of items that need not be stored."""
    items = [replace(item, seq=seq) for seq, item in enumerate([*context, *new], 1)]
    return choose(
        items,
        items[:_PINNED],
        lambda before, limit: [],
        policies,
        now=engine.now(),
        size=len(items) + 1,
        lookback=len(items) + 1,
    )


def exchanged(response: Response) -> list[Item]:
    """The input and the output of a response as items."""
    input_entries: list[Any] = [response.input] if isinstance(response.input, str) else []
    input_entries = input_entries or list(response.input or [])
    return [
        item
        for entry_index, entry in enumerate([*input_entries, *response.output])
        for item in parse(entry, f"{response.id}[{entry_index}]")
    ]


def _opening(owner: Owner, response: Response) -> list[Item]:
    """The conversation up to a response in it; nothing for a response outside of one."""
    conversation_id, last_id = (response.extra.get(key) for key in (IN_CONVERSATION, LAST_ITEM))
    if not conversation_id or not isinstance(conversation_id, str) or not isinstance(last_id, str):
        return []
    try:
        last_item = owner.conversations.item(conversation_id, last_id)
        items = owner.conversations.items(
            conversation_id, limit=MAX_CONTEXT, order="desc", after=last_id
        )
    except NotFound:  # deleted since; what the response itself says is left
        return []
    return [*reversed(items), last_item]
