"""The same job with threadkeep and with others, as short as each documents it.

A module is a job, a function is a way to do it. Each runs in `tests/examples/test_side_by_side.py`,
in two processes where something must survive a restart. `count.py` counts their lines: the table
on the page "Compared with others".
"""
