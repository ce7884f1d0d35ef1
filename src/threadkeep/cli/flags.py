"""The flags of the stores, which may stand anywhere on the command line, and their help."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final, NoReturn

from threadkeep.config.option_spec import OptionSpec
from threadkeep.config.stores import STORES, flag_owners
from threadkeep.core.option_types import FLAG
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

_END: Final = "--"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


def split_flags(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Take the flags of stores out of a command line.

    Returns their values by their long names, and the other arguments. The last one of several
    counts, so that flags behind a command take precedence over those before it.

    Raises:
        ConfigError: the value of a flag is missing.
    """
    flags_end = arguments.index(_END) if _END in arguments else len(arguments)
    flags, remaining = _parser().parse_known_args(list(arguments[:flags_end]))
    return vars(flags), [*remaining, *arguments[flags_end:]]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS, usage=""
    )
    for option_name, (_, option) in flag_owners().items():
        if option.type is FLAG:
            negation = f"--no{option.flag[1:]}"
            parser.add_argument(option.flag, dest=option_name, action="store_const", const="true")
            parser.add_argument(negation, dest=option_name, action="store_const", const="false")
        else:
            parser.add_argument(option.flag, dest=option_name)
    return parser


def hint(message: str) -> str:
    """The flag of a store that an unknown option comes near to, for an error; empty = none."""
    _, phrase, option = message.partition("No such option: ")
    flag_name = option.partition(" ")[0]
    flags = get_close_matches(flag_name, [option.flag for _, option in flag_owners().values()], n=1)
    return f"; did you mean {shown(flags[0])}?" if phrase and flag_name == option and flags else ""


def help_text() -> str:
    """The flags of each kind of store, for people; `threadkeep --help-stores`."""
    lines = []
    for kind, store in STORES.items():
        rows = [_help_row(option) for option in store.options if option.flag]
        flag_width = max((len(flag) for flag, _ in rows), default=0)
        if rows:
            lines += ["", f"Options of {kind}:"]
            lines += [f"  {flag:<{flag_width}}  {description}" for flag, description in rows]
    return "\n".join(lines[1:])


def _help_row(option: OptionSpec) -> tuple[str, str]:
    value_hint = "" if option.type is FLAG else f" {option.type.metavar}"
    return f"{option.flag}{value_hint}", " ".join(_help_parts(option))


def _help_parts(option: OptionSpec) -> Iterator[str]:
    yield option.help.replace("`", "")
    yield f"[env: {option.variable}]"
    if option.default:
        yield f"[default: {option.default}]"
