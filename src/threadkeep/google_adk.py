"""The names of `google_adk_threadkeep`: `pip install "threadkeep[google-adk]"`."""

from typing import TYPE_CHECKING

from threadkeep.adapters.reexport import hand_on

if TYPE_CHECKING:
    from google_adk_threadkeep import *  # noqa: F403  # its public names, and no others
else:
    __getattr__, __dir__ = hand_on("google_adk_threadkeep", "google-adk")
