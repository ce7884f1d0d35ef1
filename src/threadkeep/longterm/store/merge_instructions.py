"""How instructions are put beside those that are known: said again, or one too many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from threadkeep.longterm.store.merge import evict, merged_fields
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types.knowledge import Instruction
from threadkeep.types.states import PRIORITIES

MAX_INSTRUCTIONS: Final = 200
"""Instructions that are kept of one user, of any status and for any agent."""


def ranked(instructions: Iterable[Instruction]) -> list[Instruction]:
    """Those that weigh most first."""
    return sorted(instructions, key=rank_key, reverse=True)


def merge_instruction(unit: UnitOfWork, instruction: Instruction) -> Instruction:
    """Put an instruction; one that is known already was said once more, and keeps what it has."""
    existing_instruction = unit.instructions.get(instruction.id)
    if existing_instruction is None:
        return unit.put_instruction(instruction)
    return unit.put_instruction(
        replace(
            instruction,
            **merged_fields(existing_instruction, instruction),
            priority=min(existing_instruction.priority, instruction.priority, key=PRIORITIES.index),
        )
    )


def evict_surplus(unit: UnitOfWork, now: float, limit: int = MAX_INSTRUCTIONS) -> int:
    """Let those of the least weight go, if there are too many, and say so. Returns how many."""
    return evict(unit, unit.instructions, limit, rank_key, now)


def rank_key(instruction: Instruction) -> tuple[bool, bool, int, float]:
    """How much an instruction weighs: that it holds, that it is pinned, how plain, how new."""
    said_at = instruction.observed_at or instruction.created_at
    said_timestamp = 0.0 if said_at is None else said_at.timestamp()
    return (
        instruction.status == "active",
        instruction.pinned,
        -PRIORITIES.index(instruction.priority),
        said_timestamp,
    )
