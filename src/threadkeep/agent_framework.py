"""The names of `agent_framework_threadkeep`: `pip install "threadkeep[agent-framework]"`."""

from typing import TYPE_CHECKING

from threadkeep.adapters.reexport import hand_on

if TYPE_CHECKING:
    from agent_framework_threadkeep import *  # noqa: F403  # its public names, and no others
else:
    __getattr__, __dir__ = hand_on("agent_framework_threadkeep", "agent-framework")
