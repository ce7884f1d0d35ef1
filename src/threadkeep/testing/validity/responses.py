"""OpenAI Responses: is this list of `input` items a valid prompt?

It is judged as a whole conversation, as if without `previous_response_id` and `conversation`.
Sources: [ref] the API reference of `POST /v1/responses` and the request types that the `openai`
package generates from it; [err] the service's own answers with status 400, as quoted in public
issues.

- `list`, `json`: as in Chat Completions ([ref]).
- `type`: every item has a type; only a message (by its role) and a reference may leave it out.
  Types that are not known here are accepted ([ref]).
- `role`: of a message: user, assistant, system, developer ([err] "Invalid value: 'tool'. Supported
  values are: 'assistant', 'system', 'developer', and 'user'").
- `keys`: messages, reasoning and tool items have no other keys than theirs, so no `name` in a
  message ([err] "Unknown parameter: 'input[27].name'").
- `fields`: each known type has its required fields, of their type ([ref]); reasoning needs an id
  or, when nothing is stored, its encrypted_content.
- `id`: begins with msg for messages, fc for function calls, rs for reasoning ([err] "Invalid
  'input[3].id': ... Expected an ID that begins with 'fc'"), at most 64 characters ([err]).
- `ids`: no two items have one id ([err] "Duplicate item found with id").
- `content`: a string or a list of parts, not empty unless it is an assistant's ([ref]).
- `parts`: input_text, input_image, input_file for all but the assistant and in tool outputs;
  output_text, refusal for the assistant ([err] "Invalid value: 'input_text'. Supported values are:
  'output_text' and 'refusal'").
- `call`: call_id of 1 to 64 characters ([err] "Invalid 'input[2].call_id': string too long"), name
  `[a-zA-Z0-9_-]{1,128}`, arguments or input as one string ([ref]).
- `orphan`: an output has an earlier call of its kind with its call_id ([err] "No tool call found
  for function call output with call_id"); not judged after an item_reference, which may be it.
- `twice`: a call has one output, and no two calls share a call_id ([ref]; answers could not be
  told apart).
- `unanswered`: every call has an output somewhere later ([err] "No tool output found for function
  call"), unless nothing but calls (and the reasoning before them) follows to the end: a pending
  interrupt, a valid history which the service itself takes once it is answered.
- `reasoning`: is followed by the item it led to: it is not last, and what follows is neither a
  message of the user, system or developer nor an output ([err] "Item 'rs_...' of type 'reasoning'
  was provided without its required following item").
- `answers`: an mcp_approval_response has an earlier mcp_approval_request, and a program_output its
  program; not judged after an item_reference ([ref]).
- `stateless`: with the profile of that name (`store=False`) there are no ids, no references, and no
  reasoning that is not encrypted ([err] "Item with id 'rs_...' not found. Items are not persisted
  when `store` is set to false").
- `system`: if given, it is the `instructions`, a string ([ref]).

Not judged: the reverse of `reasoning` ("function_call was provided without its required reasoning
item"), which only the service can know, and what depends on the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threadkeep.testing.validity.checks import fail, instance, json_messages, shorten
from threadkeep.testing.validity.responses_items import check_item
from threadkeep.testing.validity.responses_state import check_answers, check_stateless

_OUTPUT_OF = {
    "function_call_output": "function_call",
    "custom_tool_call_output": "custom_tool_call",
    "computer_call_output": "computer_call",
    "shell_call_output": "shell_call",
    "apply_patch_call_output": "apply_patch_call",
    "local_shell_call_output": "local_shell_call",
}
_CALLS = frozenset(_OUTPUT_OF.values())
_Item = dict[str, Any]
_Typed = list[tuple[str, str, _Item]]  # position, type, item


def check_prompt(items: Any, system: Any, profile: str | None = None) -> None:
    """Raise an AssertionError at the first broken rule of this module's docstring."""
    if system is not None:
        instance(str, "system")("instructions", system)
    json_messages("input", items)
    locations = [f"input[{item_index}]" for item_index in range(len(items))]
    typed_items = [
        (location, check_item(location, item), item)
        for location, item in zip(locations, items, strict=True)
    ]
    _check_ids(typed_items)
    _check_reasoning(typed_items)
    _check_outputs(typed_items)
    _check_answered(typed_items)
    check_answers(typed_items)
    if profile == "stateless":
        check_stateless(typed_items)


def _check_ids(typed: _Typed) -> None:
    known_ids = set()
    for location, item_type, item in typed:
        item_id = item.get("id")
        if (
            item_id is None or item_type == "local_shell_call_output"
        ):  # whose id is that of its call
            continue
        if not isinstance(item_id, str):
            fail("id", location, f"an id must be a string, is {type(item_id).__name__}")
        if item_id in known_ids:
            fail("ids", location, f"another item has the id {shorten(item_id)}")
        known_ids.add(item_id)


def _check_reasoning(typed: _Typed) -> None:
    next_type_and_item = None
    for location, item_type, item in reversed(typed):
        if item_type != "reasoning":
            next_type_and_item = item_type, item
        elif next_type_and_item is None or _is_from_outside(*next_type_and_item):
            fail("reasoning", location, "is not followed by the item it led to")


def _is_from_outside(kind: str, item: _Item) -> bool:
    """Returns True for items the model did not write: others' messages, tool outputs, approvals."""
    if kind == "message":
        return bool(item["role"] != "assistant")
    return kind in _OUTPUT_OF or kind == "mcp_approval_response"


def _call_id(kind: str, item: _Item) -> str:
    return str(item["id"] if kind == "local_shell_call_output" else item["call_id"])


def _check_outputs(typed: _Typed) -> None:
    type_by_call_id: dict[str, str] = {}  # call_id -> type of the call
    answered_call_ids: set[str] = set()
    has_reference = False
    for location, item_type, item in typed:
        has_reference = has_reference or item_type == "item_reference"
        if item_type in _CALLS:
            _add_call(location, item_type, item["call_id"], type_by_call_id)
        elif item_type in _OUTPUT_OF:
            call_id = _call_id(item_type, item)
            if type_by_call_id.get(call_id) != _OUTPUT_OF[item_type] and not has_reference:
                fail(
                    "orphan",
                    location,
                    f"no {_OUTPUT_OF[item_type]} {shorten(call_id)} stands before it",
                )
            if call_id in answered_call_ids:
                fail("twice", location, f"the call {shorten(call_id)} has an output already")
            answered_call_ids.add(call_id)


def _add_call(location: str, kind: str, call_id: str, type_by_call_id: dict[str, str]) -> None:
    if call_id in type_by_call_id:
        fail("twice", location, f"another call has the call_id {shorten(call_id)}")
    type_by_call_id[call_id] = kind


def _check_answered(typed: _Typed) -> None:
    answered_call_ids: set[str] = set()
    for location, item_type, item in _before_open_calls(typed):
        if item_type in _OUTPUT_OF:
            answered_call_ids.add(_call_id(item_type, item))
        elif item_type in _CALLS and item["call_id"] not in answered_call_ids:
            fail("unanswered", location, f"no output for the call {shorten(item['call_id'])}")


def _before_open_calls(typed: _Typed) -> Iterator[tuple[str, str, _Item]]:
    """All items, last first, without the calls (and their reasoning) the input ends with."""
    remaining_items = reversed(typed)
    for typed_item in remaining_items:
        if typed_item[1] not in _CALLS and typed_item[1] != "reasoning":
            yield typed_item
            break
    yield from remaining_items
