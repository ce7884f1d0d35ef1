"""What a budget chose, and whether it is over."""

from __future__ import annotations

from threadkeep.types import Item


class Choice(list[Item]):
    """The items that a budget chose.

    Attributes:
        over: by how much they exceed the limit, since they must all stay; 0 = they fit.
    """

    over = 0
