"""Every prompt is of the types that the providers' own packages have for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.providers.test_receivers import items_of, prompt
from tests.providers.writers import WRITERS
from tests.window.looking import many

NEW = {"tomorrow", "brand_new_call", "advisor_tool_result"}
"""Types that the packages do not have, or not outside their beta."""


def known(entry):
    """The entry without what is of a type that is new to the package.

    The Responses API takes encrypted reasoning without an id, and an answer's message without an
    id, its status and annotations, which the package has for those that come from the service.
    """
    if entry.get("type") == "reasoning":
        return {"id": "rs_1", **entry}
    content = entry.get("content")
    if not isinstance(content, list):
        return entry
    parts = [part for part in content if part.get("type") not in NEW]
    if any(part["type"] == "output_text" for part in parts):
        parts = [{"annotations": [], **part} for part in parts]
        entry = {"id": "msg_1", "status": "completed", **entry}
    return {**entry, "content": parts}


def official(receiver):
    openai = pytest.importorskip("openai.types")
    beta = pytest.importorskip("anthropic.types.beta")
    kinds = {
        "openai/openai": openai.chat.ChatCompletionMessageParam,
        "responses": openai.responses.ResponseInputItemParam,
        "responses/stateless": openai.responses.ResponseInputItemParam,
        "anthropic": beta.BetaMessageParam,
    }
    return TypeAdapter(kinds[receiver])


@pytest.mark.parametrize(
    "receiver", ["openai/openai", "responses", "responses/stateless", "anthropic"]
)
def test_prompts_are_of_the_official_types(receiver):
    adapter = official(receiver)
    drawn = st.sampled_from(sorted(WRITERS)).flatmap(
        lambda writer: WRITERS[writer](0).map(lambda turn: items_of(turn, writer))
    )

    @many
    @given(drawn)
    def typed(items):
        for entry in prompt(items, receiver)[0]:
            if entry.get("type") not in NEW:
                adapter.validate_python(known(entry), strict=True)

    typed()


def test_contents_are_of_the_types_of_google_genai():
    types = pytest.importorskip("google.genai.types")
    drawn = st.sampled_from(sorted(WRITERS)).flatmap(
        lambda writer: WRITERS[writer](0).map(lambda turn: items_of(turn, writer))
    )

    @many
    @given(drawn)
    def typed(items):
        for content in prompt(items, "gemini")[0]:
            model = types.Content.model_validate(content)
            assert model.model_dump(mode="json", by_alias=True, exclude_none=True) == content

    typed()
