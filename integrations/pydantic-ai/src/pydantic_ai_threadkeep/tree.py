"""Which items of a session are a branch's history: a tree of branches over the order of items.

Seqs only grow, so a branch is an uninterrupted run of seqs, cut off by the next branch, and what
precedes it is another branch up to a seq. Items need no pointers: one that was forgotten leaves
no gap, and what other frameworks add belongs to the branch in which it was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

MAX_SEQ: Final = 2**53 - 1


class Base(NamedTuple):
    """Where in another conversation a fork begins.

    Attributes:
        conversation: its id.
        token: its token.
        seq: of the last item there that the fork has.
        item: the record id of that item, if it is known.
        life: of the session in which the seq was given.
    """

    conversation: str
    token: str
    seq: int
    item: str | None = None
    life: int = 0


Cut = int | Base | None
"""What precedes a branch: items up to a seq, another conversation's, or nothing."""


class Branch(NamedTuple):
    """The items after a seq, and what precedes them."""

    after: int
    cut: Cut


class Range(NamedTuple):
    """Seqs greater than `after`, up to and with `upto`."""

    after: int
    upto: int


class Tree(tuple[Branch, ...]):
    """The branches of a conversation, in the order of their beginning; the last one is current."""

    __slots__ = ()

    def path(self, upto: int = MAX_SEQ) -> Iterator[Range | Base]:
        """The ranges of a history that ends at a seq, newest first; a base is the last of them."""
        position: Cut = upto
        while isinstance(position, int):
            branch = self._branch_of(position)
            if branch is None:
                return
            if position > branch.after:
                yield Range(branch.after, position)
            position = branch.cut
        if position is not None:
            yield position

    def ranges(self, upto: int = MAX_SEQ) -> list[Range]:
        """As `path`, without what is in other conversations."""
        return [step for step in self.path(upto) if isinstance(step, Range)]

    def bases(self) -> list[Base]:
        """The places in other conversations at which branches begin."""
        return [branch.cut for branch in self if isinstance(branch.cut, Base)]

    def switched(self, newest: int, cut: Cut) -> Tree:
        """The tree with a new current branch that follows a place.

        A branch in which nothing was said goes, unless it begins in another conversation: that one
        is to keep its messages for this one, which may come back to them.

        Args:
            newest: the seq of the newest item so far.
            cut: the place.
        """
        older_branches = [
            branch for branch in self if branch.after < newest or isinstance(branch.cut, Base)
        ]
        return Tree((*older_branches, Branch(newest, cut)))

    def seqs(self) -> list[int]:
        """The seqs that the branches name."""
        cuts = [branch.cut for branch in self if isinstance(branch.cut, int)]
        return sorted({*(branch.after for branch in self if branch.after >= 0), *cuts})

    def moved(self, new_seq_by_old: Mapping[int, int]) -> Tree:
        """The tree of the same items where they have other seqs, as in a copy of a store.

        An item that is not there stands where the one before it does.
        """

        def moved(seq: int) -> int:
            seqs_before = [old_seq for old_seq in new_seq_by_old if old_seq <= seq]
            return new_seq_by_old[max(seqs_before)] if seqs_before else -1

        return Tree(
            Branch(
                moved(start_seq), moved(fork_point) if isinstance(fork_point, int) else fork_point
            )
            for start_seq, fork_point in self
        )

    def _branch_of(self, seq: int) -> Branch | None:
        return next((branch for branch in reversed(self) if branch.after < seq), None)


NEW: Final = Tree((Branch(-1, None),))
"""A session that was never branched: all of its items."""


def minus(ranges: list[Range], others: list[Range]) -> list[Range]:
    """The seqs in the first ranges that are in none of the others."""
    remaining = ranges
    for excluded_range in others:
        remaining = [piece for span in remaining for piece in _without(span, excluded_range)]
    return remaining


def contains(ranges: list[Range], seq: int) -> bool:
    """Return True if one of the ranges contains the seq."""
    return any(span.after < seq <= span.upto for span in ranges)


def to_json(tree: Tree) -> list[Any]:
    """The tree as JSON."""
    return [
        [branch.after, list(branch.cut) if isinstance(branch.cut, Base) else branch.cut]
        for branch in tree
    ]


def from_json(value: list[Any]) -> Tree:
    """The tree of what `to_json` made.

    Raises:
        TypeError: it is something else.
        ValueError: it is something else.
    """
    return Tree(Branch(_seq(start_seq), _cut(fork_point)) for start_seq, fork_point in value)


def _cut(value: Any) -> Cut:
    if value is None:
        return None
    if not isinstance(value, list):
        return _seq(value)
    base = Base(*value)
    if not (isinstance(base.conversation, str) and base.conversation):
        raise TypeError("a base names a conversation")
    return base._replace(seq=_seq(base.seq), life=_seq(base.life))


def _seq(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("a seq is a whole number")
    return value


def _without(span: Range, other: Range) -> list[Range]:
    pieces = [
        Range(span.after, min(span.upto, other.after)),
        Range(max(span.after, other.upto), span.upto),
    ]
    return [piece for piece in pieces if piece.after < piece.upto]
