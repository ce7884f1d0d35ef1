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
    request_ids: set[tuple[str, Any]] = set()
    for location, item_type, item in typed:
        if item_type == "item_reference":
            return
        if item_type in _ANSWERS:
            request_type, id_key, _ = _ANSWERS[item_type]
            if (request_type, item.get(id_key)) not in request_ids:
                fail(
                    "answers", location, f"no {request_type} {shorten(item.get(id_key))} before it"
                )
        request_ids.update(
            (item_type, item.get(id_key))
            for request_type, _, id_key in _ANSWERS.values()
            if item_type == request_type
        )


def check_stateless(typed: _Typed) -> None:
    """Raise an AssertionError at what only a service that has stored the items could read."""
    for location, item_type, item in typed:
        if item_type == "item_reference" or item.get("id") is not None:
            fail("stateless", location, f"an id means nothing: {shorten(item.get('id'))}")
        if item_type == "reasoning" and not item.get("encrypted_content"):
            fail("stateless", location, "the reasoning is not encrypted")
