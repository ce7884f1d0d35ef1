"""The names of `openai_agents_threadkeep`: `pip install "threadkeep[openai-agents]"`."""

from typing import TYPE_CHECKING

from threadkeep.adapters.reexport import hand_on

if TYPE_CHECKING:
    from openai_agents_threadkeep import *  # noqa: F403  # its public names, and no others
else:
    __getattr__, __dir__ = hand_on("openai_agents_threadkeep", "openai-agents")
