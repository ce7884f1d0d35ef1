"""`assert_valid`: an independent validator of prompts.

It shares no code with the rest of threadkeep, so that errors there do not hide here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from threadkeep.testing.validity import anthropic, chat, gemini, responses
from threadkeep.testing.validity.chat_profiles import SERVERS

__all__ = ["assert_valid"]

_PROMPT_CHECKS: dict[str, Callable[..., None]] = {
    "openai": chat.check_prompt,
    "openai-chat": chat.check_prompt,
    "responses": responses.check_prompt,
    "openai-responses": responses.check_prompt,
    "anthropic": anthropic.check_prompt,
    "gemini": gemini.check_prompt,
}
_PROFILES: dict[Callable[..., None], tuple[str, ...]] = {
    responses.check_prompt: ("stateless",),
    chat.check_prompt: tuple(name for name in SERVERS if name),
}


def assert_valid(
    messages: object,
    provider: str = "openai",
    *,
    system: object = None,
    profile: str | None = None,
) -> None:
    """Assert that a list of wire messages is a prompt the provider's API accepts.

    The rules, each with its name and its source, are listed in the docstrings of the modules
    `threadkeep.testing.validity.chat`, `.responses`, `.anthropic` and `.gemini`. One rule is more
    lenient than the services: tool calls may stay open, all of them, at the very end, since such a
    history is complete as soon as the pending calls are answered.

    Args:
        messages: what would be sent as `messages` (Chat Completions, Anthropic) or as `input`
            (Responses): plain dicts, as they go into JSON.
        provider: `openai` (Chat Completions; also `openai-chat`), `responses` (also
            `openai-responses`), `anthropic` or `gemini` (`contents`).
        system: what would be sent with them: Anthropic's `system`, the `instructions` of
            Responses, Gemini's `system_instruction`. `None` = nothing.
        profile: which server of the API: `openai`, `deepseek`, `gemini`, `openrouter` or `vllm`
            for Chat Completions, `stateless` for Responses with `store=False`. `None` = any of
            them.

    Raises:
        AssertionError: the first broken rule: its position, what is wrong, the rule's name, and
            the id it is about (shortened). Texts of messages are never quoted.
        ValueError: the provider or its profile is unknown.
    """
    if provider not in _PROMPT_CHECKS:
        raise ValueError(f"provider {provider!r} is none of {', '.join(_PROMPT_CHECKS)}")
    check: Any = _PROMPT_CHECKS[provider]
    if profile is None:
        check(messages, system)
        return
    profiles = _PROFILES.get(check, ())
    if profile not in profiles:
        raise ValueError(f"profile {profile!r} of {provider} is none of {', '.join(profiles)}")
    check(messages, system, profile)
