"""Lists in Redis: of LangChain, LlamaIndex, and the Agents SDK."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from threadkeep.importers.formats import langchain as dumps
from threadkeep.importers.formats.agents_sqlite import without_id
from threadkeep.importers.formats.llama_index import message as llama_message
from threadkeep.importers.values import Message
from threadkeep.messages import langchain
from threadkeep.types import Json

_PREFIX: Final = "message_store:"
_AGENTS: Final = ("agents:session:", ":messages")


class ListReader(NamedTuple):
    """A format of lists, each of one session.

    Attributes:
        name: as `import:<name>` names it.
        matches: whether a list is of this format, by its key and its first value.
        session: the session's id, by the key.
        message: a message, of a value, its number from the oldest on, and where it stands.
        newest_first: whether the newest message is the first of the list.
    """

    name: str
    matches: Callable[[str, Json], bool]
    session: Callable[[str], str]
    message: Callable[[Any, int, str], Message]
    newest_first: bool = False


def _is_langchain(key: str, value: Json) -> bool:
    del key
    return isinstance(value, Mapping) and {"type", "data"} <= value.keys()


def _langchain_message(dump: Any, message_index: int, location: str) -> Message:
    is_dump = isinstance(dump, Mapping) and langchain.is_dump(dump)
    created_at, message_id = dumps.dates_and_id(dump) if is_dump else (None, "")
    return Message(dump, f"{location}[{message_index}]", message_id, created_at)


def _is_llama(key: str, value: Json) -> bool:
    del key
    return isinstance(value, Mapping) and {"role", "additional_kwargs"} <= value.keys()


def _is_agents(key: str, value: Json) -> bool:
    return key.endswith(_AGENTS[1]) and isinstance(value, Mapping)


def _agents_session(key: str) -> str:
    return key.removeprefix(_AGENTS[0]).removesuffix(_AGENTS[1])


def _agents_message(item: Any, number: int, place: str) -> Message:
    return Message(without_id(item), f"{place}[{number}]")


READERS: Final = (
    ListReader(
        "langchain-redis",
        _is_langchain,
        lambda key: key.removeprefix(_PREFIX),
        _langchain_message,
        newest_first=True,
    ),
    ListReader("llama-index-redis", _is_llama, str, llama_message),
    ListReader("openai-agents-redis", _is_agents, _agents_session, _agents_message),
)
