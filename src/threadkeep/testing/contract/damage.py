"""Promises of the whole package on a store with damaged records."""

from __future__ import annotations

import random
from functools import partial
from typing import Final

from threadkeep.connect import connect
from threadkeep.protocols import Backend
from threadkeep.testing.damage.changes import chosen_changes
from threadkeep.testing.damage.check import check_damage, damageable, undamaged_results
from threadkeep.testing.damage.fill import fill

_CASES: Final = 3


class DamageContract:
    def test_damaged_record_hides_no_other_and_stops_no_verb(
        self, backend: Backend, share: float
    ) -> None:
        """Wrong shapes in the fields of some records, drawn by a fixed seed."""
        check_damages(backend, round(_CASES * share) or 1, seed=7)


def check_damages(backend: Backend, count: int, seed: int) -> None:
    """Damage so many records of every kind, one after the other, each in a namespace of its own."""
    rng = random.Random(seed)  # noqa: S311 (not for secrets)
    order: list[int] = []
    for case in range(count):
        open_memory = partial(connect, backend, namespace=f"damage{seed}-{case}")
        fill(open_memory())
        candidates = damageable(open_memory())
        order = order or rng.sample(range(len(candidates)), len(candidates))
        stored = candidates[order.pop() % len(candidates)]
        ((label, body),) = chosen_changes(stored.record.body, rng, 1)
        try:
            check_damage(open_memory, stored, body, undamaged_results(open_memory()))
        except AssertionError as error:
            raise AssertionError(f"{stored.label}: {label}: {error}") from error
