"""`assert_valid` and `assert_carried`: independent validators of prompts.

They share no code with the rest of threadkeep, so that errors there do not hide here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from threadkeep.testing.validity import anthropic, chat, gemini, responses
from threadkeep.testing.validity.carried import check_carried
from threadkeep.testing.validity.chat_profiles import SERVERS

__all__ = ["assert_carried", "assert_valid"]

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
    check_prompt: Any = _PROMPT_CHECKS[provider]
    if profile is None:
        check_prompt(messages, system)
        return
    known_profiles = _PROFILES.get(check_prompt, ())
    if profile not in known_profiles:
        raise ValueError(
            f"profile {profile!r} of {provider} is none of {', '.join(known_profiles)}"
        )
    check_prompt(messages, system, profile)


def assert_carried(
    written: list[dict[str, Any]],
    sent: list[dict[str, Any]],
    *,
    writer: str,
    receiver: str,
    system: object = None,
) -> None:
    """Assert that a prompt carries what a provider wrote as it should: back, or not at all.

    The rules are listed in the docstring of `threadkeep.testing.validity.carried`.

    Args:
        written: the conversation as it came from the writer and its application.
        sent: the prompt for the receiver, which is checked with `assert_valid` as well.
        writer: a provider as in `assert_valid`, with its profile after a slash if it has one:
            `openai/deepseek`, `responses`, `anthropic`.
        receiver: likewise.
        system: as in `assert_valid`.

    Raises:
        AssertionError: the first broken rule; texts of messages are never quoted.
        ValueError: the receiver is unknown.
    """
    provider, _, profile = receiver.partition("/")
    assert_valid(sent, provider, system=system, profile=profile or None)
    check_carried(written, sent, writer, receiver)
