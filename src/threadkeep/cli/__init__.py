"""The command line: `threadkeep`, a window into a store. One module per command."""

from __future__ import annotations

import signal
import sys

from threadkeep.cli import output


def main() -> None:
    """Run the command line; the `cli` extra brings what it needs."""
    with output.escaped_streams():
        code = _exit_code()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends anyway
    sys.exit(code)


def _exit_code() -> int:
    try:
        return _run()
    except KeyboardInterrupt:  # while it was loaded, or spoke its last words
        return 130
    except Exception:  # as Python would, but escaped
        output.failure()
        return 1


def _run() -> int:
    try:
        output.load()
        from threadkeep.cli.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"typer", "rich"}:
            raise
        output.line('threadkeep: the command line needs: pip install "threadkeep[cli]"', err=True)
        return 2
    return run()
