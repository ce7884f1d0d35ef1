"""Generated events and state, as ADK has them."""

from __future__ import annotations

import string
from typing import Any

from google.adk.events.event import Event
from google.adk.events.event_actions import EventActions, EventCompaction
from google.genai import types
from hypothesis import strategies as st


def made(kind: Any, **fields: Any) -> Any:
    """Objects of a class; `st.builds` would take seconds to read the types of its fields."""
    return st.fixed_dictionaries(fields).map(lambda drawn: kind(**drawn))


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
names = st.text(string.ascii_lowercase, min_size=1, max_size=5)
json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(names, json_values, max_size=3)
keys = st.sampled_from(["a", "b", "app:a", "app:b", "user:a", "user:b", "temp:a"])
states = st.dictionaries(keys, json_values, max_size=4)

calls = made(types.FunctionCall, id=names | st.none(), name=names, args=objects)
responses = made(
    types.FunctionResponse,
    id=names | st.none(),
    name=names,
    response=objects | st.fixed_dictionaries({"result": texts}) | st.none(),
)
blobs = made(
    types.Blob,
    data=st.binary(max_size=40),
    mime_type=st.sampled_from(["image/png", "audio/wav", "video/mp4", "application/pdf"]),
)
files = made(types.FileData, file_uri=st.just("gs://bucket/file"), mime_type=st.none() | names)
codes = made(types.ExecutableCode, code=texts, language=st.just(types.Language.PYTHON))
outcomes = made(types.CodeExecutionResult, output=texts, outcome=st.just(types.Outcome.OUTCOME_OK))
parts = st.one_of(
    made(types.Part, text=texts),
    made(types.Part, text=texts, thought=st.just(True), thought_signature=st.binary(max_size=9)),
    made(types.Part, function_call=calls, thought_signature=st.none() | st.binary(max_size=9)),
    made(types.Part, function_response=responses),
    made(types.Part, inline_data=blobs),
    made(types.Part, file_data=files),
    made(types.Part, executable_code=codes),
    made(types.Part, code_execution_result=outcomes),
    st.just(types.Part()),
)
contents = made(
    types.Content,
    role=st.sampled_from(["user", "model"]) | st.none(),
    parts=st.lists(parts, max_size=5) | st.none(),
)
usages = made(
    types.GenerateContentResponseUsageMetadata,
    prompt_token_count=st.none() | st.integers(0, 99),
    candidates_token_count=st.none() | st.integers(0, 99),
    thoughts_token_count=st.none() | st.integers(0, 99),
)
compactions = made(
    EventCompaction, start_timestamp=st.floats(0, 9), end_timestamp=st.floats(0, 9),
    compacted_content=contents,
)  # fmt: skip
actions = made(
    EventActions,
    state_delta=states,
    artifact_delta=st.dictionaries(names, st.integers(0, 9), max_size=2),
    escalate=st.none() | st.booleans(),
    agent_state=st.none() | objects,
    compaction=st.none() | compactions,
)
events = made(
    Event,
    id=st.uuids().map(str),
    author=st.sampled_from(["user", "guide", "critic"]),
    invocation_id=names,
    content=contents | st.none(),
    actions=actions,
    timestamp=st.floats(0, 2e9),
    output=json_values,
    custom_metadata=st.none() | objects,
    usage_metadata=st.none() | usages,
    long_running_tool_ids=st.none() | st.sets(names, max_size=3),
    branch=st.none() | names,
    model_version=st.none() | names,
    finish_reason=st.none() | st.sampled_from(types.FinishReason),
    error_code=st.none() | names,
)
