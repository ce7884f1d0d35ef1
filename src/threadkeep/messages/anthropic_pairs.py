"""Pairs of hosted tools in Anthropic's messages: a use and its result are both there, or neither.

The API refuses a use without its result, and a result without its use. Only the newest uses may be
open: their results are still to come.
"""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]
_Place = tuple[int, int]  # the number of the message, and of the block in it


def with_whole_pairs(messages: list[Message]) -> list[Message]:
    """The messages without uses and results of hosted tools whose counterpart is missing.

    A result may be in a later message than its use, since a hosted tool may call tools itself.
    """
    open_places_by_id: dict[str, list[_Place]] = {}
    broken_places: set[_Place] = set()
    for message_number, message in enumerate(messages):
        for block_index, block in enumerate(_blocks(message)):
            place = message_number, block_index
            if is_hosted_use(block):
                open_places_by_id.setdefault(str(block.get("id")), []).append(place)
            elif is_hosted_result(block):
                use_places = open_places_by_id.get(str(block.get("tool_use_id")))
                if use_places:
                    use_places.pop()
                else:
                    broken_places.add(place)
    user_message_number = _last_words_of_user(messages) if open_places_by_id else -1
    broken_places |= {
        use_place
        for use_places in open_places_by_id.values()
        for use_place in use_places
        if use_place[0] <= user_message_number
    }
    return _without(messages, broken_places) if broken_places else messages


def is_hosted_use(block: Any) -> bool:
    """Return True for a call of a tool that the provider runs."""
    return _kind(block).endswith("_tool_use")


def is_hosted_result(block: Any) -> bool:
    """Return True for the result of a tool that the provider runs."""
    return _kind(block).endswith("_tool_result")


def _without(messages: list[Message], broken_places: set[_Place]) -> list[Message]:
    repaired_messages = list(messages)
    for message_number in {message_number for message_number, _ in broken_places}:
        numbered_blocks = enumerate(_blocks(messages[message_number]))
        whole_blocks = [
            block
            for block_index, block in numbered_blocks
            if (message_number, block_index) not in broken_places
        ]
        repaired_messages[message_number] = {**messages[message_number], "content": whole_blocks}
    return repaired_messages


def _last_words_of_user(messages: list[Message]) -> int:
    """The number of the newest message in which a user says something; -1 = none."""
    message_numbers = (
        message_number
        for message_number in range(len(messages) - 1, -1, -1)
        if _is_words_of_user(messages[message_number])
    )
    return next(message_numbers, -1)


def _is_words_of_user(message: Message) -> bool:
    content = message["content"]
    has_words = isinstance(content, str) or any(_kind(block) != "tool_result" for block in content)
    return message["role"] == "user" and has_words


def _blocks(message: Message) -> list[dict[str, Any]]:
    message_content = message["content"]
    return [] if isinstance(message_content, str) else message_content


def _kind(block: Any) -> str:
    block_type = block.get("type") if isinstance(block, dict) else None
    return block_type if isinstance(block_type, str) else ""
