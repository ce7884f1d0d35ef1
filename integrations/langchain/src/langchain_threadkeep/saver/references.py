"""References to messages: a digest of what a message says, and the id of its item.

`<digest>:<item id>` is a message that its item restores exactly; `<digest>!<item id>` one that
only an element of the checkpoints does, such as one with a Python object in it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any, Final, NamedTuple

import ormsgpack
from langchain_core.messages import BaseMessage

from langchain_threadkeep import fast_path
from langchain_threadkeep.codec import plain_fields, to_item, to_message
from langchain_threadkeep.record_ids import key
from threadkeep import Item
from threadkeep.adapters import checkpoints
from threadkeep.errors import InputError
from threadkeep.messages import sanitize

DIGEST: Final = 12
"""Characters of a digest: 72 bits."""

_WITHOUT_ID: Final = re.compile(rf"[-\w]{{{DIGEST}}}\.\d+", re.ASCII)
"""The item ids of messages without an id."""

_ESCAPED: Final = "\\ud"
"""How a lone surrogate begins in JSON."""

_OPTIONS: Final = ormsgpack.OPT_NON_STR_KEYS | ormsgpack.OPT_PASSTHROUGH_TUPLE


class Reference(NamedTuple):
    """A parsed reference."""

    digest: str
    is_item: bool
    item_id: str


class EncodedMessage(NamedTuple):
    """A message as it is stored.

    Attributes:
        item: for the session; without an id.
        body: the item's text; `None` if the item is too large to be stored.
        typed: what LangGraph's serializer makes of it, if the item does not restore it exactly.
        digest: of whichever restores it.
    """

    item: Item
    body: str | None
    typed: tuple[str, bytes] | None
    digest: str


def encode(message: BaseMessage, serde: Any) -> EncodedMessage:
    """Encode a message, and check that it comes back as it is.

    Half of an emoji is `?`, as LangGraph's serializer stores it: no model takes it, and one that
    came back would end every later run of the thread.
    """
    item, item_body = _item_and_body(message)
    if item_body is not None and _ESCAPED in item_body:
        message = message.model_copy(update=sanitize(message.__dict__))
        item, item_body = _item_and_body(message)
    if item_body is not None and _restores(item_body, message):
        return EncodedMessage(
            item, item_body, None, digest(item_body.encode("utf-8", "surrogatepass"))
        )
    serialized_message = serde.dumps_typed(message)
    return EncodedMessage(item, item_body, serialized_message, digest(serialized_message[1]))


def _item_and_body(message: BaseMessage) -> tuple[Item, str | None]:
    item = to_item(message)
    try:
        return item, checkpoints.item_body(item)
    except InputError:
        return item, None


def restore(item: Item) -> BaseMessage:
    """The message of an item; for most without validation, since it was restored once before."""
    class_and_fields = plain_fields(item)
    built_message = None if class_and_fields is None else fast_path.build(*class_and_fields)
    return to_message(item) if built_message is None else built_message


def digest(content_bytes: bytes) -> str:
    """The digest of a text or a serialized value."""
    digest_size = DIGEST * 3 // 4
    return base64.urlsafe_b64encode(
        hashlib.blake2b(content_bytes, digest_size=digest_size).digest()
    ).decode()


def item_digest(item: Item) -> str:
    """The digest of an item that was read."""
    return digest(checkpoints.item_body(item).encode("utf-8", "surrogatepass"))


def reference(encoded: EncodedMessage, item_id: str) -> str:
    """The reference to an encoded message."""
    return f"{encoded.digest}{':' if encoded.typed is None else '!'}{item_id}"


def element_id(reference: str) -> str:
    """The id of the element that restores a reference; of no other, so that it can be dropped."""
    return digest(reference.encode("utf-8", "surrogatepass"))


def parse(text: str) -> Reference:
    """Parse a reference."""
    return Reference(text[:DIGEST], text[DIGEST] == ":", text[DIGEST + 1 :])


def item_id(message: BaseMessage, turn: str | None, encoded: EncodedMessage, place: str) -> str:
    """The id of a message's item: the one that `ThreadkeepMiddleware` gives it, if it is there.

    Args:
        message: the message.
        turn: the item id of the question that it answers.
        encoded: the same message.
        place: where it stands, for messages without an id.
    """
    record_id = key(message, turn)
    if record_id:
        return record_id
    if message.id and message.id != "__fake_id__":
        return f"{message.id}@:{message.type}"
    return f"{encoded.digest}.{place}"


def message_id(item_id: str, message: BaseMessage) -> str | None:
    """The id of the message that an item was made of, for one that the application replaced.

    The reverse of `item_id`; `None` = the message had none.
    """
    if _WITHOUT_ID.fullmatch(item_id):
        return None
    return item_id if message.type == "human" else item_id.partition("@")[0]


def fingerprint(message: BaseMessage) -> int | None:
    """A number that changes with the message, at every depth; `None` = it cannot be told.

    A hundred times cheaper than encoding it. Of this process only.
    """
    try:
        fingerprint_parts = (type(message).__name__, message.__dict__, message.__pydantic_extra__)
        return hash(ormsgpack.packb(fingerprint_parts, default=_plain_tuple, option=_OPTIONS))
    except (TypeError, ValueError):
        return None


def _plain_tuple(value: Any) -> Any:
    if type(value) is tuple:
        return {"tuple": list(value)}
    raise TypeError(type(value).__name__)


def _restores(body: str, message: BaseMessage) -> bool:
    item = checkpoints.item_of(body)
    if item is None:
        return False
    restored_message = restore(item)
    return type(restored_message) is type(message) and restored_message == message
