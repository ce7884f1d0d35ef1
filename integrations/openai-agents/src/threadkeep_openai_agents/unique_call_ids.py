"""Call ids that come again: in the input of a run each stands for one call and its result."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

Entry = dict[str, Any]

_FAKE_ID: Final = "__fake_id__"  # the SDK's own, which it takes out of requests
_CALL: Final = "_call"
_OUTPUT: Final = "_call_output"
_NO_PAIR: Final = frozenset({"tool_search_call"})  # whose output is not named after it
_NEEDS_ID: Final = frozenset({"computer_call", "local_shell_call"})


@dataclass(slots=True)
class _Pair:
    """Where a call and its result stand, and how many messages stand before the call."""

    call: int
    turn: int
    result: int | None = None


def apart(entries: list[Entry]) -> list[Entry]:
    """The entries, with other ids for calls and results where one id comes more than once.

    Models that count their calls, and cached answers, give one id in many turns. The API refuses
    such an input, and the SDK sends the last of them only, so that the next call of that id would
    hide what is here. Only where no message follows yet, the newest pair keeps its id: it may be
    pending, and the SDK compares the end with what it has added.
    """
    pairs, turn, seen = _pairs(entries)
    if not any(count > 1 for count in seen.values()):
        return entries
    found, named = list(entries), Counter[str]()
    newest = {_call_id(entries[pair.call]): pair for pair in pairs if pair.turn == turn}
    kept = {found[pair.call].get("id") for pair in newest.values()} - {None, _FAKE_ID}
    for pair in pairs:
        id = _call_id(entries[pair.call])
        if seen[id] > 1 and newest.get(id) is not pair:
            _rename(found, pair, kept, named)
    return found


def _pairs(entries: list[Entry]) -> tuple[list[_Pair], int, Counter[str]]:
    """The pairs, how many messages there are, and how often each id stands for something else.

    A result belongs to the last calls of its id without a message between, to the first of them
    that has none. What is left, since its call was cut off, stays as it is.
    """
    pairs: list[_Pair] = []
    waiting: dict[str, list[_Pair]] = {}
    turn, seen = 0, Counter[str]()
    for place, entry in enumerate(entries):
        kind = str(entry.get("type", "message"))
        turn += kind == "message"
        if kind.endswith(_OUTPUT):
            if open_ := waiting.get(_call_id(entry)):
                pair = min(open_, key=lambda one: (-one.turn, one.call))
                pair.result = place
                open_.remove(pair)
            else:
                seen[_call_id(entry)] += 1
        elif kind.endswith(_CALL) and kind not in _NO_PAIR and "call_id" in entry:
            pairs.append(_Pair(place, turn))
            waiting.setdefault(_call_id(entry), []).append(pairs[-1])
            seen[_call_id(entry)] += 1
    return pairs, turn, seen


def _rename(found: list[Entry], pair: _Pair, kept: set[Any], named: Counter[str]) -> None:
    call = found[pair.call]
    if call.get("id") in kept:
        if call["type"] in _NEEDS_ID:
            return  # the very item once more, of which the SDK takes one
        call = {key: value for key, value in call.items() if key != "id"}
    elif call.get("id") not in (None, _FAKE_ID):
        kept.add(call["id"])
    name = _name([found[place] for place in (pair.call, pair.result) if place is not None], named)
    found[pair.call] = {**call, "call_id": name}
    if pair.result is not None:
        result = found[pair.result]
        found[pair.result] = {**result, _key(result): name}


def _name(pair: list[Entry], named: Counter[str]) -> str:
    """An id made of what a pair says, so that it is the same whatever stands around it."""
    said = json.dumps(pair, sort_keys=True)
    named[said] += 1
    digest = hashlib.sha256(f"{said}:{named[said]}".encode()).hexdigest()
    return f"call_{digest[:24]}"


def _call_id(entry: Entry) -> str:
    return str(entry.get(_key(entry)))


def _key(entry: Entry) -> str:
    answers_by_id = entry["type"] == "local_shell_call_output" and "call_id" not in entry
    return "id" if answers_by_id else "call_id"
