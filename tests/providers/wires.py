"""Prompts that a provider takes, made of whatever Hypothesis draws."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.window.histories import (
    anthropic_message,
    chat_message,
    placed,
    responses_entry,
    texts,
    understood,
)
from threadkeep.messages import parse, read_all
from threadkeep.testing.validity import assert_valid
from threadkeep.types import Item

Wire = list[dict[str, Any]]


def takes(provider: str, messages: Wire) -> bool:
    """Whether the provider would accept the prompt; of Chat Completions, OpenAI's own server."""
    try:
        assert_valid(messages, provider, profile="openai" if provider == "openai" else None)
    except AssertionError:
        return False
    return True


def stored(messages: Wire, format: str | None = None) -> list[Item]:
    """The items of a prompt, as they come back from a store."""
    if format is None:
        return placed([item for message in messages for item in parse(message)])
    return placed([item for _, item in read_all(messages, format=format)])


@st.composite
def chat_prompts(draw: Any) -> Wire:
    """Messages of Chat Completions, each call answered."""
    found: Wire = []
    for number, drawn in enumerate(draw(st.lists(chat_message(), min_size=1, max_size=6))):
        message = _mended(drawn, number)
        answers = [
            {"role": "tool", "tool_call_id": call["id"], "content": draw(texts)}
            for call in message.get("tool_calls", ())
        ]
        if takes("openai", [message, *answers]):
            found += [message, *answers]
    return found


def _mended(message: dict[str, Any], number: int) -> dict[str, Any]:
    """The message with such names, ids and parts only as are taken."""
    role, kept = message["role"], dict(message)
    if not takes("openai", [{"role": "user", "content": "x", "name": message.get("name", "x")}]):
        del kept["name"]
    if isinstance(message["content"], list):
        kept["content"] = [
            part
            for part in message["content"]
            if takes("openai", [{"role": role, "content": [part]}])
        ]
    if role == "assistant":
        calls = [
            {**call, "id": f"call_{number}_{place}", kind: {**call[kind], "name": f"f{place}"}}
            for place, call in enumerate(message.get("tool_calls", ()))
            if (kind := call.get("type"))
        ]
        kept = {**kept, "tool_calls": calls}
        if calls:  # which are one or the other
            kept.pop("function_call", None)
    return kept if kept.get("tool_calls") else {k: v for k, v in kept.items() if k != "tool_calls"}


@st.composite
def responses_prompts(draw: Any) -> Wire:
    """Items of the Responses API, each call answered, each id once."""
    found: Wire = []
    for number, entry in enumerate(draw(st.lists(responses_entry(), min_size=1, max_size=6))):
        piece = _answered(entry | _fresh(entry, number), draw)
        if takes("responses", piece):
            found += piece
    return found


def _fresh(entry: dict[str, Any], number: int) -> dict[str, Any]:
    fresh = {}
    if str(entry.get("id", "__")).startswith("__") is False and "call_output" not in entry["type"]:
        fresh["id"] = f"{entry['id']}_{number}"
    if entry["type"].endswith("_call") and "call_id" in entry:
        fresh["call_id"] = f"{entry['call_id'][:40]}_{number}"
    return fresh


def _answered(entry: dict[str, Any], draw: Any) -> Wire:
    kind, call = entry["type"], entry.get("call_id")
    said = {"output": draw(texts)}
    own: dict[str, dict[str, Any]] = {
        "computer_call": {"output": {"type": "computer_screenshot", "image_url": "https://x.test"}},
        "shell_call": {"output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit"}}]},
        "apply_patch_call": {"status": "completed", **said},
    }
    if kind == "reasoning":
        return [entry, {"type": "message", "role": "assistant", "content": "so"}]
    if kind == "local_shell_call":
        return [entry, {"type": f"{kind}_output", "id": call, **said}]
    if call is None or kind.endswith("_output"):
        return [entry]
    return [entry, {"type": f"{kind}_output", "call_id": call, **own.get(kind, said)}]


@st.composite
def anthropic_prompts(draw: Any) -> Wire:
    """Messages of Anthropic, roles alternating, each call answered."""
    found: Wire = [{"role": "user", "content": "Hello"}]
    for number, message in enumerate(draw(st.lists(anthropic_message(), min_size=1, max_size=6))):
        said = _renamed(message, number)
        if not said["content"]:
            continue
        blocks = said["content"] if isinstance(said["content"], list) else []
        uses = [block["id"] for block in blocks if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": i, "content": "r"} for i in uses]
        ends = [{"role": "user", "content": [*results, {"type": "text", "text": "go on"}]}]
        opening = [{"role": "user", "content": "Hello"}] if said["role"] == "assistant" else []
        piece = [said, *(ends if said["role"] == "assistant" else [])]
        if takes("anthropic", [*opening, *piece]):
            found += piece
    return found


def _renamed(message: dict[str, Any], number: int) -> dict[str, Any]:
    """The message with such blocks only as are taken, and ids that come once."""
    if not isinstance(message["content"], list):
        return message
    blocks = [
        {**block, "id": f"toolu_{number}_{place}", "name": "f"}
        if block["type"] == "tool_use"
        else block
        for place, block in enumerate(message["content"])
    ]
    opening = [{"role": "user", "content": "Hello"}] if message["role"] == "assistant" else []
    spoken = {"type": "text", "text": "."}
    taken = [
        block
        for block in blocks
        if takes("anthropic", [*opening, {**message, "content": [block, spoken]}])
    ]
    return {**message, "content": taken}


any_message = st.one_of(chat_message(), responses_entry(), anthropic_message())
any_items = st.lists(any_message, max_size=8).map(
    lambda drawn: placed([item for message in drawn for item in understood(message)])
)
