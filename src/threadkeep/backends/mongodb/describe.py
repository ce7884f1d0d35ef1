"""What a server is, for people who look into what is wrong."""

from __future__ import annotations

from threadkeep.backends.mongodb.documents import Store


def describe(store: Store) -> dict[str, str]:
    """`engine`, `topology`, `collection`, `exists`, and how many documents there are."""
    database = store.database
    hello = database.command("hello")
    there = store.name in database.list_collection_names(filter={"name": store.name})
    said = {
        "engine": f"MongoDB {database.command('buildInfo').get('version', '?')}",
        "topology": f"replica set {hello['setName']}" if "setName" in hello else "one server",
        "collection": store.full_name,
        "exists": "yes" if there else "no",
    }
    return said | ({"documents": f"{store.estimated_document_count():,}"} if there else {})
