"""`%load_ext threadkeep`: the magic `%threadkeep`, for IPython and Jupyter.

What sessions, windows, facts and the rest look like in a notebook is a matter of themselves.
"""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

from threadkeep.api.memory import Memory
from threadkeep.connect import connect
from threadkeep.types import Listing, SessionInfo

NAME: Final = "threadkeep"
VARIABLE: Final = "memory"
"""The variable of the notebook in which the open store stands."""

_PAGE: Final = 50


class Magic:
    """The magic of one shell, with the store that it opened.

    Args:
        shell: an `InteractiveShell`.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._memory: Memory | None = None

    def __call__(self, line: str) -> Listing[SessionInfo]:
        """Open a store as `memory`, and list its sessions: `%threadkeep sqlite:///chat.db`.

        Without a URL the store that is open, else that of `THREADKEEP_URL`, as by `connect()`. The
        store that was open before is closed.
        """
        url = line.strip().strip("\"'")
        if url or self._memory is None:
            memory = connect(url) if url else connect()
            self.close()
            self._memory = memory
        self._shell.push({VARIABLE: self._memory})
        return self._memory.sessions(limit=_PAGE)

    def close(self) -> None:
        """Close the store that is open."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None


_magics: WeakKeyDictionary[Any, Magic] = WeakKeyDictionary()


def load(shell: Any) -> None:
    """Give a shell the magic; loaded again, the old one's store is closed."""
    unload(shell)
    magic = _magics[shell] = Magic(shell)
    shell.register_magic_function(magic, "line", NAME)


def unload(shell: Any) -> None:
    """Take the magic from a shell, and close its store."""
    magic = _magics.pop(shell, None)
    if magic is not None:
        magic.close()
        shell.magics_manager.magics["line"].pop(NAME, None)
