"""The table of fields on the documentation page names what the official client documents."""

from __future__ import annotations

import re
from typing import get_type_hints

from openai.types.conversations import conversation_create_params as creation
from openai.types.conversations import item_create_params as adding
from openai.types.conversations import item_list_params as listing
from openai.types.responses import Response, input_item_list_params, response_create_params
from openai.types.responses import response_retrieve_params as retrieval

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "how-to" / "serve.md").read_text("utf-8")
TABLE = PAGE.partition("## Fields")[2].partition("\n## ")[0]
NAMED = set(re.findall(r"`(\w+)`", TABLE))


def test_every_documented_field_of_a_request_is_in_the_table():
    parameters = (
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


def test_every_documented_field_of_a_response_is_in_the_table():
    assert set(Response.model_fields) - NAMED == set()
