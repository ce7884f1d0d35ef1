"""The names of `llama_index.memory.threadkeep`: `pip install "threadkeep[llama-index]"`."""

from typing import TYPE_CHECKING

from threadkeep.adapters.reexport import hand_on

if TYPE_CHECKING:
    from llama_index.memory.threadkeep import *  # noqa: F403  # its public names, and no others
else:
    __getattr__, __dir__ = hand_on("llama_index.memory.threadkeep", "llama-index")
