"""The kit that all framework adapters share, and the magic of IPython.

Applications do not need it.
"""
