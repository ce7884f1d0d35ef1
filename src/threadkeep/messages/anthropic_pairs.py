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
    open_uses: dict[str, list[_Place]] = {}
    broken: set[_Place] = set()
    for number, message in enumerate(messages):
        for place, block in enumerate(_blocks(message)):
            if is_hosted_use(block):
                open_uses.setdefault(str(block.get("id")), []).append((number, place))
            elif is_hosted_result(block):
                uses = open_uses.get(str(block.get("tool_use_id")))
                if uses:
                    uses.pop()
                else:
                    broken.add((number, place))
    newest = _last_words_of_user(messages) if open_uses else -1
    broken |= {use for uses in open_uses.values() for use in uses if use[0] <= newest}
    return _without(messages, broken) if broken else messages


def is_hosted_use(block: Any) -> bool:
    """Return True for a call of a tool that the provider runs."""
    return _kind(block).endswith("_tool_use")


def is_hosted_result(block: Any) -> bool:
    """Return True for the result of a tool that the provider runs."""
    return _kind(block).endswith("_tool_result")


def _without(messages: list[Message], broken: set[_Place]) -> list[Message]:
    repaired = list(messages)
    for number in {number for number, _ in broken}:
        blocks = enumerate(_blocks(messages[number]))
        content = [block for place, block in blocks if (number, place) not in broken]
        repaired[number] = {**messages[number], "content": content}
    return repaired


def _last_words_of_user(messages: list[Message]) -> int:
    """The number of the newest message in which a user says something; -1 = none."""
    numbers = (n for n in range(len(messages) - 1, -1, -1) if _is_words_of_user(messages[n]))
    return next(numbers, -1)


def _is_words_of_user(message: Message) -> bool:
    content = message["content"]
    words = isinstance(content, str) or any(_kind(block) != "tool_result" for block in content)
    return message["role"] == "user" and words


def _blocks(message: Message) -> list[dict[str, Any]]:
    content = message["content"]
    return [] if isinstance(content, str) else content


def _kind(block: Any) -> str:
    kind = block.get("type") if isinstance(block, dict) else None
    return kind if isinstance(kind, str) else ""
