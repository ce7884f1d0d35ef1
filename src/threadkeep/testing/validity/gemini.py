"""Gemini: is this list of `contents` a valid prompt of `generateContent`?

Sources: [ref] the API reference of `Content` and `Part`, and the types that the `google-genai`
package has for them; [err] the service's own answers with status 400, as quoted in public issues.

- `list`, `json`: as in Chat Completions ([ref]).
- `role`: user or model ([err] "Please use a valid role: user, model").
- `keys`: a content has role and parts; a part has the keys of [ref].
- `fields`: every required key is there and of its type ([ref]).
- `parts`: a non-empty list; each part holds exactly one of text, inlineData, fileData,
  functionCall, functionResponse ([err] "Unable to submit request because it must have a text
  parameter", "parts field must not be empty").
- `text`: is not empty ([err] "must include at least one parts field").
- `alternate`: roles alternate, beginning with the user ([err] "Please ensure that multiturn
  requests alternate between user and model").
- `place`: calls stand in a model's content, responses and media in a user's ([ref]).
- `call`: the name matches `[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}`, args and response are objects ([ref]).
- `responses`: the content behind a model's calls holds as many responses as there were calls, of
  their names and in their order, and no others exist ([err] "Please ensure that the number of
  function response parts is equal to the number of function call parts of the function call turn").
  The very last content may hold open calls: a history that is complete once they are answered.
- `signature`: behind the user's newest words, the first call of each content is signed ([err]
  "Function call is missing a thought_signature").
- `system`: if given, a non-empty string ([ref]).

Not judged: what depends on the model (media, sizes), and whether a signature is genuine.
"""

from __future__ import annotations

from typing import Any

from threadkeep.testing.validity.checks import (
    any_value,
    array,
    fail,
    instance,
    json_messages,
    shape,
    shorten,
    string,
)

_NAME = string("call", pattern=r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
_MIME = string("fields", pattern=r"[a-z]+/\S+")
_SIGNED = {"thoughtSignature": string("signature", min_length=1)}
_PARTS = {
    "text": shape({"text": string("text", min_length=1)}, {**_SIGNED, "thought": instance(bool)}),
    "inlineData": shape(
        {"inlineData": shape({"mimeType": _MIME, "data": string("fields", min_length=1)})}, _SIGNED
    ),
    "fileData": shape(
        {"fileData": shape({"fileUri": string("fields", min_length=1)}, {"mimeType": _MIME})},
        _SIGNED,
    ),
    "functionCall": shape(
        {"functionCall": shape({"name": _NAME, "args": instance(dict, "call")}, {"id": string()})},
        _SIGNED,
    ),
    "functionResponse": shape(
        {
            "functionResponse": shape(
                {"name": _NAME, "response": instance(dict, "call")}, {"id": string()}
            )
        }
    ),
}
_MODEL_KINDS = frozenset({"text", "inlineData", "functionCall"})
_USER_KINDS = frozenset({"text", "inlineData", "fileData", "functionResponse"})
_CONTENT = shape({"role": any_value, "parts": any_value})


def check_prompt(contents: Any, system: Any) -> None:
    """Raise an AssertionError at the first broken rule of this module's docstring."""
    if system is not None:
        string("system", min_length=1)("system_instruction", system)
    json_messages("contents", contents)
    for content_index, gemini_content in enumerate(contents):
        _check_content(
            f"contents[{content_index}]", gemini_content, "model" if content_index % 2 else "user"
        )
    _check_responses(contents)
    _check_signatures(contents)


def _check_content(location: str, content: dict[str, Any], expected: str) -> None:
    role = content.get("role")
    if role not in ("user", "model"):
        fail("role", location, f"role {shorten(role)} is none of user, model")
    _CONTENT(location, content)
    if role != expected:
        fail("alternate", location, f"must be the {expected}'s")
    allowed_kinds = _MODEL_KINDS if role == "model" else _USER_KINDS
    array(
        lambda part_location, part: _check_part(part_location, part, allowed_kinds),
        min_length=1,
        rule="parts",
    )(f"{location}.parts", content["parts"])


def _check_part(location: str, part: Any, kinds: frozenset[str]) -> None:
    instance(dict, "parts")(location, part)
    present_kinds = [part_kind for part_kind in _PARTS if part_kind in part]
    if len(present_kinds) != 1:
        fail("parts", location, f"must hold one of {', '.join(_PARTS)}")
    if present_kinds[0] not in kinds:
        fail("place", location, f"a {present_kinds[0]} does not belong here")
    _PARTS[present_kinds[0]](location, part)


def _names(content: dict[str, Any], kind: str) -> list[str]:
    return [content_part[kind]["name"] for content_part in content["parts"] if kind in content_part]


def _check_responses(contents: list[dict[str, Any]]) -> None:
    called_names: list[str] = []
    for content_index, content in enumerate(contents):
        if content["role"] == "user" and _names(content, "functionResponse") != called_names:
            location = f"contents[{content_index}]"
            fail("responses", location, f"must answer {len(called_names)} calls, in their order")
        called_names = _names(content, "functionCall")


def _check_signatures(contents: list[dict[str, Any]]) -> None:
    for content_index in range(len(contents) - 1, -1, -1):
        gemini_content = contents[content_index]
        if gemini_content["role"] == "user" and any(
            "functionResponse" not in content_part for content_part in gemini_content["parts"]
        ):
            return
        call_parts = [part for part in gemini_content["parts"] if "functionCall" in part]
        if call_parts and "thoughtSignature" not in call_parts[0]:
            fail("signature", f"contents[{content_index}]", "the first call is not signed")
