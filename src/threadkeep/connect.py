"""Opens a Memory from a URL, a dict, a path, a client or a backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadkeep.api.memory import Memory


def connect(store: object = None, /, **options: Any) -> Memory:
    """Open chat memory. No I/O happens before the first read or write.

    Args:
        store: where the chats are, one of:

            - a URL: `sqlite:///chat.db`, `sqlite:////abs/chat.db`, `file:chats`,
              `file:///abs/chats`, `postgresql://`, `mysql://`, `oracle://`, `redis://`,
              `mongodb://`, `memory://`, `none://`;
            - `None`: what the environment says, as for the command line (`THREADKEEP_URL`, or
              `THREADKEEP_HISTORY_BACKEND` with the variables of that store), else
              `sqlite:///threadkeep.db`;
            - a `Path`: an SQLite file, or a folder of the file store;
            - a dict: `{"type": "sqlite", "path": "chat.db"}`; without a type it is `memory`, and a
              warning says so;
            - a client or SQLAlchemy `Engine` of your own, a `Backend`, or a history provider (see
              `threadkeep.service.BaseHistoryProvider`), which stay yours to close;
            - a third-party backend or provider: `{"type": "module:Class", ...}`,
              `{"type": "custom", "module_path": "module", ...}`, or the name of an entry point of
              `threadkeep.backends`, as type or as URL scheme.
        **options: `namespace`, `require_user`, `window`, `retain`, `ttl` (seconds, a `timedelta`
            or a text such as `"30d"`), `clock`, `pool_size`, `timeout`, `key`, `observe`,
            `longterm`, `llm`, `embedder`, `redactor`, `summary_ttl`, `sweep_grace`, and the options
            of the store; see `threadkeep.config.settings.Settings`. In a dict they may stand beside
            `type`, and in a URL those that are numbers or names: `sqlite:///chat.db?ttl=30d`.

    Raises:
        ConfigError: the store or an option is not valid; it is named.
        MissingExtra: the store needs a package that is not installed.
    """
    from threadkeep.config.open_memory import open_memory  # so that an import loads no options

    return open_memory(store, options)


def connect_by_flags(flags: Mapping[str, str]) -> Memory:
    """Open the store that flags name, or else the environment; see `from_environment`."""
    from threadkeep.config.open_memory import open_memory_by_flags

    return open_memory_by_flags(flags)
