"""Make call ids unique in the input of a run: one id per call and its result."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

Entry = dict[str, Any]

_FAKE_ID: Final = "__fake_id__"  # the SDK's placeholder, which it removes from requests
_CALL: Final = "_call"
_OUTPUT: Final = "_call_output"
_UNPAIRED_CALLS: Final = frozenset({"tool_search_call"})  # their output types have other names
_NEEDS_ID: Final = frozenset({"computer_call", "local_shell_call"})


@dataclass(slots=True)
class _CallPair:
    """The indexes of a call and its result, and the number of messages before the call."""

    call: int
    turn: int
    result: int | None = None


def with_unique_call_ids(entries: list[Entry]) -> list[Entry]:
    """Return the entries with new ids for calls and results whose id occurs more than once.

    Models that number their calls, and cached answers, repeat ids across turns. The API refuses
    such an input, and the SDK sends only the last of the duplicates, so the next call with that id
    would hide earlier ones. The newest pair keeps its id while no message follows it: it may be
    pending, and the SDK compares the end with what it has added.
    """
    pairs, turn, id_counts = _pairs(entries)
    if not any(count > 1 for count in id_counts.values()):
        return entries
    copy, name_counts = list(entries), Counter[str]()
    pair_by_id = {_call_id(entries[pair.call]): pair for pair in pairs if pair.turn == turn}
    reserved_ids = {copy[pair.call].get("id") for pair in pair_by_id.values()} - {None, _FAKE_ID}
    for pair in pairs:
        call_id = _call_id(entries[pair.call])
        if id_counts[call_id] > 1 and pair_by_id.get(call_id) is not pair:
            _rename(copy, pair, reserved_ids, name_counts)
    return copy


def _pairs(entries: list[Entry]) -> tuple[list[_CallPair], int, Counter[str]]:
    """Return the pairs, the number of messages, and how many calls or lone results share each id.

    A result belongs to the first call without a result among the latest calls with its id that no
    message separates. A result whose call was cut off is not changed.
    """
    pairs: list[_CallPair] = []
    open_pairs_by_id: dict[str, list[_CallPair]] = {}
    turn, id_counts = 0, Counter[str]()
    for entry_index, entry in enumerate(entries):
        entry_type = str(entry.get("type", "message"))
        turn += entry_type == "message"
        if entry_type.endswith(_OUTPUT):
            if candidates := open_pairs_by_id.get(_call_id(entry)):
                pair = min(candidates, key=lambda candidate: (-candidate.turn, candidate.call))
                pair.result = entry_index
                candidates.remove(pair)
            else:
                id_counts[_call_id(entry)] += 1
        elif (
            entry_type.endswith(_CALL) and entry_type not in _UNPAIRED_CALLS and "call_id" in entry
        ):
            pairs.append(_CallPair(entry_index, turn))
            open_pairs_by_id.setdefault(_call_id(entry), []).append(pairs[-1])
            id_counts[_call_id(entry)] += 1
    return pairs, turn, id_counts


def _rename(
    entries: list[Entry], pair: _CallPair, reserved_ids: set[Any], name_counts: Counter[str]
) -> None:
    call_entry = entries[pair.call]
    if call_entry.get("id") in reserved_ids:
        if call_entry["type"] in _NEEDS_ID:
            return  # a duplicate of the same item, which the SDK removes
        call_entry = {key: value for key, value in call_entry.items() if key != "id"}
    elif call_entry.get("id") not in (None, _FAKE_ID):
        reserved_ids.add(call_entry["id"])
    new_call_id = _unique_id(
        [entries[index] for index in (pair.call, pair.result) if index is not None], name_counts
    )
    entries[pair.call] = {**call_entry, "call_id": new_call_id}
    if pair.result is not None:
        result_entry = entries[pair.result]
        entries[pair.result] = {**result_entry, _id_field(result_entry): new_call_id}


def _unique_id(pair_entries: list[Entry], name_counts: Counter[str]) -> str:
    """Derive an id from the content of a pair, so that it does not depend on the context."""
    pair_json = json.dumps(pair_entries, sort_keys=True)
    name_counts[pair_json] += 1
    digest = hashlib.sha256(f"{pair_json}:{name_counts[pair_json]}".encode()).hexdigest()
    return f"call_{digest[:24]}"


def _call_id(entry: Entry) -> str:
    return str(entry.get(_id_field(entry)))


def _id_field(entry: Entry) -> str:
    has_only_id = entry["type"] == "local_shell_call_output" and "call_id" not in entry
    return "id" if has_only_id else "call_id"
