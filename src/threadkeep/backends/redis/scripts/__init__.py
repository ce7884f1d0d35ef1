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
        scripts_folder = resources.files(__package__)
        script_parts = (
            scripts_folder.joinpath(f"{file_name}.lua").read_text("utf-8")
            for file_name in ("common", name)
        )
        self.name = name
        self.text = "\n".join(script_parts)
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


COMMIT: Final = LuaScript("commit")
READ: Final = LuaScript("read")
SWEEP: Final = LuaScript("sweep")
