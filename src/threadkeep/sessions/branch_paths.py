"""Which items are on a branch: those of its ancestors up to where it leaves them, and its own.

An item that is hidden because another branch is shown names its branch, and says whether the
application hid it there as well. All others belong to the shown branch or its ancestors, and their
place in the session says to which.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

from threadkeep.core import item_codec
from threadkeep.core.item_codec import BRANCH, HIDDEN_ON_BRANCH
from threadkeep.types import Item, Json, Record
from threadkeep.types.branches import MAIN, Branch


class BranchTree:
    """The branches of a session.

    Args:
        branches: all of them; an empty list = `main` alone.
        seqs: of the items that they begin behind, by id; an item that is gone counts as the first.
    """

    def __init__(self, branches: Sequence[Branch], seqs: Mapping[str, int]) -> None:
        self.branches = {
            branch.name: branch for branch in branches or [Branch(MAIN, None, None, True)]
        }
        self._starts = {
            branch_name: seqs.get(branch.at or "", 0)
            for branch_name, branch in self.branches.items()
        }
        self.shown = next(
            (branch.name for branch in self.branches.values() if branch.is_shown), MAIN
        )

    def owner(self, item: Item) -> str:
        """The branch that an item belongs to."""
        if (branch_name := label(item)) in self.branches:
            return str(branch_name)
        return next(
            (name for name in self.chain(self.shown) if item.seq > self._starts[name]),
            MAIN,
        )

    def limits(self, name: str) -> dict[str, float]:
        """The last seq that a branch shows of each branch on its way from `main`."""
        limits_by_branch: dict[str, float] = {}
        max_seq = math.inf
        for ancestor in self.chain(name):
            limits_by_branch[ancestor] = max_seq
            max_seq = min(max_seq, self._starts[ancestor])
        return limits_by_branch

    def fork_seq(self, name: str) -> int:
        """The seq up to which a branch and the shown one have the same items."""
        branch_limits, shown_limits = self.limits(name), self.limits(self.shown)
        common_branch = next(ancestor for ancestor in self.chain(name) if ancestor in shown_limits)
        common_seq = min(branch_limits[common_branch], shown_limits[common_branch])
        return -1 if math.isinf(common_seq) else int(common_seq)

    def listed(self) -> tuple[Branch, ...]:
        """All branches, `main` first; an empty tuple if there is no other."""
        all_branches = tuple(self.branches.values())
        return () if len(all_branches) == 1 else all_branches

    def shown_as(self, name: str) -> tuple[Branch, ...]:
        """All branches, with this one as the shown one."""
        return tuple(
            Branch(branch.name, branch.parent, branch.at, branch.name == name)
            for branch in self.branches.values()
        )

    def chain(self, name: str) -> list[str]:
        """A branch and its ancestors, nearest first."""
        chain_names: list[str] = []
        current_name: str | None = name
        while current_name in self.branches and current_name not in chain_names:
            chain_names.append(str(current_name))
            current_name = self.branches[str(current_name)].parent
        return chain_names if chain_names and chain_names[-1] == MAIN else [*chain_names, MAIN]


class BranchView:
    """Shows the items of a branch, and hides all others, as if it were the shown one."""

    def __init__(self, tree: BranchTree, name: str) -> None:
        self._tree, self._limits = tree, tree.limits(name)

    def __call__(self, items: Iterable[Item]) -> list[Item]:
        """The items, hidden or not as the branch has it."""
        return [self._as_seen(item) for item in items]

    def has(self, item: Item) -> bool:
        """Return True if an item is on the branch."""
        return item.seq <= self._limits.get(self._tree.owner(item), -1)

    def _as_seen(self, item: Item) -> Item:
        is_hidden = is_hidden_on_its_branch(item) or not self.has(item)
        return item if item.hidden is is_hidden else dataclasses.replace(item, hidden=is_hidden)


def label(item: Item) -> str | None:
    """The branch that a hidden item names, if any."""
    branch_name = item.metadata.get(BRANCH) if item.hidden else None
    return branch_name if isinstance(branch_name, str) else None


def marks(item: Item) -> dict[str, Json]:
    """What the metadata of an item say of its branch; nothing if it is of the shown one."""
    if label(item) is None:
        return {}
    mark_keys = (BRANCH, HIDDEN_ON_BRANCH)
    return {key: item.metadata[key] for key in mark_keys if key in item.metadata}


def on_branch(item: Item, branch: str) -> Item:
    """The item with what its metadata say if its branch is not shown."""
    hidden_mark = {HIDDEN_ON_BRANCH: True} if item.hidden else {}
    metadata = {**item.metadata, BRANCH: branch, **hidden_mark}
    return dataclasses.replace(item, hidden=True, metadata=metadata)


def is_hidden_on_its_branch(item: Item) -> bool:
    """Return True if the application hid the item, whatever branch is shown."""
    return item.hidden and (label(item) is None or HIDDEN_ON_BRANCH in item.metadata)


def kept_on_branches(records: Sequence[Record], stored: Mapping[str, Item]) -> list[Record]:
    """The records of items; one whose stored item is of a branch that is not shown stays on it."""
    branches = {id: branch for id, item in stored.items() if (branch := label(item)) is not None}
    return [
        item_codec.with_branch(record, branches[record.id], record.at) or record
        if record.id in branches
        else record
        for record in records
    ]
