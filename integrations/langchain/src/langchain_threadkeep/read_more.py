"""The option `read_more=` of the middleware: which agents get the tool."""

from __future__ import annotations

from typing import Any

from langchain.agents.middleware.types import ModelRequest
from langchain_core.tools import BaseTool

from langchain_threadkeep.identity import IdentityResolver
from langchain_threadkeep.tools import read_more_tool
from threadkeep import Memory
from threadkeep.adapters import windows
from threadkeep.adapters.read_more import NAME
from threadkeep.errors import ConfigError
from threadkeep.printable import shown


class ReadMoreOption:
    """Whether a model has the tool `read_more`, and the policies of its window.

    Args:
        option: `None` = agents that have other tools.
        memory: the store.
        resolver: finds the session of a run.
        policies: those of the window.

    Raises:
        ConfigError: the option is neither a `bool` nor `None`.
    """

    def __init__(
        self,
        option: bool | None,
        memory: Memory,
        resolver: IdentityResolver,
        policies: windows.Policies,
    ) -> None:
        if option not in (True, False, None):
            raise ConfigError(f"read_more must be True, False or None, got {shown(option)}")
        self._always = option is True
        self._policies = policies
        self._readable = windows.readable(policies)
        self.tools: list[BaseTool] = (
            [] if option is False else [read_more_tool(memory, resolver, policies)]
        )

    def apply(self, request: ModelRequest[Any]) -> tuple[windows.Policies, ModelRequest[Any]]:
        """The policies of the window, and the request without a tool that has no use in it."""
        if not self.tools:
            return self._policies, request
        tool_names = [_name(tool) for tool in request.tools]
        if NAME in tool_names and (self._always or len(tool_names) > 1):
            return self._readable, request
        other_tools = [
            tool
            for tool, tool_name in zip(request.tools, tool_names, strict=True)
            if tool_name != NAME
        ]
        return self._policies, request.override(
            tools=other_tools
        ) if NAME in tool_names else request


def _name(tool: Any) -> Any:
    return tool.get("name") if isinstance(tool, dict) else getattr(tool, "name", None)
