"""`python -m threadkeep`: the command line."""

from threadkeep.cli import main

main()
