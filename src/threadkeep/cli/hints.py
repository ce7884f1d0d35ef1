"""What was probably meant by a command or an option that does not exist, for an error."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

import typer

from threadkeep.core.peer_collections import by_typed_name
from threadkeep.printable import shown

_UNKNOWN_COMMAND: Final = re.compile(r"(No such command '([^']*)')\..*", re.DOTALL)
_UNKNOWN_OPTION: Final = re.compile(r"(No such option: (\S+)).*", re.DOTALL)

COMMANDS: Final = by_typed_name(
    {
        "sessions": "list ls chats threads conversations",
        "show": "cat get view history messages read print",
        "recall": "search find query grep ask",
        "doctor": "check status ping health info test",
        "copy": "migrate clone backup mirror move",
        "export": "dump save",
        "import": "load restore",
        "sweep": "purge vacuum gc prune clean cleanup expire",
        "repair": "fix fsck verify",
        "rekey": "encrypt rotate",
        "extract": "learn process",
        "stats": "count statistics",
        "usage": "tokens cost costs",
        "serve": "server start run api http",
        "ui": "web browser gui dashboard",
    }
)
_DELETE: Final = frozenset(("delete", "del", "rm", "remove", "erase", "clear", "drop"))
_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    typed: tuple(meant.split())
    for meant, typed_names in {
        "--url": "--store --db --database --database-url --db-url --dsn --uri --connection",
        "--last -k": "--limit --tail -n",
        "--output --path": "--out --file --to",
        "--as --json": "--format",
        "--user": "--user-id --owner",
    }.items()
    for typed in typed_names.split()
}
"""By option: what is meant; the first that the command has."""


def options_of(error: typer.TyperException) -> frozenset[str]:
    """The options of the command that refused its arguments."""
    context = getattr(error, "ctx", None)
    parameters = () if context is None else context.command.params
    return frozenset(option for parameter in parameters for option in parameter.opts)


def usage_line(error: typer.TyperException) -> str:
    """How the command is called, where an argument is missing; else empty."""
    context = getattr(error, "ctx", None)
    is_missing = error.format_message().startswith("Missing argument")
    return f" {context.get_usage()}" if context is not None and is_missing else ""


def with_hint(message: str, valid_options: Collection[str]) -> str:
    """The message of the command line's parser, with what was probably meant.

    Args:
        valid_options: those of the command.
    """
    if command := _UNKNOWN_COMMAND.fullmatch(message):
        hint = _command_hint(command[2])
        return f"{command[1]}{hint}" if hint else message
    if option := _UNKNOWN_OPTION.fullmatch(message):
        meant_options = _OPTIONS.get(option[2], ())
        our_option = next((name for name in meant_options if name in valid_options), None)
        return f"{option[1]}; did you mean {shown(our_option)}?" if our_option else message
    return message


def _command_hint(name: str) -> str:
    if name in _DELETE:
        return (
            "; `threadkeep forget` erases a user with all sessions, memory.session(id).delete() "
            "of Python one session"
        )
    return f"; did you mean {shown(COMMANDS[name])}?" if name in COMMANDS else ""
