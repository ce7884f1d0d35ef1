"""Redis, Valkey and their clusters as sources: keys come by SCAN, lists in pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis as driver

from threadkeep.errors import ConfigError
from threadkeep.importers.formats.redis_lists import READERS, ListReader
from threadkeep.importers.json_entries import parsed
from threadkeep.importers.servers.source_errors import source_errors
from threadkeep.importers.values import Chat, Context, Message, Part

_PAGE: Final = 500
_TIMEOUT: Final = 10  # seconds to connect


def sources(url: str, context: Context) -> Iterator[tuple[str, Iterator[Part]]]:
    """What the lists of a database hold; lists of other applications are passed over."""
    is_recognised = False
    with _opened(url) as client, source_errors(context.label, driver.RedisError):
        for list_key in client.scan_iter(count=_PAGE, _type="list"):
            first_value = _json(client.lindex(list_key, 0))
            list_name = list_key.decode(errors="replace")
            reader = next(
                (reader for reader in READERS if reader.matches(list_name, first_value)), None
            )
            if reader is not None:
                is_recognised = True
                yield reader.name, iter([_chat(client, list_key, reader, context)])
    if not is_recognised:
        context.skip(context.label, "none of its lists is recognised")


def _chat(client: Any, key: bytes, reader: ListReader, context: Context) -> Chat:
    name = key.decode(errors="replace")
    location = f"{context.label} {name}"
    return Chat(reader.session(name), location, _messages(client, key, reader, location, context))


def _messages(
    client: Any, key: bytes, reader: ListReader, location: str, context: Context
) -> Iterator[Message]:
    for message_index, content_bytes in enumerate(_oldest_first(client, key, reader.newest_first)):
        message_json = _json(content_bytes)
        if message_json is None:
            context.skip(f"{location}[{message_index}]", "the message is not JSON")
            continue
        yield reader.message(message_json, message_index, location)


def _oldest_first(client: Any, key: bytes, newest_first: bool) -> Iterator[bytes]:
    """The values of a list, page by page; what is pushed meanwhile shifts none of them."""
    for start_index in range(0, client.llen(key), _PAGE):
        end_index = start_index + _PAGE - 1
        page = client.lrange(key, -end_index - 1, -start_index - 1) if newest_first else ()
        yield from reversed(page) if newest_first else client.lrange(key, start_index, end_index)


def _json(content_bytes: bytes | None) -> Any:
    try:
        return None if content_bytes is None else parsed(content_bytes)
    except ValueError:
        return None


@contextmanager
def _opened(url: str) -> Iterator[Any]:
    redis_url = url.replace("valkey", "redis", 1).replace("+cluster://", "://", 1)
    is_cluster = url.partition("://")[0].endswith("+cluster")
    open_client: Callable[..., Any] = (
        driver.RedisCluster.from_url if is_cluster else driver.Redis.from_url
    )
    try:
        client = open_client(redis_url, socket_connect_timeout=_TIMEOUT)
    except ValueError:
        raise ConfigError(
            "the Redis URL cannot be read: redis://user:password@host:6379/0; "
            "percent-encode what is special in user and password"
        ) from None
    try:
        yield client
    finally:
        client.close()
