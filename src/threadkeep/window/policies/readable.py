"""Say that the model has the tool `read_more`, so that markers name what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from threadkeep.types import Item
from threadkeep.window.policies.traits import PolicyTraits


@dataclass(frozen=True)
class Readable:
    """Leaves all as it is; its trait says that cut results can be read on."""

    traits: ClassVar[PolicyTraits] = PolicyTraits(
        reach=10_000, sound=True, part=True, readable=True
    )

    def __call__(self, items: Sequence[Item]) -> Sequence[Item]:
        return items
