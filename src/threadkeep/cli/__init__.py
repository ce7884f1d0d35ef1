"""The command line `threadkeep`. One module per command."""

from __future__ import annotations

import signal
import sys

from threadkeep.cli import output


def main() -> None:
    """Run the command line; the `cli` extra brings what it needs."""
    with output.escaped_streams():
        exit_code = _exit_code()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process ends anyway
    sys.exit(exit_code)


def _exit_code() -> int:
    try:
        return _run()
    except KeyboardInterrupt:  # while loading or exiting
        return 130
    except Exception:  # as Python would, but escaped
        output.print_traceback()
        return 1


def _run() -> int:
    try:
        output.load_rich()
        from threadkeep.cli.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"typer", "rich"}:
            raise
        output.print_line(
            'threadkeep: the command line needs: pip install "threadkeep[cli]"', err=True
        )
        return 2
    return run()
