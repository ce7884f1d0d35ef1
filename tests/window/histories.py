"""Hostile histories: what applications, providers and crashes leave, as Hypothesis draws it."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import strategies as st

from threadkeep.core import item_codec
from threadkeep.core.parts import PartialMetadata
from threadkeep.errors import InputError
from threadkeep.messages import parse
from threadkeep.types import Item, Record

START = 1_750_000_000.0

TEXTS = ["", " ", "\n\t", "hi", "x ", "a\ud800b", "nul\0byte", "Grüße 🙂", "word " * 30, "{}", "[]"]
IDS = ["a", "b", "c", "call_1", "", "bad id!", "é", "x" * 70, "\ud800", "nul\0"]
NAMES = ["f", "get_weather", "get weather", "", "ü", "n" * 100, "a\ud800", "\0"]
ARGUMENTS: list[Any] = ["{}", '{"q":1}', '{ "q" : [1, 2] }', "not json", "[1]", "", '"\\ud800"']
ARGS: list[Any] = [{}, {"q": 1}, {"deep": {"a": [None, 1.5]}}, {"t": "\ud800"}, "not json", ""]

texts = st.sampled_from(TEXTS)
call_ids = st.sampled_from(IDS)
tool_names = st.sampled_from(NAMES)


def parts(*shapes: dict[str, Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    written = texts.map(lambda text: {"type": "text", "text": text})
    return st.lists(st.one_of(written, st.sampled_from(shapes)), max_size=3)


# --- OpenAI Chat Completions ---------------------------------------------------------------------

CHAT_PARTS: list[dict[str, Any]] = [
    {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "low"}},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
    {"type": "image_url", "image_url": "https://x.test/b.png"},
    {"type": "image_url", "image_url": {"url": ""}},
    {"type": "image_url", "image_url": {"url": "ftp://x.test/c.png", "detail": "huge"}},
    {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
    {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "flac"}},
    {"type": "input_audio", "input_audio": {"data": "", "format": "mp3"}},
    {"type": "file", "file": {"file_id": "file-1"}},
    {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk=", "filename": "a"}},
    {"type": "file", "file": {"filename": "nothing.pdf"}},
    {"type": "refusal", "refusal": "I will not."},
    {"type": "video_url", "video_url": {"url": "https://x.test/v.mp4"}},
    {"type": "from_the_future", "data": [1]},
    {"type": "text", "text": "cached", "cache_control": {"type": "ephemeral"}},
]


@st.composite
def chat_call(draw: Any) -> dict[str, Any]:
    name, id_ = draw(tool_names), draw(call_ids)
    if draw(st.integers(0, 5)) == 0:
        return {"id": id_, "type": "custom", "custom": {"name": name, "input": draw(texts)}}
    if draw(st.integers(0, 5)) == 0:
        return {"id": id_, "name": name, "args": draw(st.sampled_from(ARGS))}
    function = {"name": name, "arguments": draw(st.sampled_from(ARGUMENTS))}
    return {"id": id_, "type": "function", "function": function}


@st.composite
def chat_message(draw: Any) -> dict[str, Any]:
    roles = ["user", "assistant", "tool", "system", "developer", "function", "human", "ai", "bot"]
    weighted = [*roles, "user", "user", "assistant", "assistant", "tool", "tool"]
    role = draw(st.sampled_from(weighted))
    content = draw(st.one_of(texts, texts, st.none(), parts(*CHAT_PARTS)))
    message: dict[str, Any] = {"role": role, "content": content}
    if draw(st.integers(0, 4)) == 0:
        message["name"] = draw(tool_names)
    if role in {"tool", "function"}:
        message["tool_call_id"] = draw(call_ids)
    if role in {"assistant", "ai", "user"} and draw(st.booleans()):
        message["tool_calls"] = draw(st.lists(chat_call(), max_size=3))
    if role == "assistant":
        message |= draw(st.sampled_from(BESIDE))
    return message


BESIDE: list[dict[str, Any]] = [
    *[{}] * 8,
    {"refusal": "No."},
    {"refusal": None, "annotations": [], "audio": None, "function_call": None},
    {"function_call": {"name": "f", "arguments": "{}"}},
    {"function_call": {"name": "no good", "arguments": "{}"}, "content": None},
    {"audio": {"id": "audio_1"}, "content": None},
    {"audio": {"id": "audio_1", "transcript": "Hello", "data": "aGk=", "expires_at": 1}},
    {"reasoning_content": "Let me think."},
    {"annotations": [{"type": "url_citation", "url_citation": {"url": "https://x.test"}}]},
]

# --- OpenAI Responses ----------------------------------------------------------------------------

RESPONSES_PARTS: list[dict[str, Any]] = [
    {"type": "input_text", "text": "in"},
    {"type": "output_text", "text": "out", "annotations": [], "logprobs": []},
    {"type": "output_text", "text": "cited", "annotations": [{"type": "url_citation"}]},
    {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "auto"},
    {"type": "input_image", "file_id": "file-1", "detail": "high"},
    {"type": "input_image"},
    {"type": "input_file", "file_url": "https://x.test/a.pdf"},
    {"type": "input_file", "file_data": "data:application/pdf;base64,aGk=", "filename": "a.pdf"},
    {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
    {"type": "refusal", "refusal": "no"},
]
ENTRIES: list[dict[str, Any]] = [
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {"type": "reasoning", "id": "rs_2", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
    {"type": "reasoning", "summary": []},
    {"type": "reasoning", "id": "__fake_id__", "summary": [],
     "content": [{"type": "reasoning_text", "text": "thought"}]},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
    {"type": "web_search_call", "id": "ws_2", "status": "failed"},
    {"type": "mcp_call", "id": "mcp_1", "name": "f", "server_label": "s", "arguments": "{}",
     "output": "found"},
    {"type": "mcp_approval_request", "id": "mcpr_1", "name": "f", "server_label": "s",
     "arguments": "{}"},
    {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True},
    {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["q"]},
    {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "aGk="},
    {"type": "item_reference", "id": "msg_1"},
    {"type": "compaction", "encrypted_content": "gAAA", "id": "cmp_1"},
    {"type": "brand_new_item", "id": "bn_1", "payload": {"a": 1}},
]  # fmt: skip


@st.composite
def responses_entry(draw: Any) -> dict[str, Any]:
    match draw(st.integers(0, 7)):
        case 0 | 1:
            return dict(draw(st.sampled_from(ENTRIES)))
        case 2:
            role = draw(st.sampled_from(["user", "assistant", "system", "developer", "critic"]))
            ids = st.sampled_from([{}, {"id": "msg_1"}, {"id": "msg_2", "status": "completed"}])
            words = st.one_of(texts, st.lists(st.sampled_from(RESPONSES_PARTS), max_size=3))
            return {"type": "message", "role": role, "content": draw(words), **draw(ids)}
        case 3:
            kind = draw(st.sampled_from(["custom_tool_call", "function_call"]))
            given_as = "input" if kind == "custom_tool_call" else "arguments"
            call = {"type": kind, "call_id": draw(call_ids), "name": draw(tool_names)}
            return {**call, given_as: draw(st.sampled_from(ARGUMENTS))}
        case 4 | 5:
            call = {"type": "function_call", "call_id": draw(call_ids), "name": draw(tool_names)}
            ids = st.sampled_from([{}, {"id": "fc_1"}, {"id": "fc_2", "status": "completed"}])
            return {**call, "arguments": draw(st.sampled_from(ARGUMENTS)), **draw(ids)}
        case 6:
            outputs = st.one_of(texts, st.lists(st.sampled_from(RESPONSES_PARTS), max_size=2))
            kinds = ["function_call_output", "function_call_output", "custom_tool_call_output"]
            kind = draw(st.sampled_from(kinds))
            return {"type": kind, "call_id": draw(call_ids), "output": draw(outputs)}
    machine: dict[str, Any] = draw(machine_entry())
    return machine


@st.composite
def machine_entry(draw: Any) -> dict[str, Any]:
    """Calls and outputs of the computer and the shells, whose shapes are their own."""
    id_ = draw(call_ids)
    picture = {"type": "computer_screenshot", "image_url": "https://x.test/s.png"}
    entry: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"type": "computer_call", "id": "cu_1", "call_id": id_, "status": "completed",
                 "action": {"type": "click"}, "pending_safety_checks": []},
                {"type": "computer_call_output", "call_id": id_, "output": picture},
                {"type": "local_shell_call", "id": "lsh_1", "call_id": id_, "status": "completed",
                 "action": {"type": "exec", "command": ["ls"]}},
                {"type": "local_shell_call_output", "id": id_, "output": "a.txt"},
                {"type": "shell_call", "call_id": id_, "action": {"commands": ["ls"]}},
                {"type": "shell_call_output", "call_id": id_, "output": [{"stdout": "a"}]},
                {"type": "apply_patch_call", "call_id": id_, "status": "completed",
                 "operation": {"type": "delete_file", "path": "a"}},
                {"type": "apply_patch_call_output", "call_id": id_, "status": "failed"},
            ]
        )
    )  # fmt: skip
    return entry


# --- Anthropic -----------------------------------------------------------------------------------

ANTHROPIC_BLOCKS: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
    {"type": "thinking", "thinking": "unsigned"},
    {"type": "thinking", "thinking": "", "signature": "c2ln"},
    {"type": "redacted_thinking", "data": "ZGF0YQ=="},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
    {"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "aGk="}},
    {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
    {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf",
                                    "data": "aGk="}, "title": "A"},
    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
    {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
    {"type": "search_result", "source": "s", "title": "t",
     "content": [{"type": "text", "text": "found"}]},
    {"type": "text", "text": "cited", "citations": [{"type": "char_location"}]},
    {"type": "text", "text": "cached", "cache_control": {"type": "ephemeral"}},
    {"type": "from_the_future", "data": 1},
]  # fmt: skip


@st.composite
def anthropic_block(draw: Any) -> dict[str, Any]:
    match draw(st.integers(0, 5)):
        case 0 | 1:
            return {"type": "text", "text": draw(texts)}
        case 2:
            given = draw(st.sampled_from([{}, {"q": 1}]))
            name = draw(tool_names)
            return {"type": "tool_use", "id": draw(call_ids), "name": name, "input": given}
        case 3:
            inner = st.one_of(texts, st.none(), parts(*ANTHROPIC_BLOCKS[4:9]))
            result = {"type": "tool_result", "tool_use_id": draw(call_ids), "content": draw(inner)}
            failed = draw(st.sampled_from([{}, {}, {"is_error": True}]))
            return {**result, **failed}
    return dict(draw(st.sampled_from(ANTHROPIC_BLOCKS)))


@st.composite
def anthropic_message(draw: Any) -> dict[str, Any]:
    role = draw(st.sampled_from(["user", "assistant"]))
    blocks = st.lists(anthropic_block(), min_size=1, max_size=4)
    return {"role": role, "content": draw(st.one_of(texts, blocks, blocks))}


# --- Items ---------------------------------------------------------------------------------------

BLOCKS: list[dict[str, Any]] = [
    {"type": "text", "text": "block"},
    {"type": "text", "text": " "},
    {"type": "text", "text": "no", "extras": {"refusal": True}},
    {"type": "image", "url": "https://x.test/a.png"},
    {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
    {"type": "image", "base64": "aGk="},
    {"type": "image", "url": "file:///a.png"},
    {"type": "image", "file_id": "file_1"},
    {"type": "image", "url": "https://x.test/a b.png", "extras": {"detail": "huge"}},
    {"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"},
    {"type": "audio", "url": "https://x.test/a.ogg"},
    {"type": "video", "url": "https://x.test/a.mp4", "extras": {"filename": "a.mp4"}},
    {"type": "file", "base64": "aGk=", "mime_type": "application/pdf"},
    {"type": "file", "base64": "aGk=", "mime_type": "text/csv", "extras": {"filename": "a.csv"}},
    {"type": "file", "url": "https://x.test/a.pdf"},
    {"type": "file", "file_id": "file_1"},
    {"type": "reasoning", "reasoning": "hm"},
    {"type": "reasoning", "reasoning": "signed", "extras": {"signature": "c2ln"}},
    {"type": "reasoning", "reasoning": "", "extras": {"encrypted_content": "gAAA"}},
    {"type": "reasoning", "reasoning": "", "extras": {"redacted": "ZGF0YQ=="}},
    {"type": "json", "value": {"a": [1, None]}},
    {"type": "json", "value": "\ud800"},
    {"type": "opaque", "value": {"type": "citation", "x": 1}},
    {"type": "opaque", "value": 7},
]


@st.composite
def item(draw: Any) -> Item:
    kinds = ["message"] * 6 + ["reasoning", "tool_call", "tool_result", "notice", "mcp_call", "new"]
    roles = ["user", "user", "assistant", "assistant", "tool", "system", "developer", "critic"]
    kind, role = draw(st.sampled_from(kinds)), draw(st.sampled_from(roles))
    calls = st.fixed_dictionaries(
        {"id": call_ids, "name": tool_names, "args": st.sampled_from(ARGS)}
    )
    asking = role == "assistant" or draw(st.integers(0, 9)) == 0
    return Item(
        type=kind,
        role=role,
        name=draw(st.one_of(st.none(), tool_names)),
        content=draw(st.one_of(texts, st.lists(st.sampled_from(BLOCKS), max_size=3))),
        tool_calls=draw(st.lists(calls, max_size=3)) if asking else [],
        tool_call_id=draw(call_ids) if role == "tool" else None,
        status=draw(st.sampled_from([None, None, "error", "incomplete"])),
        metadata=draw(st.sampled_from([{}, {"k": 1}])),
    )


NOISE = frozenset({"opaque"})
"""Types that only a damaged record has."""

unreadable = st.just(Item(type="opaque", role="unknown", metadata={"unreadable": "ValueError"}))


# --- Histories -----------------------------------------------------------------------------------

entry = st.one_of(chat_message(), chat_message(), responses_entry(), anthropic_message(), item())


def understood(given: object) -> list[Item]:
    """The items of an entry, or none if it is refused."""
    try:
        return parse(given)
    except InputError:
        return []


@st.composite
def tool_rounds(draw: Any) -> list[Item]:
    """A call with its results as they come: whole, in part, twice, late, in any order."""
    ids = draw(st.lists(call_ids, min_size=1, max_size=3))
    calls = [{"id": id_, "name": "f", "args": {"n": n}} for n, id_ in enumerate(ids)]
    between = draw(
        st.sampled_from([[], [], [], [Item(content="by the way")], [Item(type="notice")]])
    )
    answered = draw(st.lists(st.sampled_from(ids), max_size=4)) if draw(st.booleans()) else ids
    results = [Item(type="tool_result", role="tool", tool_call_id=i, content="r") for i in answered]
    asked = Item(role="assistant", content=draw(texts), tool_calls=calls)
    return [*([Item(content="go")] if draw(st.booleans()) else []), asked, *between, *results]


pieces = st.one_of(
    entry.map(understood), entry.map(understood), tool_rounds(), unreadable.map(lambda i: [i])
)


def placed(items: list[Item], gaps: list[int] | None = None) -> list[Item]:
    """The items as a session gives them: through the codec, with ids, seqs and dates."""
    found, seq = [], 0
    for number, one in enumerate(items):
        seq += gaps[number % len(gaps)] if gaps else 1
        at = START + number * 60
        if one.type == "opaque":
            found.append(item_codec.read_item(Record("item", f"i{number}", "{", at, seq=seq)))
            continue
        record = item_codec.item_record(one, one.id or f"i{number}", at)
        read = item_codec.read_item(dataclasses.replace(record, seq=seq))
        if type(read.metadata) is PartialMetadata:  # a session reads its large parts too
            read = dataclasses.replace(one, id=read.id, seq=seq, created_at=read.created_at)
        found.append(read)
    return found


@st.composite
def histories(draw: Any, least: int = 0, most: int = 14) -> list[Item]:
    drawn = draw(st.lists(pieces, min_size=least, max_size=most))
    items = [one for piece in drawn for one in piece]
    items = [dataclasses.replace(one, id="") for one in items]
    gaps = draw(st.sampled_from([None, None, [1, 2, 7]]))
    return placed(items, gaps)


@st.composite
def tool_loops(draw: Any) -> list[Item]:
    """Questions with many steps of tools behind them, in the shape of any API, that end anyhow."""
    items: list[Item] = []
    for number in range(draw(st.integers(1, 3))):
        items.append(Item(content=f"question {number} " * draw(st.sampled_from([1, 1, 40]))))
        for step in range(draw(st.integers(0, 6))):
            items += draw(tool_step(f"{number}.{step}"))
        items += [Item(role="assistant", content="done")] * draw(st.integers(0, 1))
    gone = draw(st.integers(0, 2)) if items[-1].role == "tool" else 0  # a crash, or still at work
    return placed(items[: len(items) - gone] if len(items) > gone else items)


@st.composite
def tool_step(draw: Any, name: str) -> list[Item]:
    """Calls at once, and their results, some of them larger than any budget here."""
    ids = [f"{name}.{n}" for n in range(draw(st.integers(1, 3)))]
    calls = [{"id": id_, "name": "read", "args": {"path": id_}} for id_ in ids]
    thought = [Item(type="reasoning", role="assistant", content=[BLOCKS[17]])]
    apart = [Item(type="function_call", role="assistant", tool_calls=[call]) for call in calls]
    shapes = [
        [Item(role="assistant", tool_calls=calls)],
        [Item(role="assistant", tool_calls=[call]) for call in calls],
        apart,
        [*thought, *apart],
    ]
    sizes = st.sampled_from([1, 5, 5, 2_000])
    results = [
        Item(type="tool_result", role="tool", tool_call_id=id_, content="word " * draw(sizes))
        for id_ in draw(st.permutations(ids))
    ]
    return [*draw(st.sampled_from(shapes)), *results]
