"""Describes a MongoDB server, for diagnostics."""

from __future__ import annotations

from threadkeep.backends.mongodb.documents import Store


def describe_server(store: Store) -> dict[str, str]:
    """Returns `engine`, `topology`, `collection`, `exists` and the number of `documents`."""
    database = store.database
    hello_reply = database.command("hello")
    is_existing = store.name in database.list_collection_names(filter={"name": store.name})
    description = {
        "engine": f"MongoDB {database.command('buildInfo').get('version', '?')}",
        "topology": f"replica set {hello_reply['setName']}"
        if "setName" in hello_reply
        else "one server",
        "collection": store.full_name,
        "exists": "yes" if is_existing else "no",
    }
    return description | (
        {"documents": f"{store.estimated_document_count():,}"} if is_existing else {}
    )
