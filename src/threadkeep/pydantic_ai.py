"""The names of `pydantic_ai_threadkeep`: `pip install "threadkeep[pydantic-ai]"`."""

from typing import TYPE_CHECKING

from threadkeep.adapters.reexport import hand_on

if TYPE_CHECKING:
    from pydantic_ai_threadkeep import *  # noqa: F403  # its public names, and no others
else:
    __getattr__, __dir__ = hand_on("pydantic_ai_threadkeep", "pydantic-ai")
