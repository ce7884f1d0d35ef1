"""The Typer application: registers the commands and maps errors to exit codes."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Final

import typer

import threadkeep
from threadkeep.cli import (
    copy,
    doctor,
    extract,
    feedback,
    files,
    flags,
    forget,
    hints,
    knowledge,
    mcp,
    output,
    recall,
    redact,
    rekey,
    repair,
    serve,
    sessions,
    show,
    stats,
    sweep,
    transfer,
    ui,
    usage,
    users,
    views,
    watch,
)
from threadkeep.cli.store import Backend, Namespace, Path, StoreOptions, Url, command
from threadkeep.errors import ConfigError, InputError, ThreadkeepError

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

_SECRETS: Final = re.compile(r"(?<=://).*@|\?\S*=[^\s')]*", re.DOTALL)
"""The possibly secret parts of a URL that an error message repeats."""

app = typer.Typer(
    name="threadkeep",
    help=(
        "Look into a store of chat memory. The store is named by --url, by THREADKEEP_URL, or "
        "by --history-backend with --path or the options of --help-stores; before or after the "
        "command. "
        "Exit codes: 0 done, "
        "1 something is wrong with the store, 2 wrong usage, 130 interrupted."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
for function in (
    doctor.doctor,
    users.users,
    sessions.sessions,
    stats.stats,
    usage.usage,
    feedback.feedback,
    show.show,
    files.files,
    knowledge.facts,
    knowledge.instructions,
    recall.recall,
    transfer.export,
    transfer.import_,
    extract.extract,
    forget.forget,
    redact.redact,
    sweep.sweep,
    repair.repair,
    rekey.rekey,
    views.views,
    watch.watch,
):
    app.command(function.__name__.rstrip("_"))(command(function))
app.command("copy")(copy.copy)  # two stores, so it opens them itself
app.add_typer(serve.app)
app.command("mcp")(mcp.mcp)
app.command("ui")(ui.ui)


def _print_store_flags(requested: bool) -> None:
    if requested:
        output.print_block(flags.help_text())
        raise typer.Exit


def _print_version(requested: bool) -> None:
    if requested:
        output.print_line(f"threadkeep {threadkeep.__version__}")
        raise typer.Exit


@app.callback()
def store_options(
    context: typer.Context,
    url: Url = None,
    history_backend: Backend = None,
    path: Path = None,
    namespace: Namespace = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    help_stores: Annotated[
        bool,
        typer.Option(
            "--help-stores",
            callback=_print_store_flags,
            is_eager=True,
            help="The options of each kind of store.",
        ),
    ] = False,
) -> None:
    """Take the store's options before the command."""
    del version, help_stores
    options = context.obj or StoreOptions()  # the flags of stores, which stand anywhere
    context.obj = StoreOptions(url, history_backend, path, namespace, options.flags)


def run() -> int:
    """Run the command line and return its exit code; errors are one line on standard error."""
    with output.escaped_streams():
        return _run()


def _run() -> int:
    try:
        store_flags, arguments = flags.split_flags(sys.argv[1:])
        options = StoreOptions(flags=store_flags)
        return int(app(arguments, prog_name="threadkeep", standalone_mode=False, obj=options) or 0)
    except typer.Exit as error:
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except typer.TyperException as error:
        return _print_usage_error(error)
    except (ConfigError, InputError) as error:
        return _print_error(str(error), USAGE)
    except ThreadkeepError as error:
        return _print_error(str(error), FAILED)
    except OSError as error:
        return _print_error(f"{error.filename or 'file'}: {error.strerror or error}", FAILED)


def _print_usage_error(error: typer.TyperException) -> int:
    """Print what is wrong with the arguments; without arguments, print the help."""
    error_text = error.format_message()
    if error_text.startswith("Usage:"):
        output.print_block(error_text, err=True)
        return USAGE
    usage_text = error_text.replace("\n\t", " ")  # which stand one below the other
    usage_text = hints.with_hint(usage_text, hints.options_of(error))
    usage_text += flags.hint(usage_text) + hints.usage_line(error)
    return _print_error(_SECRETS.sub("", usage_text), USAGE)


def _print_error(message: str, code: int) -> int:
    output.print_line(f"threadkeep: {message}", err=True)
    return code
