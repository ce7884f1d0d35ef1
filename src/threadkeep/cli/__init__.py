"""The command line: `threadkeep`, a window into a store. One module per command."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line; the `cli` extra brings what it needs."""
    try:
        code = _run()
    except KeyboardInterrupt:  # while it was loaded, or spoke its last words
        code = 130
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends anyway
    sys.exit(code)


def _run() -> int:
    try:
        from threadkeep.cli.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"typer", "rich"}:
            raise
        print('threadkeep: the command line needs: pip install "threadkeep[cli]"', file=sys.stderr)
        return 2
    return run()
