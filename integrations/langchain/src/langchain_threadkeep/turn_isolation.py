"""A policy that isolates a turn from concurrent runs on its thread."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from threadkeep import Item
from threadkeep.policies import PolicyTraits


@dataclass(frozen=True)
class TurnIsolation:
    """A policy that hides messages of concurrent runs: it keeps earlier items and the turn's own.

    Runs that share a thread interleave, and no run should answer another run's question.

    Attributes:
        seq: the seq at which the turn begins.
        turn_ids: record ids of the turn.
    """

    seq: int
    turn_ids: Collection[str | None]
    traits: ClassVar[PolicyTraits] = PolicyTraits(filters=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        return [item for item in items if item.seq < self.seq or item.id in self.turn_ids]
