"""The option `inject=` of an adapter: how much of long-term memory goes into a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from threadkeep.errors import ConfigError
from threadkeep.printable import shown


@dataclass(frozen=True, slots=True)
class Injection:
    """How much of long-term memory goes into a prompt.

    Attributes:
        max_tokens: the token budget of everything injected.
        recall: whether earlier conversations are searched for the user's message.
    """

    max_tokens: int = 800
    recall: bool = True


def parse_injection(inject: object) -> Injection | None:
    """Parse an `inject=` argument; `None` = inject nothing.

    Raises:
        ConfigError: it is neither a flag nor a dict with the fields of `Injection`.
    """
    if isinstance(inject, bool):
        return Injection() if inject else None
    option_names = {field.name for field in fields(Injection)}
    if not isinstance(inject, Mapping) or not inject.keys() <= option_names:
        raise ConfigError(
            f"inject must be True, False or a dict with {' and '.join(sorted(option_names))}, "
            f"got {shown(inject)}"
        )
    options = Injection(**inject)
    if (
        type(options.max_tokens) is not int
        or options.max_tokens < 1
        or type(options.recall) is not bool
    ):
        raise ConfigError(
            "inject: max_tokens must be a whole number of at least 1, and recall True or False"
        )
    return options
