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
    random_source = random.Random(seed)  # noqa: S311 (not for secrets)
    shuffled_indexes: list[int] = []
    for case_number in range(count):
        open_memory = partial(connect, backend, namespace=f"damage{seed}-{case_number}")
        fill(open_memory())
        candidate_records = damageable(open_memory())
        shuffled_indexes = shuffled_indexes or random_source.sample(
            range(len(candidate_records)), len(candidate_records)
        )
        stored_record = candidate_records[shuffled_indexes.pop() % len(candidate_records)]
        ((change_label, damaged_body),) = chosen_changes(
            stored_record.record.body, random_source, 1
        )
        try:
            check_damage(open_memory, stored_record, damaged_body, undamaged_results(open_memory()))
        except AssertionError as error:
            raise AssertionError(f"{stored_record.label}: {change_label}: {error}") from error
