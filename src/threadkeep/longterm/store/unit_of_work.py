"""Everything a home holds at one moment, and what is to be changed in it: one commit's work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from threadkeep.longterm.store import codec
from threadkeep.types import Drop, Page, Record
from threadkeep.types.knowledge import Fact, Instruction

T = TypeVar("T", Fact, Instruction)

FACT: Final = "fact"
INSTRUCTION: Final = "instruction"
WATERMARK: Final = "watermark"
FORGOTTEN: Final = "forgotten"

USER: Final = "user"
"""The id of the `forgotten` record which says that the whole home is going."""


class UnitOfWork:
    """The content of a home, by id; what is put and dropped here is stored by `Home.settle`.

    Attributes:
        version: of the stream (0 = nothing was ever learned).
        facts: oldest first, of any status.
        instructions: oldest first, of any status.
        watermarks: how far each session was read: bodies of records, by the session's stream.
        forgotten: ids of facts that were forgotten, and when (epoch seconds).
    """

    KINDS: Final = (FACT, INSTRUCTION, WATERMARK, FORGOTTEN)

    def __init__(self, pages: Sequence[Page]) -> None:
        facts, instructions, watermarks, forgotten = pages
        self.version = facts.version
        self.facts = {f.id: f for r in facts.records if (f := codec.read_fact(r))}
        self.instructions = {
            i.id: i for r in instructions.records if (i := codec.read_instruction(r))
        }
        self.watermarks = {record.id: record.body for record in watermarks.records}
        self.forgotten = {record.id: record.at for record in forgotten.records}
        self._put: dict[tuple[str, str], str | Fact | Instruction] = {}
        self._drop: dict[tuple[str, str], None] = {}

    @property
    def is_forgotten(self) -> bool:
        """Whether all of it is about to be removed."""
        return USER in self.forgotten

    def put_fact(self, fact: Fact) -> Fact:
        """Store a fact, in the place of the one with its id."""
        self.facts[fact.id] = fact
        self._note(FACT, fact.id, fact)
        return fact

    def put_instruction(self, instruction: Instruction) -> Instruction:
        """Store an instruction, in the place of the one with its id."""
        self.instructions[instruction.id] = instruction
        self._note(INSTRUCTION, instruction.id, instruction)
        return instruction

    def put_watermark(self, key: str, body: str) -> None:
        """Store how far a session was read."""
        self.watermarks[key] = body
        self._note(WATERMARK, key, body)

    def drop_fact(self, id: str) -> None:
        """Remove a fact."""
        self.facts.pop(id, None)
        self._let_go(FACT, id)

    def drop_instruction(self, id: str) -> None:
        """Remove an instruction."""
        self.instructions.pop(id, None)
        self._let_go(INSTRUCTION, id)

    def drop_watermark(self, key: str) -> None:
        """Forget how far a session was read."""
        self.watermarks.pop(key, None)
        self._let_go(WATERMARK, key)

    def forget(self, id: str, at: float) -> None:
        """Leave a mark that a fact or instruction was forgotten, which holds none of its words."""
        self.forgotten[id] = at
        self._note(FORGOTTEN, id, "{}")

    def unforget(self, id: str) -> None:
        """Take that mark back: somebody says it again."""
        if self.forgotten.pop(id, None) is not None:
            self._let_go(FORGOTTEN, id)

    def changes(self, now: float) -> tuple[list[Record], list[Drop]]:
        """What is to be put and dropped; nothing if nothing was changed."""
        put = [_record(kind, id, said, now) for (kind, id), said in self._put.items()]
        drop: dict[str, list[str]] = {}
        for kind, id in self._drop:
            drop.setdefault(kind, []).append(id)
        return put, [Drop(kind, ids) for kind, ids in drop.items()]

    def stored(self, put: Sequence[Record], seqs: Sequence[int]) -> None:
        """Give what was put the places that the store gave it."""
        for record, seq in zip(put, seqs, strict=True):
            if record.kind == FACT:
                self.facts[record.id] = replace(self.facts[record.id], seq=seq)
            elif record.kind == INSTRUCTION:
                self.instructions[record.id] = replace(self.instructions[record.id], seq=seq)

    def _note(self, kind: str, id: str, said: str | Fact | Instruction) -> None:
        self._drop.pop((kind, id), None)
        self._put[kind, id] = said

    def _let_go(self, kind: str, id: str) -> None:
        self._put.pop((kind, id), None)
        self._drop[kind, id] = None


def superseded(one: T, by: str) -> T:
    """A fact or instruction after another took its place."""
    return replace(one, status="superseded", superseded_by=by)


def _record(kind: str, id: str, said: str | Fact | Instruction, now: float) -> Record:
    if isinstance(said, Fact):
        return codec.fact_record(said, now)
    if isinstance(said, Instruction):
        return codec.instruction_record(said, now)
    return Record(kind, id, said, now)
