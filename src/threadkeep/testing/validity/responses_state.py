"""OpenAI Responses: what refers to other items. The rules are named in `responses`."""

from __future__ import annotations

from typing import Any

from threadkeep.testing.validity.checks import fail, shorten

_Typed = list[tuple[str, str, dict[str, Any]]]  # position, type, item
_ANSWERS = {
    "mcp_approval_response": ("mcp_approval_request", "approval_request_id", "id"),
    "program_output": ("program", "call_id", "call_id"),
}


def check_answers(typed: _Typed) -> None:
    """Raise an AssertionError at an answer to an item that is not there."""
    earlier: set[tuple[str, Any]] = set()
    for location, kind, item in typed:
        if kind == "item_reference":
            return
        if kind in _ANSWERS:
            other, key, _ = _ANSWERS[kind]
            if (other, item.get(key)) not in earlier:
                fail("answers", location, f"no {other} {shorten(item.get(key))} before it")
        earlier.update(
            (kind, item.get(key)) for other, _, key in _ANSWERS.values() if kind == other
        )


def check_stateless(typed: _Typed) -> None:
    """Raise an AssertionError at what only a service that has stored the items could read."""
    for location, kind, item in typed:
        if kind == "item_reference" or item.get("id") is not None:
            fail("stateless", location, f"an id means nothing: {shorten(item.get('id'))}")
        if kind == "reasoning" and not item.get("encrypted_content"):
            fail("stateless", location, "the reasoning is not encrypted")
