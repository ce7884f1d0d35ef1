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
    is_known = False
    with _opened(url) as client, source_errors(context.label, PyMongoError):
        for collection in _collections(client):
            first = collection.find_one({}, {_SESSION: 1, _MESSAGE: 1}) or {}
            if {_SESSION, _MESSAGE} <= first.keys():
                is_known = True
                yield "langchain-mongodb", _chats(collection, context)
    if not is_known:
        context.skip(context.label, "none of its collections is recognised")


def _collections(client: Any) -> Iterator[Any]:
    for database in _databases(client):
        for name in sorted(database.list_collection_names()):
            if not name.startswith("system."):
                yield database[name]


def _databases(client: Any) -> list[Any]:
    try:
        return [client.get_default_database()]
    except ConfigurationError:  # the URL names none
        names = client.list_database_names()
        return [client[name] for name in names if name not in _OWN_DATABASES]


def _chats(collection: Any, context: Context) -> Iterator[Part]:
    order = [(_SESSION, pymongo.ASCENDING), ("_id", pymongo.ASCENDING)]
    with collection.find({_SESSION: {"$exists": True}}).sort(order).allow_disk_use(True) as cursor:
        for session, documents in groupby(cursor, key=lambda document: str(document[_SESSION])):
            place = f"{context.label}:{collection.full_name}"
            yield Chat(session, place, _messages(documents, place, context))


def _messages(documents: Iterator[Any], place: str, context: Context) -> Iterator[Message]:
    for document in documents:
        number = document["_id"]
        location = f"{place} {number}"
        try:
            dump = parsed(document.get(_MESSAGE, ""))
        except (ValueError, TypeError):
            context.skip(location, "the message is no JSON")
            continue
        at = getattr(number, "generation_time", None)
        if isinstance(dump, Mapping) and langchain.is_dump(dump):
            at = dates_and_id(dump)[0] or at
        yield Message(dump, location, f"langchain-mongodb:{number}", at)


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
