"""The Lua scripts, by name: sent by their hash, and whole where a server does not know it yet."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Final


class Script:
    """A script of this folder, behind what all of them share.

    Attributes:
        name: of its file.
        text: what a server that does not know it is sent.
        sha: what any other is sent.
    """

    def __init__(self, name: str) -> None:
        folder = resources.files(__package__)
        parts = (folder.joinpath(f"{part}.lua").read_text("utf-8") for part in ("common", name))
        self.name = name
        self.text = "\n".join(parts)
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


COMMIT: Final = Script("commit")
READ: Final = Script("read")
SWEEP: Final = Script("sweep")
