"""Long-term memory: what was learned of users, kept apart from the conversations it came from."""
