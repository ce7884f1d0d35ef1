"""Store a turn that went through the proxy: its items, and its response."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from threadkeep.errors import InputError
from threadkeep.messages import read_all
from threadkeep.messages.read import Format
from threadkeep.serve.prompts import LAST_ITEM, Owner
from threadkeep.serve.responses import IN_CONVERSATION
from threadkeep.types import Item

Api = Literal["openai-chat", "openai-responses"]
_RESERVED: Final = ("user", "conversation", "previous_response_id", "store", "input")


@dataclass(frozen=True, slots=True)
class Turn:
    """One request to the proxy.

    Attributes:
        owner: whose it is.
        format: the API of its items.
        input: what is new, as it was sent: what is stored of it.
        conversation: the session to store it in; `None`: only the response is stored.
        previous: the id of the response that it goes on from.
        store: whether anything is stored.
        response_id: minted here, so that no upstream's id can meet another user's.
    """

    owner: Owner
    format: Api
    input: str | list[dict[str, Any]]
    conversation: str | None = None
    previous: str | None = None
    store: bool = True
    response_id: str = field(default_factory=lambda: mint("resp"))

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The input as entries."""
        if isinstance(self.input, str):
            return [{"role": "user", "content": self.input}]
        return self.input

    def items(self) -> list[Item]:
        """The input as items.

        Raises:
            InputError: an entry cannot be understood; it is named.
        """
        return [item for _, item in read_all(self.entries, "input")]


def mint(prefix: str) -> str:
    """A new random id."""
    return f"{prefix}_{secrets.token_hex(24)}"


def record(turn: Turn, response: Mapping[str, Any], output: Sequence[Mapping[str, Any]]) -> None:
    """Store what arrived, once: input and output in one step, then the response.

    Args:
        turn: the request.
        response: the response, or the chat completion, as the upstream sent it, with its status.
        output: its items, in the format of the turn.

    Raises:
        InputError: the upstream sent what cannot be stored.
        NotOwner: the session belongs to another user.
    """
    if not turn.store:
        return
    extra_fields: dict[str, Any] = {IN_CONVERSATION: turn.conversation or ""}
    if turn.conversation is not None:
        stored_items = _add(turn, output)
        extra_fields[LAST_ITEM] = stored_items[-1].id if stored_items else None
    own_fields = {key: value for key, value in response.items() if key not in _RESERVED}
    response_fields = {
        **own_fields,
        **extra_fields,
        "id": turn.response_id,
        "previous_response_id": turn.previous,
    }
    turn.owner.responses.add(response_fields, conversation=turn.conversation, input=turn.input)


def _add(turn: Turn, output: Sequence[Mapping[str, Any]]) -> list[Item]:
    """Append the turn to its session in one step."""
    chat = turn.owner.session(str(turn.conversation))
    format: Format = turn.format
    input_items = [item for _, item in read_all(turn.entries, "input")]
    output_items = [item for _, item in read_all(list(output), "output", format)]
    if not input_items and not output_items:
        return []
    return list(chat.add(*input_items, *output_items))


def check_input(value: object, name: str) -> str | list[dict[str, Any]]:
    """The input of a request.

    Raises:
        InputError: it is neither a text nor a list of objects.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return value
    raise InputError(f"{name} must be a text or a list of objects")
