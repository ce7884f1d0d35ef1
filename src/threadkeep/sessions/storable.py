"""Items as records; values that are not JSON are converted where they may be."""

from __future__ import annotations

from threadkeep.core import item_codec
from threadkeep.core.parts import Blob, TooLarge
from threadkeep.errors import InputError
from threadkeep.types import Item, Record


def storable_record(
    item: Item, id: str, now: float, location: str
) -> tuple[Item, Record, list[Blob]]:
    """The item as it will be read again, its record of that id, written at `now`, and its blobs.

    Raises:
        InputError: a field is not JSON, or the item is too large; both are named.
    """
    try:
        return item, *item_codec.encode_item(item, id, now, location)
    except TooLarge:
        raise
    except InputError as error:  # rare, so that nothing is converted that need not be
        from threadkeep.core.json_values import item_as_json

        try:
            json_item = item_as_json(item)
        except RecursionError:
            raise error from None
    return json_item, *item_codec.encode_item(json_item, id, now, location)
