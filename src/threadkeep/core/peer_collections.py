"""What users of other libraries type first of a collection, and what it is called here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def by_typed_name(table: Mapping[str, str]) -> dict[str, str]:
    """The table the other way round: our name by each of the names that others have for it."""
    return {name: our_name for our_name, peer_names in table.items() for name in peer_names.split()}


COLLECTION_ATTRIBUTES: Final[Mapping[str, Mapping[str, str]]] = {
    "Facts": by_typed_name(
        {
            "facts.list()": "get_all all items to_list",
            "user.recall(query)": "search recall query retrieve",
            "facts.forget(id)": "delete remove pop discard",
            "facts.forget(fact.id), for each of facts.list()": "delete_all clear reset",
            "facts.add(text)": "append create insert remember add_fact put",
            "facts.add(text, replaces=id)": "replace edit set",
        }
    ),
    "Instructions": by_typed_name(
        {
            "instructions.list()": "get_all all items to_list",
            "instructions.forget(id)": "delete remove pop discard",
            "instructions.forget(instruction.id), for each of instructions.list()": (
                "delete_all clear reset"
            ),
            "instructions.add(text)": "append create insert add_instruction put",
            "instructions.add(text, replaces=id)": "replace edit set",
        }
    ),
    "Files": by_typed_name(
        {
            "files.list()": "get_all all items get to_list",
            "files.add({'url': ...})": "append create insert upload put save add_file",
            "files.remove(id)": "delete forget pop discard",
        }
    ),
    "Conversations": by_typed_name(
        {
            "conversations.get(id)": "retrieve fetch read",
            "conversations.add_items(id, *items)": "add append add_messages",
            "conversations.items(id)": "list_items get_items messages",
            "conversations.item(id, item)": "get_item retrieve_item",
            "conversations.remove_item(id, item)": "delete_item",
            "conversations.delete(id)": "remove",
        }
    ),
    "Responses": by_typed_name(
        {
            "responses.add(response)": "create store save put append record",
            "responses.get(id)": "retrieve fetch read",
            "responses.delete(id)": "remove",
            "responses.get(id), whose response.input has them": "input_items",
        }
    ),
    "FeedbackCollection": by_typed_name(
        {
            "feedback.add(response_id, rating='positive')": "create submit record rate put save",
            "feedback.list(response=response_id)": "get get_all all retrieve",
            "feedback.counts(by='model')": "summary stats summarize aggregate count",
            "feedback.delete(response_id, id)": "remove",
        }
    ),
}
"""As `peer_names.ATTRIBUTES`, for the collections of a Memory, a session and a user."""

_SESSIONS: Final = by_typed_name(
    {
        "memory.session(id, user=...), a verb": "create add get",
        "memory.sessions(user=...), a verb": "list",
        "memory.session(id).delete()": "delete",
    }
)

VERB_ATTRIBUTES: Final[Mapping[str, Mapping[str, str]]] = {
    "Conversations.items": by_typed_name(
        {
            "conversations.add_items(id, *items)": "create add",
            "conversations.items(id)": "list",
            "conversations.item(id, item)": "retrieve get",
            "conversations.remove_item(id, item)": "delete",
        }
    ),
    "Session.items": by_typed_name(
        {"session.add(...)": "create add append extend", "session.items(), a verb": "list get"}
    ),
    "Memory.session": _SESSIONS,
    "Memory.sessions": _SESSIONS,
    "Memory.user": by_typed_name(
        {
            "memory.user(id), a verb": "create add get",
            "memory.user(id).sessions()": "get_sessions get_threads",
            "memory.user(id).forget()": "delete",
        }
    ),
}
"""What a verb of ours is taken to have, where it is a collection in other libraries."""
