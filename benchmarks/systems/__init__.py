"""What is measured: one file per system, and one line here.

A system keeps messages of many sessions in one store. It is a class that takes an empty folder;
`System` says what else it has.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from benchmarks.messages import Message

RECENT: Final = 20
"""How many messages a model is shown."""


class System(Protocol):
    """One way to keep a chat.

    Attributes:
        raw: the name of the raw driver it is compared with.
        longest: the longest history that is worth the wait.
    """

    raw: ClassVar[str]
    longest: ClassVar[int]

    def __init__(self, folder: Path) -> None: ...

    def append(self, session: str, messages: Sequence[Message]) -> None:
        """Append messages in one step, as durable as it gets without a sync per commit."""

    def recent(self, session: str) -> Sequence[Any]:
        """The newest `RECENT` messages, as the application or the framework wants them."""

    def size(self) -> int | None:
        """Bytes stored, exact after `close`; `None` if nothing ever is."""

    def close(self) -> None: ...


SYSTEMS: Final = {
    "raw_sqlite": "raw_sqlite:RawSqlite",
    "threadkeep_sqlite": "threadkeep_core:ThreadkeepSqlite",
    "threadkeep_memory": "threadkeep_core:ThreadkeepMemory",
    "raw_jsonl": "raw_jsonl:RawJsonLines",
    "threadkeep_file": "threadkeep_file:ThreadkeepFile",
    "threadkeep_file_synced": "threadkeep_file:ThreadkeepFileSynced",
    "threadkeep_file_cold": "threadkeep_file:ThreadkeepFileCold",
    "raw_postgres": "raw_sql:RawPostgres",
    "threadkeep_postgres": "threadkeep_sql:ThreadkeepPostgres",
    "raw_mysql": "raw_sql:RawMysql",
    "threadkeep_mysql": "threadkeep_sql:ThreadkeepMysql",
    "raw_redis": "raw_redis:RawRedis",
    "threadkeep_redis": "threadkeep_redis:ThreadkeepRedis",
    "raw_mongodb": "raw_mongodb:RawMongodb",
    "threadkeep_mongodb": "threadkeep_mongodb:ThreadkeepMongodb",
    "langchain_postgres": "langchain_servers:LangChainPostgres",
    "openai_agents_postgres": "openai_agents_servers:OpenAIAgentsPostgres",
    "llama_index_postgres": "llama_index_servers:LlamaIndexPostgres",
    "langchain_mysql": "langchain_servers:LangChainMysql",
    "langchain_redis": "langchain_servers:LangChainRedis",
    "openai_agents_redis": "openai_agents_servers:OpenAIAgentsRedis",
    "llama_index_redis": "llama_index_servers:LlamaIndexRedis",
    "threadkeep_agents": "threadkeep_agents:ThreadkeepAgents",
    "threadkeep_llama_index": "threadkeep_llama_index:ThreadkeepLlamaIndex",
    "threadkeep_langchain": "threadkeep_langchain:ThreadkeepLangChain",
    "openai_agents_sqlite": "openai_agents_sqlite:OpenAIAgentsSqlite",
    "llama_index_sqlite": "llama_index_sqlite:LlamaIndexSqlite",
    "langchain_community_sqlite": "langchain_community_sqlite:LangChainCommunitySqlite",
}
OURS: Final = "threadkeep_sqlite"
_SERVERS: Final = ("postgres", "mysql", "redis", "mongodb")
ON_SERVERS: Final = frozenset(name for name in SYSTEMS if name.endswith(_SERVERS))
"""Measured only where `--systems` names them."""
SETS: Final = {"servers": [name for name in SYSTEMS if name.endswith(_SERVERS[:3])]}
"""Several systems under one name: PostgreSQL, MariaDB and Redis with all that is measured there."""


def find(names: Sequence[str]) -> tuple[dict[str, type[System]], dict[str, str]]:
    """The systems of these names with their raw drivers; and the missing, with what they lack."""
    classes: dict[str, type[System]] = {}
    missing: dict[str, str] = {}
    for name in names:
        try:
            made = _load(name)
        except ModuleNotFoundError as error:
            missing[name] = str(error)
        else:
            classes.update({made.raw: _load(made.raw), name: made})
    return {name: classes[name] for name in SYSTEMS if name in classes}, missing


def files(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.iterdir())


def _load(name: str) -> type[System]:
    module, _, attribute = SYSTEMS[name].partition(":")
    made: type[System] = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
    return made
