"""`assert_valid`: an independent validator of prompts.

It shares no code with the rest of threadkeep, so that errors there do not hide here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from threadkeep.testing.validity import anthropic, chat, responses

__all__ = ["assert_valid"]

_PROMPT_CHECKS: dict[str, Callable[[Any, Any], None]] = {
    "openai": chat.check_prompt,
    "openai-chat": chat.check_prompt,
    "responses": responses.check_prompt,
    "openai-responses": responses.check_prompt,
    "anthropic": anthropic.check_prompt,
}


def assert_valid(messages: object, provider: str = "openai", *, system: object = None) -> None:
    """Assert that a list of wire messages is a prompt the provider's API accepts.

    The rules, each with its name and its source, are listed in the docstrings of the modules
    `threadkeep.testing.validity.chat`, `.responses` and `.anthropic`. One rule is more lenient than
    the services: tool calls may stay open, all of them, at the very end, since such a history is
    complete as soon as the pending calls are answered.

    Args:
        messages: what would be sent as `messages` (Chat Completions, Anthropic) or as `input`
            (Responses): plain dicts, as they go into JSON.
        provider: `openai` (Chat Completions; also `openai-chat`), `responses` (also
            `openai-responses`) or `anthropic`.
        system: what would be sent with them: Anthropic's `system`, the `instructions` of
            Responses. `None` = nothing.

    Raises:
        AssertionError: the first broken rule: its position, what is wrong, the rule's name, and
            the id it is about (shortened). Texts of messages are never quoted.
        ValueError: the provider is unknown.
    """
    if provider not in _PROMPT_CHECKS:
        raise ValueError(f"provider {provider!r} is none of {', '.join(_PROMPT_CHECKS)}")
    _PROMPT_CHECKS[provider](messages, system)
