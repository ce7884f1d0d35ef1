"""The option `inject=` of an adapter: how much of long-term memory goes into a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from threadkeep.api.memory import Memory
from threadkeep.errors import ConfigError
from threadkeep.printable import shown


@dataclass(frozen=True, slots=True)
class Injection:
    """How much of long-term memory goes into a prompt.

    Attributes:
        max_tokens: the token budget of everything injected.
        recall: whether earlier conversations are searched for the user's message.
        summary: whether the session's summary is told, where the window is cut.
    """

    max_tokens: int = 800
    recall: bool = True
    summary: bool = True


def parse_injection(inject: object) -> Injection | None:
    """Parse an `inject=` argument; `None` = inject nothing.

    Raises:
        ConfigError: it is neither a flag nor a dict with the fields of `Injection`.
    """
    if isinstance(inject, bool):
        return Injection() if inject else None
    option_names = [injection_field.name for injection_field in fields(Injection)]
    if not isinstance(inject, Mapping) or not inject.keys() <= set(option_names):
        raise ConfigError(
            f"inject must be True, False or a dict with {', '.join(option_names)}, "
            f"got {shown(inject)}"
        )
    options = Injection(**inject)
    if (
        type(options.max_tokens) is not int
        or options.max_tokens < 1
        or type(options.recall) is not bool
        or type(options.summary) is not bool
    ):
        raise ConfigError(
            "inject: max_tokens must be a whole number of at least 1, "
            "recall and summary True or False"
        )
    return options


def with_summary(options: Injection | None, summary: object, memory: Memory) -> Injection | None:
    """What a `summary=` argument makes of the options; `None` = they stay as they are.

    Raises:
        ConfigError: it is no flag, or the Memory has no model that would write a summary, or
            nothing is injected.
    """
    if summary is None:
        return options
    if not isinstance(summary, bool):
        raise ConfigError(f"summary must be True, False or None, got {shown(summary)}")
    if summary and not memory.has_llm:
        raise ConfigError("summary=True needs a Memory with a model: connect(llm=)")
    if options is None and summary:
        raise ConfigError("summary=True is told by inject, which is False: leave it out")
    return None if options is None else replace(options, summary=summary)
