"""Checks of what an application hands over: known roles, known types, known fields.

What comes through an adapter, or was stored already, is not checked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.messages.schemas import RESPONSES_ITEM_TYPES
from threadkeep.printable import shown

ROLE_ALIASES: Final = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "chatbot": "assistant",
}
"""Roles of other frameworks, and what they are called here."""

RESULT_ROLES: Final = frozenset({"tool", "function"})
"""Roles that give the result of a tool."""

NEUTRAL_TYPES: Final = frozenset({"message", "tool_call", "tool_result", "notice"})
"""Types of an `Item` that no provider has, besides `message`."""

ROLES: Final = frozenset({"user", "assistant", "system", "developer", *RESULT_ROLES, *ROLE_ALIASES})
"""Every role that a message may have."""

_TYPES: Final = RESPONSES_ITEM_TYPES | NEUTRAL_TYPES
_MEANT_ROLES: Final = {
    **dict.fromkeys(("bot", "agent", "llm", "gpt", "claude", "gemini", "answer"), "assistant"),
    **dict.fromkeys(("usr", "me", "customer", "client", "person", "question"), "user"),
    **dict.fromkeys(("prompt", "instructions", "sys"), "system"),
}
_PART_TYPES: Final = frozenset(
    {"text", "input_text", "output_text", "refusal", "summary_text", "reasoning_text",
     "image", "image_url", "input_image", "audio", "input_audio", "video", "video_url",
     "file", "input_file", "document", "thinking", "redacted_thinking",
     "tool_use", "server_tool_use", "json", "opaque"}
)  # fmt: skip
DATE_FIELDS: Final = (
    "timestamp", "create_time", "createdAt", "created", "created_time", "date", "time", "sent_at",
)  # fmt: skip
"""What others call `created_at`; the first that is there is taken."""

_DATES: Final = frozenset(DATE_FIELDS)
_EVENT_PREFIXES: Final = ("response.", "message_", "content_block_")
_MILLISECONDS: Final = 1e11  # seconds that no chat was written at
_SHOWN: Final = 40  # characters of a name in an error


def check_message(message: Mapping[str, Any], location: str) -> None:
    """Check the type, the role and the names of fields of a message's dict.

    Raises:
        InputError: one is unknown; the error names it and what may have been meant.
    """
    check_type(message.get("type", "message"), location)
    if "role" in message:
        _check_participant(message, location)
        check_role(message["role"], f"{location}.role")
    if "parts" in message and "content" not in message:
        raise InputError(
            f"{location} has parts in place of content, as Gemini's and Vercel's messages: pass "
            f"{{'role': 'user' or 'assistant', 'content': <the text of the parts>}}"
        )


def with_date(message: dict[str, Any]) -> dict[str, Any]:
    """The message with its date as `created_at`, under whichever name it came.

    A number beyond the year 5000 is of milliseconds, as JavaScript counts.
    """
    if "created_at" in message or _DATES.isdisjoint(message):
        return message
    dated_message = dict(message)
    date = dated_message.pop(
        next(field_name for field_name in DATE_FIELDS if field_name in message)
    )
    if isinstance(date, (int, float)) and abs(date) > _MILLISECONDS:
        date /= 1000
    return {**dated_message, "created_at": date}


def check_role(role: object, location: str) -> None:
    """Check that a role is known.

    Raises:
        InputError: it is not.
    """
    if not isinstance(role, str) or not role or role in ROLES:
        return  # other types and an empty role are refused, by name, where fields are checked
    lower_role = role.lower()
    similar_role = _MEANT_ROLES.get(lower_role) or _nearest(lower_role, ROLES)
    hint = (
        f"did you mean {shown(similar_role)}?"
        if similar_role
        else f"known: {', '.join(sorted(ROLES))};"
    )
    raise InputError(
        f"{location} {shown(role, _SHOWN)} is unknown; {hint} A speaker's own name goes into name="
    )


def check_type(kind: object, location: str) -> None:
    """Check that the type of a dict is one of an item.

    Raises:
        InputError: it is not.
    """
    if not isinstance(kind, str) or not kind or kind in _TYPES:
        return  # as for roles
    type_label = f"{location}.type {shown(kind, _SHOWN)}"
    if kind.startswith(_EVENT_PREFIXES):
        raise InputError(
            f"{type_label} is an event of a stream: pass the final response or message "
            f"(event.response, stream.get_final_response(), stream.get_final_message())"
        )
    if kind in _PART_TYPES or kind.endswith("_tool_result"):
        raise InputError(
            f"{type_label} is a part of a message: pass {{'role': ..., 'content': [the parts]}}"
        )
    similar_type = _nearest(kind, _TYPES)
    hint = f"; did you mean {shown(similar_type)}?" if similar_type else ";"
    raise InputError(
        f"{type_label} is unknown{hint} To store an item of a newer API as it is, pass "
        f"format='openai-responses'"
    )


def _check_participant(message: Mapping[str, Any], location: str) -> None:
    """Zep has the name of the speaker as `role`."""
    if "role_type" in message and str(message["role"]) not in ROLES:
        raise InputError(
            f"{location}.role is a speaker's name beside role_type: pass role_type as role, "
            f"and the name as name"
        )


def _nearest(wrong: str, names: Iterable[str]) -> str | None:
    import difflib  # needed for errors only

    return next(iter(difflib.get_close_matches(wrong, sorted(names), n=1, cutoff=0.7)), None)
