"""The Lua scripts: called by hash, and sent in full to a server that lacks them."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Final


class LuaScript:
    """A script of this folder, with the common part in front.

    Attributes:
        name: the name of its file.
        text: its source, sent to a server that does not have it.
        sha: its hash, sent to all others.
    """

    def __init__(self, name: str) -> None:
        folder = resources.files(__package__)
        parts = (folder.joinpath(f"{part}.lua").read_text("utf-8") for part in ("common", name))
        self.name = name
        self.text = "\n".join(parts)
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


COMMIT: Final = LuaScript("commit")
READ: Final = LuaScript("read")
SWEEP: Final = LuaScript("sweep")
