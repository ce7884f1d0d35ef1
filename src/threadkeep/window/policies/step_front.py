"""Where the front of a stepped budget stands."""

from __future__ import annotations

from threadkeep.window.policies.units import Unit


def anchor(units: list[Unit], candidates: list[int], stride: int | None) -> int:
    """The oldest unit that spans a multiple of the stride, else of the highest power of two.

    Both ends of the candidates only ever move forward, so this unit does too.
    """

    def span(index: int) -> tuple[int, int]:
        # from one start to the next: the same however far back was read
        first_seq = units[index][0].heads[0].seq
        return first_seq, units[index + 1][0].heads[0].seq if index + 1 < len(units) else first_seq

    if stride:
        for unit_index in candidates:
            first_seq, next_seq = span(unit_index)
            if first_seq // stride != next_seq // stride:
                return unit_index
    return max(candidates, key=lambda n: ((span(n)[0] ^ span(n)[1]).bit_length(), -n))
