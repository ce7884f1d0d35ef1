"""The names of `langchain_threadkeep`: `pip install "threadkeep[langchain]"`."""

from typing import TYPE_CHECKING

from threadkeep.adapters.reexport import hand_on

if TYPE_CHECKING:
    from langchain_threadkeep import *  # noqa: F403  # its public names, and no others
else:
    __getattr__, __dir__ = hand_on("langchain_threadkeep", "langchain")
