"""`assert_carried`: what one provider wrote, in a prompt for the same or for another one.

- `verbatim`: a receiver that wrote it gets every part of its own back, unchanged and in order:
  blocks of Anthropic, items of Responses other than messages, messages of Chat Completions with
  calls or continuation fields.
- `secret`: another receiver gets none of it: no signature, no encrypted or plain reasoning.
- `words`: and no name of a part in brackets as words of the assistant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from threadkeep.testing.validity.checks import fail

Messages = list[dict[str, Any]]

_RELATED: Final = (
    {"openai/deepseek", "openai/vllm", "openai/openrouter"},
    {"openai/gemini", "gemini"},
    {"responses", "responses/stateless"},
)
"""Wires that share fields, so that what one wrote may be read by the other."""

_SECRET_KEYS: Final = frozenset(
    {"signature", "thought_signature", "thoughtSignature", "encrypted_content", "thinking",
     "reasoning", "reasoning_content", "reasoning_details", "summary", "data"}
)  # fmt: skip
_STATE_KEYS: Final = frozenset(
    {"reasoning", "reasoning_content", "reasoning_details", "extra_content", "tool_calls"}
)
_BRACKETED: Final = re.compile(r"\[[a-z]+(_[a-z]+)*( [^\]]*)?\].*", re.DOTALL)
_MIN_SECRET: Final = 4


def check_carried(written: Messages, sent: Messages, writer: str, receiver: str) -> None:
    """Raise an AssertionError at the first broken rule of this module's docstring."""
    if writer == receiver:
        _check_verbatim(list(_own_parts(written, writer)), list(_own_parts(sent, writer)))
        return
    if not any({writer, receiver} <= related_wires for related_wires in _RELATED):
        _check_secrets(written, sent)
    _check_words(written, sent)


def _own_parts(messages: Messages, wire: str) -> Iterator[Any]:
    """What only the writer can have made, in order."""
    for message in messages:
        if wire == "responses":
            if message.get("type", "message") != "message":
                yield message
        elif message.get("role") in ("assistant", "model"):
            if wire in ("anthropic", "gemini"):
                raw_parts = message.get("content", message.get("parts"))
                yield from raw_parts if isinstance(raw_parts, list) else ()
            elif message.keys() & _STATE_KEYS:
                yield {key: value for key, value in message.items() if value is not None}


def _check_verbatim(written_parts: list[Any], sent_parts: list[Any]) -> None:
    parts_to_match = iter(sent_parts)
    for part_index, written_part in enumerate(written_parts):
        if not any(written_part == sent_part for sent_part in parts_to_match):
            part_type = written_part.get("type", "message")
            fail("verbatim", f"part {part_index}", f"a {part_type} did not come back as it was")


def _check_secrets(written: Messages, sent: Messages) -> None:
    prompt_text = json.dumps(sent)
    for secret in _secrets(written):
        if json.dumps(secret)[1:-1] in prompt_text:
            fail("secret", "messages", f"{len(secret)} characters of another model's state")


def _secrets(value: Any, *, secret: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        if secret and len(value) >= _MIN_SECRET:
            yield value
    elif isinstance(value, dict):
        for key, child_value in value.items():
            if key != "type":
                yield from _secrets(child_value, secret=secret or key in _SECRET_KEYS)
    elif isinstance(value, list):
        for child_value in value:
            yield from _secrets(child_value, secret=secret)


def _check_words(written: Messages, sent: Messages) -> None:
    written_words = set(_words(written))
    for sent_text in _words(sent):
        if _BRACKETED.fullmatch(sent_text) and sent_text not in written_words:
            fail("words", "messages", "the name of a part stands for words of the assistant")


def _words(messages: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The texts of the assistant."""
    for message in messages:
        if message.get("role") in ("assistant", "model"):
            raw_content = message.get("content", message.get("parts"))
            if isinstance(raw_content, str):
                yield raw_content
            for content_part in raw_content if isinstance(raw_content, list) else ():
                if isinstance(content_part.get("text"), str):
                    yield content_part["text"]
