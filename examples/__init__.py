"""Runnable examples: the demo, and what it reads."""
