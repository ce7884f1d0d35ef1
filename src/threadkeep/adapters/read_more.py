"""The tool `read_more`: a model reads on in a tool result that its window shows a part of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from threadkeep.api.session import Session
from threadkeep.core.async_twin import async_twin
from threadkeep.messages.tool_groups import is_tool_result
from threadkeep.protocols import Policy
from threadkeep.types import Item
from threadkeep.window.policies.readable import Readable
from threadkeep.window.shorten.caps import ResultCap
from threadkeep.window.shorten.pages import page
from threadkeep.window.shorten.references import source
from threadkeep.window.shorten.results import whole_text

NAME: Final = "read_more"
DESCRIPTION: Final = (
    "Read more of an earlier tool result of which a part was left out: pass the handle and the "
    "start that the text '[... characters left out ...]' names."
)
READABLE: Final = Readable()
"""For the policies of a window whose model has the tool."""

_DEFAULT_PAGE: Final = ResultCap(2_000, None, 64)


class ReadMore:
    """The tool for one session: handles of other sessions resolve to nothing.

    Args:
        chat: the session.
        policies: those of the window, whose caps a page stays below.
        find: the item at a position, of a conversation that the framework holds; `None` = the
            session's own items.
    """

    def __init__(
        self,
        chat: Session,
        policies: Sequence[Policy] = (),
        *,
        find: Callable[[int], Item | None] | None = None,
    ) -> None:
        self._engine = chat._engine
        self._chat = chat
        self._find = find or self._stored
        caps = [cap for p in policies if (cap := getattr(p, "result_cap", None)) is not None]
        self._caps: list[ResultCap] = caps or [_DEFAULT_PAGE]

    def read(self, handle: str, start: int = 0) -> str:
        """A page of the result that a handle names, from a character on."""
        item = source(str(handle), self._chat._stream.stream_name, self._find)
        if item is None or not is_tool_result(item):
            return (
                "There is no such handle in this conversation: take it from the text that names it."
            )
        result_text = whole_text(item)
        if type(start) is not int or not 0 <= start < max(1, len(result_text)):
            return f"start must be a number from 0 to {max(0, len(result_text) - 1)}."
        handle = str(handle).strip()
        pages = [page(result_text, handle, start, cap.each, cap.size) for cap in self._caps]
        return min(pages, key=len)

    aread = async_twin(read)

    def _stored(self, seq: int) -> Item | None:
        items = self._chat.items(after=seq - 1, limit=1)
        return items[0] if items and items[0].seq == seq else None
