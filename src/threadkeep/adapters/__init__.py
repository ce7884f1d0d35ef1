"""The kit that all framework adapters share. Applications do not need it."""
