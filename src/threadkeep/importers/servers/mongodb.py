"""MongoDB as a source: LangChain's histories, a session at a time, through a cursor."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from typing import Any, Final

import pymongo
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

from threadkeep.errors import ConfigError
from threadkeep.importers.formats.langchain import dates_and_id
from threadkeep.importers.json_entries import parsed
from threadkeep.importers.servers.source_errors import source_errors
from threadkeep.importers.values import Chat, Context, Message, Part
from threadkeep.messages import langchain

_SESSION: Final = "SessionId"
_MESSAGE: Final = "History"
_OWN_DATABASES: Final = frozenset({"admin", "config", "local"})
_TIMEOUT: Final = 10_000  # milliseconds to connect


def sources(url: str, context: Context) -> Iterator[tuple[str, Iterator[Part]]]:
    """What the histories in the URL's database hold; without one, in all databases."""
    is_recognised = False
    with _opened(url) as client, source_errors(context.label, PyMongoError):
        for collection in _collections(client):
            sample_document = collection.find_one({}, {_SESSION: 1, _MESSAGE: 1}) or {}
            if {_SESSION, _MESSAGE} <= sample_document.keys():
                is_recognised = True
                yield "langchain-mongodb", _chats(collection, context)
    if not is_recognised:
        context.skip(context.label, "none of its collections is recognised")


def _collections(client: Any) -> Iterator[Any]:
    for database in _databases(client):
        for collection_name in sorted(database.list_collection_names()):
            if not collection_name.startswith("system."):
                yield database[collection_name]


def _databases(client: Any) -> list[Any]:
    try:
        return [client.get_default_database()]
    except ConfigurationError:  # the URL names none
        databases = client.list_database_names()
        return [client[name] for name in databases if name not in _OWN_DATABASES]


def _chats(collection: Any, context: Context) -> Iterator[Part]:
    order = [(_SESSION, pymongo.ASCENDING), ("_id", pymongo.ASCENDING)]
    with collection.find({_SESSION: {"$exists": True}}).sort(order).allow_disk_use(True) as cursor:
        for session_id, documents in groupby(cursor, key=lambda document: str(document[_SESSION])):
            location = f"{context.label}:{collection.full_name}"
            yield Chat(session_id, location, _messages(documents, location, context))


def _messages(documents: Iterator[Any], location: str, context: Context) -> Iterator[Message]:
    for document in documents:
        document_id = document["_id"]
        document_location = f"{location} {document_id}"
        try:
            dump = parsed(document.get(_MESSAGE, ""))
        except (ValueError, TypeError):
            context.skip(document_location, "the message is not JSON")
            continue
        created_at = getattr(document_id, "generation_time", None)
        if isinstance(dump, Mapping) and langchain.is_dump(dump):
            created_at = dates_and_id(dump)[0] or created_at
        yield Message(dump, document_location, f"langchain-mongodb:{document_id}", created_at)


@contextmanager
def _opened(url: str) -> Iterator[Any]:
    try:
        client: Any = pymongo.MongoClient(
            url, serverSelectionTimeoutMS=_TIMEOUT, connectTimeoutMS=_TIMEOUT, connect=False
        )
    except (InvalidURI, ConfigurationError, ValueError):
        raise ConfigError(
            "the MongoDB URL cannot be read: percent-encode what is special in user and password"
        ) from None
    with client:
        yield client
