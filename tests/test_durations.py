"""The limits of time that tests set: a busy machine may exceed them, a slow product may not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.durations import within

STOPPING = """
import os, signal, time
os.kill(os.getppid(), signal.SIGSTOP)
time.sleep(2)
os.kill(os.getppid(), signal.SIGCONT)
"""
MEASURED = """
import subprocess, sys
from tests.durations import within
with within(1, slack=0):
    subprocess.run(sys.argv[1:], check=True)
"""


def test_block_that_takes_longer_fails_and_says_by_how_much():
    message = r"0\.\d+ s, where 0\.1 were promised and 0 given"
    with pytest.raises(AssertionError, match=message), within(0.1, slack=0):
        time.sleep(0.4)


def test_block_within_its_time_passes():
    with within(0.5, slack=0):
        time.sleep(0.05)


def test_error_of_the_block_is_its_own():
    with pytest.raises(ZeroDivisionError), within(-1, slack=0):
        _ = 1 / 0


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a process cannot be stopped here")
def test_time_in_which_the_process_did_not_run_does_not_count():
    command = [sys.executable, "-c", MEASURED, sys.executable, "-c", STOPPING]
    measured = subprocess.run(command, timeout=30, capture_output=True, text=True, check=False)
    assert measured.returncode == 0, measured.stderr
