"""What a session holds beside its items: the framework's record of the conversation, as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_ai.conversation_store import ConversationRecord

from pydantic_ai_threadkeep import tree
from pydantic_ai_threadkeep.tree import Tree
from threadkeep.errors import CorruptRecord
from threadkeep.printable import shown

CONVERSATION: Final = "conversation"
"""The kind and the id of the record in a session's stream."""

# a list, since only a type without a configuration of its own can be given one
_RECORDS: Final[TypeAdapter[list[ConversationRecord]]] = TypeAdapter(
    list[ConversationRecord], config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
)


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """What is stored of a conversation beside its items.

    Attributes:
        token: made when the conversation began; another one of the same id has another.
        record: the framework's; `None` = deleted, and the items are there for forks alone.
        last: the record id of the session's newest item when this was written.
        tree: the branches.
        items: the record ids of the items at the seqs that the tree names, as far as known.
        life: of the session when this was written; a copy in another store has another.
    """

    token: str
    record: ConversationRecord | None
    last: str | None
    tree: Tree
    items: Mapping[int, str] = dataclasses.field(default_factory=dict)
    life: int = 0

    def to_fields(self) -> dict[str, Any]:
        """The document as JSON."""
        record_dump = None
        if self.record is not None:
            (record_dump,) = _RECORDS.dump_python([self.record], mode="json")
        return {
            "token": self.token,
            "record": record_dump,
            "last": self.last,
            "tree": tree.to_json(self.tree),
            "items": {str(seq): id for seq, id in self.items.items()},
            "life": self.life,
        }


def read(fields: Mapping[str, Any] | None, conversation: str) -> Document:
    """The document of what `to_fields` made.

    Raises:
        CorruptRecord: it cannot be read.
    """
    try:
        if fields is None:
            raise TypeError("no object")
        record_dump = fields["record"]
        record = None if record_dump is None else _RECORDS.validate_python([record_dump])[0]
        branches = tree.from_json(fields["tree"])
        id_by_seq = {int(seq): str(id) for seq, id in fields["items"].items()}
        token, last_seq, life = str(fields["token"]), fields["last"], int(fields["life"])
        return Document(token, record, last_seq, branches, id_by_seq, life)
    except (AttributeError, KeyError, TypeError, ValueError, ValidationError) as error:
        raise CorruptRecord(
            f"the record of conversation {shown(conversation)} cannot be read; its messages can: "
            "delete the conversation, or restore it from a copy of the store"
        ) from error
