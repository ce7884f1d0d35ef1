"""The specification of an option: all its names, its type, its default and its help."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from threadkeep.core.option_types import OptionType

Part = Literal["", "address", "login"]


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """An option of a store, or of every store.

    Attributes:
        name: its name in a dict, and in a URL.
        type: how it is parsed.
        help: one line for people.
        default: its default in words; empty = none.
        sets: the argument of the store's class, or the setting of `connect`, that it fills.
        long: its name where the store is not known yet: on the command line (`--redis-url`), in
            the environment, and in dicts and URLs as well (`redis_url`).
        variable: its environment variable.
        part: `address` and `login` say which store is meant; others say how it is used.
        text: whether it can be written as text, that is in a URL, a flag or a variable.
        in_url: whether it may be a parameter of a URL.
    """

    name: str
    type: OptionType
    help: str
    default: str = ""
    sets: str = ""
    long: str = ""
    variable: str = ""
    part: Part = ""
    text: bool = True
    in_url: bool = True

    @property
    def keys(self) -> tuple[str, ...]:
        """Its names in a dict."""
        return tuple(
            dict.fromkeys(option_name for option_name in (self.name, self.long) if option_name)
        )

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its names in the query of a URL."""
        return self.keys if self.text and self.in_url else ()

    @property
    def flag(self) -> str:
        """Its name on the command line; empty = none."""
        return f"--{self.long.replace('_', '-')}" if self.long and self.text else ""

    @property
    def target(self) -> str:
        """The argument or setting that it fills."""
        return self.sets or self.name


class GivenOption(NamedTuple):
    """An option as it was given.

    Attributes:
        place: where it stood, in words; for errors.
        spelling: its name there, if that is another one: a flag or a variable.
    """

    name: str
    value: Any
    place: str = ""
    spelling: str = ""

    @property
    def label(self) -> str:
        """Its name for an error about its value."""
        return self.spelling or str(self.name)

    @property
    def source(self) -> str:
        """Its name and place, for an error about two of them."""
        return f"{self.label} {self.place}".strip()


def of_store(kind: str, *options: OptionSpec) -> tuple[OptionSpec, ...]:
    """The options with their long names and environment variables, unless they have their own."""
    return tuple(_with_names(kind, option) for option in options)


def _with_names(kind: str, option: OptionSpec) -> OptionSpec:
    long_name = option.long or f"{kind}_{option.name}"
    if not option.text:
        return option
    return replace(
        option, long=long_name, variable=option.variable or f"THREADKEEP_{long_name.upper()}"
    )
