"""Recall: what a user's sessions and facts say to a question, found by words alone."""
