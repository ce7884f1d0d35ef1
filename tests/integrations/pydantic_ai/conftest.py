"""Stores, and messages of every kind that Pydantic AI knows."""

from __future__ import annotations

import asyncio
import base64
import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from pydantic_ai.conversation_store import ConversationStore
from pydantic_ai.messages import (
    AudioUrl,
    BinaryContent,
    BinaryImage,
    CachePoint,
    DocumentUrl,
    FilePart,
    ImageUrl,
    InstructionDeltaPart,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryFeedbackPart,
    RetryInfo,
    SystemPromptPart,
    TextContent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UploadedFile,
    UserPromptPart,
    VideoUrl,
)
from pydantic_ai.usage import RequestUsage

import threadkeep
from pydantic_ai_threadkeep import ThreadkeepConversationStore

EXAMPLES = int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "25"))
many = settings(max_examples=EXAMPLES)

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(params=["memory", "sqlite"])
def memory(request, tmp_path):
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db"
    with threadkeep.connect(url) as memory:
        yield memory


@pytest.fixture
def store(memory):
    return ThreadkeepConversationStore(memory)


def run(coroutine):
    return asyncio.run(coroutine)


class Beside(ConversationStore):
    """Two stores at once: each primitive must do the same in both."""

    def __init__(self, ours, theirs):
        self.ours, self.theirs = ours, theirs

    async def _both(self, verb, *args, **kwargs):
        outcomes = []
        for store in (self.ours, self.theirs):
            try:
                outcomes.append((await getattr(store, verb)(*args, **kwargs), None))
            except (LookupError, threadkeep.errors.ThreadkeepError) as error:
                outcomes.append((None, error))
            except Exception as error:
                outcomes.append((None, error))
        (found, failure), (expected, expected_failure) = outcomes
        if expected_failure is not None:
            assert failure is not None, (verb, args, expected_failure)
            kinds = LookupError if isinstance(expected_failure, LookupError) else None
            assert isinstance(failure, kinds or type(expected_failure)), (verb, failure)
            raise failure
        if failure is not None:
            raise AssertionError(f"{verb} {args} {kwargs}: {failure!r}") from failure
        if isinstance(found, (list, tuple)):
            found, expected = list(found), list(expected)
        assert found == expected, f"{verb} {args} {kwargs}:\n{found}\n!=\n{expected}"
        return found

    async def read_record(self, conversation_id):
        return await self._both("read_record", conversation_id)

    async def read_records(self, *, scope=None, limit=None):
        return await self._both("read_records", scope=scope, limit=limit)

    async def write_record(self, record, *, new_entries=(), expected_revision):
        await self._both(
            "write_record", record, new_entries=new_entries, expected_revision=expected_revision
        )

    async def delete_record(self, conversation_id, *, expected_revision):
        await self._both("delete_record", conversation_id, expected_revision=expected_revision)

    async def read_entry(self, entry_id):
        return await self._both("read_entry", entry_id)

    async def read_history(self, head_id, *, limit=None):
        return await self._both("read_history", head_id, limit=limit)


TEXTS = st.sampled_from(["", "a", "Oslo?", "ü€𝄞", "line\nline", "\x00", "{}", " "])
IDS = st.sampled_from(["call_1", "call_2", "toolu_3", "ü"])
NAMES = st.sampled_from(["weather", "search"])
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
DETAILS = st.none() | st.dictionaries(NAMES, PLAIN, max_size=2)
MEDIA = st.sampled_from(
    [
        ImageUrl("https://example.com/a.png"),
        AudioUrl("https://example.com/a.mp3"),
        VideoUrl("https://example.com/a.mp4"),
        DocumentUrl("https://example.com/a.pdf"),
        ImageUrl("https://example.com/b.jpg", vendor_metadata={"detail": "low"}),
        BinaryContent(PNG, media_type="image/png"),
        BinaryImage(PNG, media_type="image/png"),
        BinaryContent(b"\x00\xff\xfe", media_type="application/pdf"),
        BinaryContent(b"RIFF", media_type="audio/wav"),
        UploadedFile("file-1", provider_name="openai"),
    ]
)
PROMPTS = TEXTS | st.lists(
    TEXTS | MEDIA | st.just(CachePoint()) | st.builds(TextContent, TEXTS, metadata=DETAILS),
    min_size=1,
    max_size=3,
)
RETURNS = TEXTS | PLAIN.filter(lambda value: value is not None) | MEDIA
OUTCOMES = st.sampled_from(["success", "failed", "denied"])
REQUEST_PARTS = st.one_of(
    st.builds(UserPromptPart, PROMPTS),
    st.builds(SystemPromptPart, TEXTS),
    st.builds(ToolReturnPart, NAMES, RETURNS, IDS, metadata=DETAILS, outcome=OUTCOMES),
    st.builds(RetryFeedbackPart, TEXTS, retry=st.just(RetryInfo("no_output", attempt=1))),
    st.builds(InstructionDeltaPart, id=st.none(), content=TEXTS),
)
RESPONSE_PARTS = st.one_of(
    st.builds(TextPart, TEXTS, id=st.none() | IDS, provider_details=DETAILS),
    st.builds(ThinkingPart, TEXTS, signature=st.none() | TEXTS, provider_name=st.none() | NAMES),
    st.builds(ToolCallPart, NAMES, st.none() | TEXTS | st.dictionaries(NAMES, PLAIN), IDS),
    st.builds(NativeToolCallPart, st.just("web_search"), st.just({"query": "a"}), IDS),
    st.builds(NativeToolReturnPart, st.just("web_search"), PLAIN, IDS, provider_details=DETAILS),
    st.builds(FilePart, st.just(BinaryImage(PNG, media_type="image/png"))),
)
USAGES = st.builds(
    RequestUsage,
    input_tokens=st.integers(0, 9),
    output_tokens=st.integers(0, 9),
    details=st.dictionaries(NAMES, st.integers(0, 9), max_size=1),
)
REQUESTS = st.builds(
    ModelRequest,
    st.lists(REQUEST_PARTS, max_size=3),
    instructions=st.none() | TEXTS,
    run_id=st.none() | IDS,
    metadata=DETAILS,
)
RESPONSES = st.builds(
    ModelResponse,
    st.lists(RESPONSE_PARTS, max_size=3),
    usage=USAGES,
    model_name=st.none() | NAMES,
    provider_details=DETAILS,
    provider_response_id=st.none() | IDS,
    finish_reason=st.none() | st.sampled_from(["stop", "tool_call"]),
    state=st.sampled_from(["complete", "suspended"]),
)
MESSAGES = REQUESTS | RESPONSES
