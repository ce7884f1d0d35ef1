"""Values that programs pass by mistake: JSON that looks like messages, and what is no JSON."""

from __future__ import annotations

import math

from hypothesis import strategies as st

_KEYS = """
role content type name tool_calls tool_call_id id function arguments args input text refusal
audio function_call annotations status model usage metadata created_at raw seq data format
call_id output summary tool_use_id is_error source media_type url file_id base64 mime_type
image_url input_audio detail transcript choices message object thinking signature
reasoning_content reasoning extras json citations encrypted_content action custom error
queries results code conversation previous_response_id rating comment
"""
_WORDS = """
user assistant system tool developer ai message tool_call tool_result text refusal image
image_url input_text output_text input_image input_file input_audio file audio reasoning
thinking redacted_thinking tool_use function custom function_call function_call_output
custom_tool_call computer_call computer_call_output mcp_call mcp_list_tools web_search_call
local_shell_call_output item_reference openai-chat/1 openai-responses/1 anthropic/1 response
document json opaque url base64 positive up c1 m0 msg_1 __fake_id__
"""
KEYS, WORDS = _KEYS.split(), _WORDS.split()

words = st.sampled_from([*WORDS, "", "\0", "\ud800", "x" * 600, "2026-01-01T00:00:00Z"])
numbers = st.sampled_from([0, 1, -1, 3, 10**30, 2.5, 1e300, math.inf, math.nan])
leaves = st.one_of(words, st.none(), st.booleans(), numbers)
json = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    ),
    max_leaves=12,
)
messages = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(KEYS, json),
        "role": st.sampled_from(["user", "assistant", "system", "tool", "ai"]),
        "type": words,
        "content": st.one_of(json, st.lists(st.dictionaries(st.sampled_from(KEYS), json))),
        "tool_calls": st.lists(st.dictionaries(st.sampled_from(KEYS), json, max_size=4)),
        "output": st.one_of(json, st.lists(st.dictionaries(st.sampled_from(KEYS), json))),
    },
)


class Odd:
    """No kind of value that anything here knows."""


odd = st.sampled_from([b"x", (), ("a",), {"x"}, Odd(), {1: 2}, {"a": Odd()}, range(2)])
anything = st.one_of(leaves, json, messages, odd)
