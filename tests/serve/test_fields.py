"""The table of fields on the documentation page names what the official client documents."""

from __future__ import annotations

import re
from typing import get_type_hints

import pytest
from openai.types import CompletionUsage, Model
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionMessage,
    chat_completion,
    chat_completion_chunk,
    completion_create_params,
)
from openai.types.conversations import (
    Conversation,
    ConversationDeletedResource,
    ConversationItemList,
    conversation_update_params,
    item_retrieve_params,
)
from openai.types.conversations import conversation_create_params as creation
from openai.types.conversations import item_create_params as adding
from openai.types.conversations import item_list_params as listing
from openai.types.responses import (
    Response,
    ResponseItemList,
    ResponseUsage,
    input_item_list_params,
    response_create_params,
)
from openai.types.responses import response_retrieve_params as retrieval

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "how-to" / "serve.md").read_text("utf-8")
TABLE = PAGE.partition("## Fields")[2].partition("\n## ")[0]
NAMED = set(re.findall(r"`(\w+)`", TABLE))


def test_every_documented_field_of_a_request_is_in_the_table():
    parameters = (
        completion_create_params.CompletionCreateParamsBase,
        conversation_update_params.ConversationUpdateParams,
        item_retrieve_params.ItemRetrieveParams,
        creation.ConversationCreateParams,
        adding.ItemCreateParams,
        listing.ItemListParams,
        input_item_list_params.InputItemListParams,
        response_create_params.ResponseCreateParamsBase,
        retrieval.ResponseRetrieveParamsBase,
    )
    fields = {name for kind in parameters for name in get_type_hints(kind)}
    assert len(fields) > 30
    assert fields - NAMED == set()


@pytest.mark.parametrize(
    "kind",
    [
        Response, ResponseUsage, ResponseItemList, Conversation, ConversationItemList,
        ConversationDeletedResource, Model, CompletionUsage, ChatCompletion, ChatCompletionMessage,
        ChatCompletionChunk, chat_completion.Choice, chat_completion_chunk.Choice,
        chat_completion_chunk.ChoiceDelta,
    ],
)  # fmt: skip
def test_every_documented_field_of_an_answer_is_in_the_table(kind):
    assert set(kind.model_fields) - NAMED == set()
