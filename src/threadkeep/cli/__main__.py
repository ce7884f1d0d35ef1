"""`python -m threadkeep.cli`, where the script is not on the path."""

from threadkeep.cli import main

main()
