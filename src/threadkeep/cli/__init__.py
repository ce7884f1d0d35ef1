"""The command line: `threadkeep`, a window into a store. One module per command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; the `cli` extra brings what it needs."""
    try:
        from threadkeep.cli.app import run
    except ModuleNotFoundError as error:
        if error.name not in {"typer", "rich"}:
            raise
        print('threadkeep: the command line needs: pip install "threadkeep[cli]"', file=sys.stderr)
        sys.exit(2)
    sys.exit(run())
