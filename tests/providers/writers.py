"""What models of each provider wrote: conversations in the documented shapes, drawn by Hypothesis.

Every reply holds state of its provider; secrets are drawn too, so that none is known beforehand.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from hypothesis import strategies as st

Wire = list[dict[str, Any]]
secrets = st.text("abcdefghijklmnop", min_size=8, max_size=12).map(lambda text: f"secret{text}")
words = st.sampled_from(["Hello.", "It is sunny.", "Let me look."])
arguments = st.sampled_from(["{}", '{ "q" : 1 }', '{"x": NaN}', '{"bad":'])


def _chat(draw: Any, state: dict[str, Any], signature: str | None = None) -> Wire:
    """One turn of Chat Completions, with one or two calls or none."""
    calls = []
    for place in range(draw(st.integers(0, 2))):
        function = {"name": "look", "arguments": draw(arguments)}
        call = {"id": f"c{place}", "type": "function", "function": function}
        if signature and not place:
            call["extra_content"] = {"google": {"thought_signature": signature}}
        calls.append(call)
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "r"} for call in calls]
    asked = {"role": "assistant", "content": None, "tool_calls": calls, **state}
    answer = {"role": "assistant", "content": draw(words), **state}
    return [{"role": "user", "content": "q"}, *([asked, *results] if calls else []), answer]


@st.composite
def deepseek(draw: Any, number: int) -> Wire:
    return _chat(draw, {"reasoning_content": draw(st.one_of(secrets, st.just("")))})


@st.composite
def vllm(draw: Any, number: int) -> Wire:
    return _chat(draw, {"reasoning": draw(secrets)})


@st.composite
def openrouter(draw: Any, number: int) -> Wire:
    details = draw(
        st.sampled_from(
            [
                [{"type": "reasoning.encrypted", "data": draw(secrets), "id": "r1", "index": 0}],
                [{"type": "reasoning.text", "text": draw(secrets), "signature": draw(secrets)}],
                [{"type": "reasoning.tomorrow", "x": draw(secrets)}],
            ]
        )
    )
    return _chat(draw, {"reasoning_details": details, "reasoning": draw(secrets)})


@st.composite
def gemini(draw: Any, number: int) -> Wire:
    signature = draw(st.binary(min_size=6, max_size=9).map(urlsafe_b64encode)).decode()
    return _chat(draw, {}, signature)


@st.composite
def openai(draw: Any, number: int) -> Wire:
    return _chat(draw, {})


@st.composite
def responses(draw: Any, number: int) -> Wire:
    """One response: reasoning, hosted calls, a function call or a message."""
    tag = f"turn{number}"
    texts = [{"type": "summary_text", "text": draw(secrets)}]
    thought = {
        "type": "reasoning",
        "id": f"rs_{tag}",
        "summary": draw(st.sampled_from([[], texts])),
    }
    if draw(st.booleans()):
        thought["encrypted_content"] = draw(secrets)
    hosted = draw(st.lists(st.sampled_from(HOSTED), max_size=2, unique_by=lambda one: one["type"]))
    said = {"type": "output_text", "text": draw(words), "annotations": []}
    message = {"type": "message", "role": "assistant", "id": f"msg_{tag}", "status": "completed",
               "content": [said]}  # fmt: skip
    call = {"type": "function_call", "id": f"fc_{tag}", "call_id": tag, "name": "look",
            "arguments": draw(arguments), "status": "completed"}  # fmt: skip
    called = [call, {"type": "function_call_output", "call_id": tag, "output": "r"}]
    own = [{**one, "id": f"{one['id']}_{tag}"} for one in hosted]
    question = {"type": "message", "role": "user", "content": "q"}
    return [question, thought, *own, *draw(st.sampled_from([[message], called]))]


HOSTED: list[dict[str, Any]] = [
    {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search"}},
    {"type": "file_search_call", "id": "fs", "status": "completed", "queries": ["q"]},
    {"type": "code_interpreter_call", "id": "ci", "status": "completed", "code": "1",
     "container_id": "cntr", "outputs": None},
    {"type": "mcp_call", "id": "mcp", "name": "f", "server_label": "s", "arguments": "{}",
     "output": "found"},
    {"type": "mcp_list_tools", "id": "mcpl", "server_label": "s", "tools": []},
    {"type": "compaction", "id": "cmp", "encrypted_content": "secretcompaction"},
    {"type": "brand_new_call", "id": "bn", "payload": {"a": 1}},
]  # fmt: skip


@st.composite
def anthropic(draw: Any, number: int) -> Wire:
    """One answer with blocks of the API's own, a call among them or none."""
    tag = f"turn{number}"
    use = {"type": "server_tool_use", "id": f"srvtoolu_{tag}", "name": "web_search", "input": {}}
    kind = draw(st.sampled_from(["web_search_tool_result", "advisor_tool_result"]))
    pair = [use, {"type": kind, "tool_use_id": use["id"], "content": []}]
    blocks = draw(
        st.lists(
            st.sampled_from(
                [
                    [{"type": "thinking", "thinking": draw(secrets), "signature": draw(secrets)}],
                    [{"type": "redacted_thinking", "data": draw(secrets)}],
                    [{"type": "compaction", "content": draw(secrets)}],
                    [{"type": "tomorrow", "signature": draw(secrets)}],
                    pair,
                ]
            ),
            min_size=1,
            max_size=4,
            unique_by=lambda group: group[0]["type"],
        )
    )
    own = [block for group in blocks for block in group]
    text = {"type": "text", "text": draw(words)}
    call = {"type": "tool_use", "id": f"toolu_{tag}", "name": "look", "input": {"q": 1}}
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "r"}
    question = {"role": "user", "content": [{"type": "text", "text": "q"}]}
    if draw(st.booleans()):
        return [question, {"role": "assistant", "content": [*own, text]}]
    return [
        question,
        {"role": "assistant", "content": [*own, text, call]},
        {"role": "user", "content": [result]},
    ]


WRITERS = {
    "openai/openai": openai,
    "openai/deepseek": deepseek,
    "openai/vllm": vllm,
    "openai/openrouter": openrouter,
    "openai/gemini": gemini,
    "responses": responses,
    "anthropic": anthropic,
}
"""Each writer's turns, by the name of its wire."""

FORMATS = {"responses": "openai-responses", "anthropic": "anthropic"}
