"""The kept index: segments of a user's index in the store, so that a new process need not read all.

What a segment holds, and what drops it, is in `threadkeep.sessions.recall_segments`.
"""
