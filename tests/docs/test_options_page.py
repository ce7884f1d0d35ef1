"""The page of options is what the table of options says, and so is `--help`."""

import subprocess
import sys

from tests.docs import options_page
from threadkeep.config.stores import STORES


def test_the_page_of_options_is_current():
    current = options_page.PAGE.read_text("utf-8")
    assert current == options_page.text(), "run: python -m tests.docs.options_page"


def test_help_has_every_flag_and_variable_of_the_table():
    command = [sys.executable, "-m", "threadkeep.cli", "--help-stores"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words = set(printed.replace("[", " ").replace("]", " ").split())
    for store in STORES.values():
        for option in store.options:
            if option.text:
                assert option.flag in words
                assert option.variable in words
