"""Where a checkpoint is."""

from __future__ import annotations

from typing import Any, NamedTuple

from langchain_core.runnables import RunnableConfig


class Address(NamedTuple):
    """Where a checkpoint is, or those of a thread are.

    Attributes:
        thread: the id of the thread.
        user: on whose behalf; `None` = the operator.
        namespace: `""` is the root.
        thread_id: the thread's id as the caller gave it.
        run_object: lives as long as the run of a graph that calls; `None` = it is none, but, for
            example, `update_state`.
    """

    thread: str
    user: str | None
    namespace: str
    thread_id: Any
    run_object: Any = None

    def config(self, checkpoint_id: str) -> RunnableConfig:
        """The config of one of its checkpoints."""
        return {
            "configurable": {
                "thread_id": self.thread_id,
                "checkpoint_ns": self.namespace,
                "checkpoint_id": checkpoint_id,
            }
        }


def plain_config(config: RunnableConfig) -> RunnableConfig:
    """The config that a caller passed, with the checkpoint id as a plain text."""
    configurable = config["configurable"]
    checkpoint_id = str(configurable["checkpoint_id"])
    return {**config, "configurable": {**configurable, "checkpoint_id": checkpoint_id}}
