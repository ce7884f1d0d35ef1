"""What is cut in one window: the caps of its policies, and whether a model can read more."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from threadkeep.messages.tool_groups import Conversation, repair
from threadkeep.protocols import Policy
from threadkeep.types import Item
from threadkeep.window.page_reader import PageReader
from threadkeep.window.policies.traits import joint_traits
from threadkeep.window.shorten.caps import ResultCap
from threadkeep.window.shorten.handles import handle_of
from threadkeep.window.shorten.references import expanded
from threadkeep.window.shorten.views import HandleOf, shorten_results


def result_caps(policies: Sequence[Policy]) -> list[ResultCap]:
    """How much of their limits tool results may take, of the policies that say so."""
    return [cap for policy in policies if (cap := getattr(policy, "result_cap", None)) is not None]


class Shortening:
    """The cuts of one window.

    Attributes:
        caps: the caps of all policies.
        handle_of: the handle of an item; `None` = the model cannot read more of it.
        changes: whether a policy, or a cut, may change an item.
    """

    __slots__ = ("_reader", "_session", "caps", "changes", "handle_of")

    def __init__(self, policies: Sequence[Policy], session: str, reader: PageReader) -> None:
        traits = joint_traits(policies)
        self._session, self._reader = session, reader
        self.caps = result_caps(policies)
        self.handle_of: HandleOf | None = None
        self.changes = not traits.part
        if traits.readable:
            self.handle_of = functools.partial(handle_of, session)

    def views(self, items: list[Item]) -> tuple[Conversation, Conversation]:
        """The conversation, and the same with its large results cut."""
        view = shortened_view = repair(items)
        if self.handle_of is not None:
            shortened_view = expanded(view, self._session, self._reader.find)
        if self.caps:
            shortened_view = shorten_results(shortened_view, self.caps, self.handle_of)
        if shortened_view is not view:
            self.changes = True
        return view, shortened_view
