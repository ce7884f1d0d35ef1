"""The entries of a user stream at one version, with the pending changes of one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from threadkeep.core import body, json_text, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.longterm.store import codec
from threadkeep.types import Drop, Page, Record
from threadkeep.types.knowledge import Fact, Instruction, Refusal

T = TypeVar("T", Fact, Instruction)

FACT: Final = "fact"
INSTRUCTION: Final = "instruction"
WATERMARK: Final = "watermark"
FORGOTTEN: Final = "forgotten"
REFUSED: Final = "refused"

FACT_COUNT: Final = "facts"
"""The id of the record, of kind `watermark`, of how many facts there are at most."""

MAX_FACTS: Final = 1_000
"""Facts that are kept of one user, of any status; the least worth goes first, pinned ones never."""

MAX_REFUSALS: Final = 200
"""Refusals that are kept of one user: the newest."""

USER: Final = "user"
"""The id of the `forgotten` record that marks the entire user as being forgotten."""


class UnitOfWork:
    """The entries of a user stream by id; `UserStream.transact` commits the changes made here.

    Attributes:
        version: of the stream (0 = nothing was ever learned).
        facts: oldest first, of any status.
        instructions: oldest first, of any status.
        watermarks: how far each session was read: bodies of records, by the session's stream.
        forgotten: ids of facts that were forgotten, and when (epoch seconds).
        refusals: what was let go and why, oldest first.
        fact_count: how many facts there are at most; `None` = nobody counted.
    """

    KINDS: Final = (FACT, INSTRUCTION, WATERMARK, FORGOTTEN)
    ALL_KINDS: Final = (*KINDS, REFUSED)

    def __init__(self, pages: Sequence[Page], *, partial: bool = False) -> None:
        fact_page, instruction_page, watermark_page, forgotten_page, *refusal_pages = pages
        self.refusals = {
            refusal.id: refusal
            for page in refusal_pages
            for record in page.records
            if (refusal := codec.read_refusal(record))
        }
        self.version = fact_page.version
        self.facts = {
            fact.id: fact for record in fact_page.records if (fact := codec.read_fact(record))
        }
        self.instructions = {
            instruction.id: instruction
            for record in instruction_page.records
            if (instruction := codec.read_instruction(record))
        }
        self.watermarks = {record.id: record.body for record in watermark_page.records}
        self.fact_count = _count_in(self.watermarks.pop(FACT_COUNT, None))
        self._loaded = len(self.facts)
        self._partial = partial
        self.forgotten = {record.id: record.at for record in forgotten_page.records}
        self._put: dict[tuple[str, str], str | Fact | Instruction | Refusal | Record] = {}
        self._drop: dict[tuple[str, str], None] = {}

    @property
    def is_forgotten(self) -> bool:
        """True if the user is being forgotten."""
        return USER in self.forgotten

    def put_fact(self, fact: Fact) -> Fact:
        """Store a fact, in the place of the one with its id."""
        self.facts[fact.id] = fact
        self._mark_put(FACT, fact.id, fact)
        return fact

    def put_instruction(self, instruction: Instruction) -> Instruction:
        """Store an instruction, in the place of the one with its id."""
        self.instructions[instruction.id] = instruction
        self._mark_put(INSTRUCTION, instruction.id, instruction)
        return instruction

    def entries(self) -> list[Fact | Instruction]:
        """All facts and instructions, of any status."""
        return [*self.facts.values(), *self.instructions.values()]

    def put(self, entry: Fact | Instruction) -> None:
        """Store a fact or an instruction, in the place of the one with its id."""
        self.put_fact(entry) if isinstance(entry, Fact) else self.put_instruction(entry)

    def drop(self, entry: Fact | Instruction) -> None:
        """Remove a fact or an instruction."""
        (self.drop_fact if isinstance(entry, Fact) else self.drop_instruction)(entry.id)

    def put_watermark(self, key: str, body: str) -> None:
        """Store how far a session was read."""
        self.watermarks[key] = body
        self._mark_put(WATERMARK, key, body)

    def drop_fact(self, id: str) -> None:
        """Remove a fact."""
        self.facts.pop(id, None)
        self._mark_dropped(FACT, id)

    def drop_instruction(self, id: str) -> None:
        """Remove an instruction."""
        self.instructions.pop(id, None)
        self._mark_dropped(INSTRUCTION, id)

    def mark_forgotten(self, id: str, at: float) -> None:
        """Record that a fact or instruction was forgotten; the mark holds none of its text."""
        self.forgotten[id] = at
        self._mark_put(FORGOTTEN, id, Record(FORGOTTEN, id, "{}", at))

    def unmark_forgotten(self, id: str) -> None:
        """Delete that mark, since the user says it again."""
        if self.forgotten.pop(id, None) is not None:
            self._mark_dropped(FORGOTTEN, id)

    def forget_fact(self, id: str, at: float) -> None:
        """Remove a fact for good: neither it nor its text is learned again from older words."""
        fact = self.facts.get(id)
        if fact is None:
            return
        self.drop_fact(id)
        for forgotten_id in dict.fromkeys((id, codec.identity(FACT, fact.text))):
            self.mark_forgotten(forgotten_id, at)

    def put_refusal(self, refusal: Refusal) -> None:
        """Note what was let go; the oldest such notes make room."""
        self.drop_refusal(refusal.id)
        self.refusals[refusal.id] = refusal
        self._put[REFUSED, refusal.id] = refusal
        for refusal_id in list(self.refusals)[:-MAX_REFUSALS]:
            self.drop_refusal(refusal_id)

    def drop_refusal(self, id: str) -> None:
        """Let go of such a note."""
        if self.refusals.pop(id, None) is not None:
            self._mark_dropped(REFUSED, id)

    def changes(self, now: float) -> tuple[list[Record], list[Drop]]:
        """The records to put and the drops; both empty if nothing changed."""
        self._count_facts()
        records = [
            _record(record_kind, record_id, entry, now)
            for (record_kind, record_id), entry in self._put.items()
        ]
        ids_by_kind: dict[str, list[str]] = {}
        for record_kind, record_id in self._drop:
            ids_by_kind.setdefault(record_kind, []).append(record_id)
        return records, [Drop(record_kind, ids) for record_kind, ids in ids_by_kind.items()]

    def _count_facts(self) -> None:
        """Keep the number of facts with them; too high when some expired, until all are read."""
        if not any(record_kind == FACT for record_kind, _ in (*self._put, *self._drop)):
            return
        unloaded_count = (self.fact_count or 0) - self._loaded if self._partial else 0
        fact_count = max(0, unloaded_count) + len(self.facts)
        self._put[WATERMARK, FACT_COUNT] = json_text.dumps({"count": fact_count}, WATERMARK)

    def assign_seqs(self, put: Sequence[Record], seqs: Sequence[int]) -> None:
        """Set the seqs that the store assigned to the records that were put."""
        for record, seq in zip(put, seqs, strict=True):
            if record.kind == FACT:
                self.facts[record.id] = replace(self.facts[record.id], seq=seq)
            elif record.kind == INSTRUCTION:
                self.instructions[record.id] = replace(self.instructions[record.id], seq=seq)

    def _mark_put(
        self, kind: str, id: str, entry: str | Fact | Instruction | Refusal | Record
    ) -> None:
        self._drop.pop((kind, id), None)
        self._put[kind, id] = entry

    def _mark_dropped(self, kind: str, id: str) -> None:
        self._put.pop((kind, id), None)
        self._drop[kind, id] = None


def superseded(entry: T, replacement: str) -> T:
    """A fact or instruction, marked as superseded by another id."""
    return replace(entry, status="superseded", superseded_by=replacement)


def _record(
    kind: str, id: str, entry: str | Fact | Instruction | Refusal | Record, now: float
) -> Record:
    if isinstance(entry, Record):
        return entry
    if isinstance(entry, Refusal):
        return codec.refusal_record(entry, now)
    if isinstance(entry, Fact):
        return codec.fact_record(entry, now)
    if isinstance(entry, Instruction):
        return codec.instruction_record(entry, now)
    return Record(kind, id, entry, now)


def _count_in(body_json: str | None) -> int | None:
    """How many facts there are at most; `None` = nobody knows."""
    if body_json is None:
        return None
    try:
        field_values = body.decode(
            Record(WATERMARK, FACT_COUNT, body_json, 0.0), record_shapes.WATERMARK
        )
    except UnreadableRecord:
        return None
    raw_count = field_values.get("count")
    return raw_count if type(raw_count) is int else None
