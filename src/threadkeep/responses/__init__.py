"""Responses, feedback and conversations: stored, chained and searched."""
