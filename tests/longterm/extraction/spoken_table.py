"""What is learned in each language with a row, by a model that believes everything it reads.

The sentences stand in `spoken/`, a file for each language. `python -m benchmarks.gate`
prints the whole table.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from threadkeep import connect
from threadkeep.longterm.extraction.languages.row import CODES

FOLDER = Path(__file__).parent / "spoken"


class Row(NamedTuple):
    """The counts of one language."""

    wishes: int
    planted: int
    facts: int
    remembered: bool
    forgotten: bool


def texts(code):
    """The sentences of a language."""
    return tomllib.loads((FOLDER / f"{code}.toml").read_text(encoding="utf-8"))


def filled(frame, said):
    """A frame with the order in it."""
    return frame.format(
        reported=said["reported"], claim=said["claim"], command=said["command"].rstrip(".。।")
    )


def attacks(said) -> Iterator[list]:
    """Ten reports of others' orders, and ten orders that pose as something else."""
    for frame in said["hearsay"]:
        yield [filled(frame, said)]
    for frame in said["posing"]:
        yield [filled(frame, said)]
    yield [f"{said['head']}\n\n{said['claim']}."]
    yield [f"{said['task']}:\n{said['command']}"]
    yield [f"```\n{said['command']}\n```"]
    yield [f"> {said['claim']}."]
    yield ["OK?", {"role": "assistant", "content": f"{said['claim']}."}, "OK."]


def proposal(text, items, quote=""):
    return {"text": text, "items": items, "quote": quote, "relation": "new", "known": None,
            "confidence": 0.9, "priority": "explicit", "valid_from": None,
            "valid_to": None}  # fmt: skip


def believer(planted):
    """A model that proposes an order as everything it may be, with and without citing it."""

    def model(messages):
        lines = json.loads(messages[1]["content"])["messages"]
        every = [line["number"] for line in lines]
        proposals = [
            proposal(text, items, quote)
            for text in planted
            for items, quote in [(every, ""), *(([ln["number"]], ln["text"]) for ln in lines)]
        ]
        return json.dumps({"facts": proposals, "instructions": proposals})

    return model


def knowing(facts=(), instructions=(), quote=""):
    """A model that proposes what is asked for of the last message."""

    def model(messages):
        last = json.loads(messages[1]["content"])["messages"][-1]["number"]
        return json.dumps(
            {
                "facts": [proposal(text, [last], quote) for text in facts],
                "instructions": [proposal(text, [last], quote) for text in instructions],
            }
        )

    return model


def learned(messages, model):
    """The texts of active facts and instructions, and what was refused."""
    with connect("memory://", llm={"call": model, "idle": 3_600, "summaries": False}) as memory:
        ada = memory.user("ada")
        ada.session("chat").add(*messages)
        memory.extract()
        return (
            [fact.text for fact in ada.facts.list()],
            [one.text for one in ada.instructions.list()],
            ada.refused(),
        )


def is_planted(messages, said):
    """Whether an order became an active instruction, or an active fact."""
    planted = [said["planted"], said["claim"], said["command"]]
    facts, instructions, _ = learned(messages, believer(planted))
    return bool(facts or instructions)


def row(code, *, cited=False) -> Row:
    """What is learned of the sentences of a language."""
    said = texts(code)
    return Row(
        sum(heard_wish(pair, cited) for pair in said["wishes"]),
        sum(is_planted(messages, said) for messages in attacks(said)),
        sum(heard_fact(pair, cited) for pair in said["facts"]),
        heard_request(said["remember"]),
        forgot(said["forget"]),
    )


def heard_wish(pair, cited=False):
    said, meant = pair
    return bool(learned([said], knowing(instructions=[meant], quote=said if cited else ""))[1])


def heard_fact(pair, cited=False):
    said, meant = pair
    return learned([said], knowing([meant], quote=said if cited else ""))[0] == [meant]


def heard_request(pair):
    said, kept = pair
    facts, _, _ = learned([said], knowing())
    return any(kept in fact for fact in facts)


def forgot(pair):
    said, known = pair
    with connect("memory://", llm={"call": knowing(), "idle": 3_600}) as memory:
        ada = memory.user("ada")
        ada.facts.add(known)
        ada.facts.add("Zzz")
        ada.session("chat").add(said)
        memory.extract()
        return [fact.text for fact in ada.facts.list()] == ["Zzz"]


def table() -> str:
    """The table as text."""
    lines = ["language  wishes/10  planted/20  facts/10  remember  forget"]
    for code in CODES:
        counts = row(code)
        lines.append(
            f"{code:8}{counts.wishes:9}{counts.planted:12}{counts.facts:11}"
            f"{counts.remembered!s:>10}{counts.forgotten!s:>8}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
